import { existsSync, readFileSync, rmSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { functions } from '../damage/commands.ts'
import { Site } from '../site.ts'
import { copyOf, pointsOf, siteLike } from './copied-site.ts'
import { crashAt } from './harness.ts'

/** As long as a timer would need at most to make good what a kill left. */
const PASSES = 3
const RUN = 3
const BLOB = 'archive/run_records/configuration/0-999/3-update-1.txt'

/** Run 3 is archived, and again when its record has changed; then artdaqDB is as it was before that. `since`: its record has changed once more. */
const restored = async (since?: string): Promise<Site> => {
  const site = new Site()
  const pass = (): Promise<number> => functions(site).pass(true)
  for (const run of [1, RUN]) site.record(run)
  await pass()
  copyOf(site.path('db'), site.path('yesterday'))
  site.record(RUN, { files: { 'late.txt': 'later\n' }, ageSeconds: 1800 })
  await pass()
  rmSync(site.path('db'), { recursive: true })
  copyOf(site.path('yesterday'), site.path('db'))
  if (since !== undefined) site.record(RUN, { files: { 'late.txt': since }, ageSeconds: 900 })
  return site
}

/** The same after the pass that warns, and marks the run to be imported again. */
const marked = async (): Promise<Site> => {
  const site = await restored()
  await functions(site).pass(true)
  return site
}

const templates: Site[] = []
afterAll(() => templates.forEach((site) => site.remove()))

/** What both places give of the late file. */
const lateOf = async (site: Site): Promise<Record<string, string>> => {
  const given: Record<string, string> = {}
  for (const from of ['artdaq', 'archive'] as const) {
    const to = site.path('out')
    rmSync(to, { recursive: true, force: true })
    const code = await functions(site).read(RUN, from, to)
    const late = `${to}/late.txt`
    given[from] = code !== 0 ? 'refused' : existsSync(late) ? readFileSync(late, 'utf8') : 'without it'
  }
  return given
}

/** A copy of the site after a pass that was killed there and the passes after it. The blob of the run must be what it was. */
const afterKill = async (template: Site, name: string, nth: number): Promise<Site> => {
  const site = siteLike(template)
  const blob = readFileSync(site.path(BLOB))
  expect(crashAt(site, ['--incremental'], name, nth).signal).toBe('SIGKILL')
  for (let n = 0; n < PASSES; n++) await functions(site).pass(true)
  expect(readFileSync(site.path(BLOB)).equals(blob)).toBe(true)
  return site
}

const SITUATIONS = [
  { pass: 'the pass that marks it', prepare: () => restored() },
  { pass: 'the pass that imports it again', prepare: marked },
]

for (const { pass, prepare } of SITUATIONS) {
  const template = await prepare()
  templates.push(template)
  describe(`a run of a restored artdaqDB, where ${pass} is killed`, () => {
    it.each(pointsOf(template, ['--incremental']))(
      'at "%s" (%i), has its late file in both places in the end',
      async (name, nth) => {
        const site = await afterKill(template, name, nth)
        expect(await lateOf(site)).toEqual({ artdaq: 'later\n', archive: 'later\n' })
        expect(await functions(site).checks()).toEqual([0, 0, 0])
        expect(site.archived()).toEqual(['1', '3', '3-update-1'])
        site.remove()
      },
    )
  })
}

const changed = await restored('much later\n')
templates.push(changed)
describe('a run of a restored artdaqDB whose record is another by now, where the pass that imports it is killed', () => {
  it.each(pointsOf(changed, ['--incremental']))(
    'at "%s" (%i), is never called archived',
    async (name, nth) => {
      const site = await afterKill(changed, name, nth)
      expect(site.failures('migrate')).toBe(`${RUN}\n`)
      expect(await lateOf(site)).toMatchObject({ archive: 'later\n' })
      expect((await functions(site).checks()).some((code) => code !== 0)).toBe(true)
      site.remove()
    },
  )
})
