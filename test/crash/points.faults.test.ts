import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import type { Site } from '../site.ts'
import { auditOf, crashAt, namesOfSteps, stepsTaken, troubleOf, violationsOf } from './harness.ts'
import { removeTemplate, SCENARIOS, type Scenario } from './scenarios.ts'

/** What a site has come to: the same whether its way there was cut short or not. */
const outcomeOf = async (site: Site) => ({
  import: [site.state('importer'), site.failures('import')],
  migrate: [site.state('migrator'), site.failures('migrate')],
  archived: site.archived(),
  // A crash must not leave a second object, a second document of a run, or anything half written beside them.
  objects: site.archived().length,
  temporaries: readdirSync(site.path('work')).filter((name) => /\.(tmp|\d{6,})$/.test(name)),
  classes: (await auditOf(site)).stages.map(({ stage, archived, failed, pending }) => ({
    stage,
    archived,
    failed,
    pending,
  })),
})

interface Undisturbed {
  readonly scenario: Scenario
  readonly steps: readonly string[]
  readonly outcome: Awaited<ReturnType<typeof outcomeOf>>
}

/** To the end, and one incremental pass more: the timer comes again, whatever happened. */
const finish = (site: Site, flags: readonly string[]): void => {
  site.archiver(...flags)
  site.archiver('--incremental')
}

const undisturbed: Undisturbed[] = []
for (const scenario of SCENARIOS) {
  const site = scenario.prepare()
  const steps = stepsTaken(site, scenario.flags)
  finish(site, scenario.flags)
  undisturbed.push({ scenario, steps, outcome: await outcomeOf(site) })
  site.remove()
}

const NAMES = namesOfSteps()

describe('the durable steps', () => {
  it('have names of their own, so that a crash can be told by its place', () => {
    expect(NAMES.length).toBeGreaterThan(15)
    expect(NAMES.filter((name, i) => NAMES.indexOf(name) !== i)).toEqual([])
  })

  it('are all exercised here', () => {
    const reached = new Set(undisturbed.flatMap(({ steps }) => steps))
    expect(NAMES.filter((name) => !reached.has(name))).toEqual([])
  })

  it('are all explained', () => {
    const docs = ['ARCHITECTURE.md', 'FORMATS.md']
      .map((name) => readFileSync(`docs/${name}`, 'utf8'))
      .join('\n')
    const ours = /^(state|failure-log|recovery|replace-file|create-file|lock)/
    expect(NAMES.filter((name) => ours.test(name) && !docs.includes(name))).toEqual([])
  })
})

let crashes = 0
afterAll(() => {
  removeTemplate()
  console.log(`crash points: ${NAMES.length} names, ${crashes} crashes`)
})

const kill = (site: Site, flags: readonly string[], name: string, nth: number): boolean => {
  const killed = crashAt(site, flags, name, nth).signal === 'SIGKILL'
  if (killed) crashes++
  return killed
}

const troubleAfter = async ({ inOrder }: Scenario, site: Site): Promise<string[]> => {
  if (inOrder === 'nothing') return []
  return inOrder === 'all' ? troubleOf(site) : violationsOf(await auditOf(site))
}

describe.each(NAMES)('a crash at "%s"', (name) => {
  for (const { scenario, steps, outcome } of undisturbed) {
    const times = steps.filter((step) => step === name).length
    // Before the lock is taken the scenarios do not differ.
    if (times === 0 || (name.startsWith('lock') && scenario.inOrder !== 'all')) continue
    it(`in ${scenario.name}, once and again, loses nothing`, async () => {
      for (const nth of scenario.inOrder === 'all' ? new Set([1, times]) : [1]) {
        let site = scenario.prepare()
        let at = nth
        let isKilled = kill(site, scenario.flags, name, at)
        // A pass commits by the time that it takes: on another load its last commit is an earlier one.
        while (!isKilled && at > 1) {
          site.remove()
          site = scenario.prepare()
          isKilled = kill(site, scenario.flags, name, --at)
        }
        expect(isKilled).toBe(true)
        expect(await troubleAfter(scenario, site)).toEqual([])
        if (nth === 1 && kill(site, scenario.flags, name, 1))
          expect(await troubleAfter(scenario, site)).toEqual([])
        finish(site, scenario.flags)
        expect(await outcomeOf(site)).toEqual(outcome)
        site.remove()
      }
    })
  }
})
