import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { audit } from '../../src/commands/audit.ts'
import { RunSet } from '../../src/common/run-set.ts'
import { StageMemory } from '../../src/state/stage-state.ts'
import { contextOf } from '../context.ts'
import type { Result, Site } from '../site.ts'

/** Loaded before the program: kills it at a step, or writes down the steps that it takes. */
export const HOOK = pathToFileURL('test/crash/hook.mjs').href

/** The names of all durable steps, collected from the source: `step('...')`. */
export const namesOfSteps = (): string[] =>
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...readFileSync(join('src', name), 'utf8').matchAll(/\bstep\('([^']+)'\)/g)])
    .map(([, name]) => name!)
    .filter((name) => !name.startsWith('rows-')) // no pass moves rows: test/rows
    .filter((name) => !name.startsWith('artdaq-move')) // no pass moves runs: test/stores/artdaqdb/move-runs.faults.test.ts
    .sort()

/** Runs the built program and kills it when it reaches a step for the n-th time; `signal` of the result tells whether it did. */
export const crashAt = (site: Site, words: readonly string[], name: string, nth: number): Result =>
  site.program([site.config, ...words], { NODE_OPTIONS: `--import=${HOOK}`, CRASH_AT: `${name}#${nth}` })

/** Runs the built program and kills it so many milliseconds after its n-th durable step; 0: after its start. */
export const killAfter = (
  site: Site,
  words: readonly string[],
  steps: number,
  milliseconds: number,
): Result =>
  site.program([site.config, ...words], {
    NODE_OPTIONS: `--import=${HOOK}`,
    KILL_AFTER: `${steps}#${milliseconds}`,
  })

/** The steps that an undisturbed run takes, in order. */
export const stepsTaken = (site: Site, words: readonly string[]): string[] => {
  const list = site.path('steps')
  site.program([site.config, ...words], { NODE_OPTIONS: `--import=${HOOK}`, STEPS_TO: list })
  const steps = readFileSync(list, 'utf8').trim().split('\n')
  rmSync(list)
  return steps
}

interface StageAudit {
  readonly stage: 'import' | 'migrate'
  readonly archived: string
  readonly failed: string
  readonly pending: string
  readonly stale: string
  readonly violations: readonly object[]
}

interface Audited {
  readonly status: number
  readonly stages: readonly StageAudit[]
  readonly text: string
}

/** `audit --deep`, called as the program calls it: what the invariant says of the site. Every fault test ends with it. */
export const auditOf = async (site: Site): Promise<Audited> => {
  let text = ''
  const status = await audit(
    { config: site.config, deep: true, json: true },
    contextOf({ out: (output) => (text += output) }),
  )
  return { status, stages: (JSON.parse(text) as { stages: StageAudit[] }).stages, text }
}

const parse = (runs: string): RunSet => (runs === '' ? RunSet.EMPTY : RunSet.parse(runs))

/**
 * What is wrong with a site after a crash, one sentence each: the audit finds a violation; a state file or failure log cannot be read;
 * state says that more is archived than is; or `last_attempted_run` has passed a run that is neither archived nor in the log.
 */
export const troubleOf = async (site: Site, given?: Audited): Promise<string[]> => {
  const audited = given ?? (await auditOf(site))
  return [...violationsOf(audited), ...(await memoryTroubleOf(site, audited))]
}

/** What the audit alone finds: for a site whose state was wrong to begin with. */
export const violationsOf = ({ status, text }: Audited): string[] =>
  status === 0 ? [] : [`audit ended with ${status}: ${text}`]

const memoryTroubleOf = async (site: Site, { stages }: Audited): Promise<string[]> => {
  const trouble: string[] = []
  for (const { stage, archived, failed, pending, stale } of stages) {
    const memory = new StageMemory({
      stage,
      stateFile: site.path('work', stage === 'import' ? 'importer_state.json' : 'migrator_state.json'),
      failureLog: site.path('work', `${stage}_failures.log`),
      now: () => 0,
      warn: () => undefined,
      assertHeld: () => undefined,
    })
    try {
      const { state } = await memory.peek()
      const lines = await memory.failureLog.read()
      if (!lines.tidy) trouble.push(`${stage}: the failure log is not as we write it`)
      const passed = parse(pending).upTo(state.lastAttemptedRun)
      if (!passed.isEmpty)
        trouble.push(`${stage}: last_attempted_run passed ${passed.toString()}, which are pending`)
      const contiguous = parse(archived).lastContiguous
      if (state.lastContiguousRun > contiguous)
        trouble.push(`${stage}: last_contiguous_run ${state.lastContiguousRun}, archived up to ${contiguous}`)
      if (!lines.runs.equals(parse(failed).union(parse(stale))))
        trouble.push(`${stage}: the audit read another log`)
    } catch (error) {
      trouble.push(`${stage}: ${String(error)}`)
    }
  }
  return trouble
}
