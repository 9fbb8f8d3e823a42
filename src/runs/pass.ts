import { attemptedUpTo } from './attempted-up-to.ts'
import { diskTooSmall } from './disk-need.ts'
import { RunSet } from '../common/run-set.ts'
import { runsOfShare } from '../common/share.ts'
import { messageOf, messageWithCode } from '../errors.ts'
import { monotonic, now } from '../platform/host.ts'
import { type EngineOptions, runStage } from '../engine/engine.ts'
import type { Listener } from '../engine/stage.ts'
import { type Recorder, RunBacklog, type RunOutcome, runOutcome } from './run-backlog.ts'
import type { StageName } from '../common/stage-name.ts'
import type { Archiver } from './archiver.ts'
import { damagedRecords } from './report/damaged-records.ts'
import { noteDoubt, noteUpdates, resolveDoubt } from './doubtful-runs.ts'
import { rememberForeign } from './foreign-runs.ts'
import { importAgain } from './restored-database.ts'
import type { Plan } from './plan.ts'
import { type Imported, type PassRequest, planPass, stageRuns } from './plan-pass.ts'
import { type Archived, rememberImported } from './recheck.ts'
import { keepListings } from './keep-listings.ts'
import { leftRuns } from './left-runs.ts'
import { importing, migrating } from './stages.ts'

/** What a pass is given by whoever started it: a command or the daemon. */
export interface PassConditions {
  readonly stop: AbortSignal
  readonly abandon: AbortSignal
  readonly listener: Listener
  /** Throws LOCK_LOST when this process may no longer write. */
  assertHeld(): void
  warn(message: string): void
  /** A state file was damaged; it is kept under another name. */
  corrupt(file: string, kept: string): void
}

/** What became of one stage in a pass: where it could not even begin, `error` says why and nothing was changed. */
export interface StageReport {
  readonly stage: StageName
  readonly plan: Plan | undefined
  readonly outcome: RunOutcome | undefined
  readonly error: Error | undefined
  /** Ready runs that were left to later passes; undefined where the pass looked only at some, or could not look. */
  readonly left?: number | undefined
}

const TITLES: Record<StageName, string> = { import: 'Import', migrate: 'Migrate' }

/** At most so often, in milliseconds, is progress recorded. */
const CHECKPOINT_EVERY = 250

/**
 * One pass: import, then migrate, as far as they are asked for. A stage that cannot begin (its store is away) does not keep the
 * other from its work; a stop keeps the later stage from beginning. The caller holds the lock.
 */
export const runPass = async (
  archiver: Archiver,
  request: PassRequest,
  conditions: PassConditions,
): Promise<StageReport[]> => {
  const reports: StageReport[] = []
  const updated: number[] = []
  let imported: Imported | undefined
  for (const stage of request.stages) {
    if (conditions.stop.aborted) break
    const listener: Listener = (event) => {
      if (event.type === 'item-done' && event.stage === 'import' && event.processed.result === 'updated')
        updated.push(Number(event.key))
      conditions.listener(event)
    }
    const report = await archiver.threads.during(conditions.abandon, () =>
      runOne(archiver, stage, request, { ...conditions, listener }, imported),
    )
    reports.push(report)
    if (report.outcome && stage === 'import') imported = { runs: report.outcome.succeeded, updated }
  }
  await spared('listings', () => keepListings(archiver, reports, conditions.stop), conditions)
  conditions.assertHeld()
  await spared('listings', () => archiver.cache.save(), conditions)
  return reports
}

const runOne = async (
  archiver: Archiver,
  stage: StageName,
  request: PassRequest,
  conditions: PassConditions,
  imported: Imported | undefined,
): Promise<StageReport> => {
  let plan: Plan | undefined
  try {
    const memory = archiver.memory(stage, conditions)
    const remembered = await memory.load(archiver.config.app.onCorruptState, () => stageRuns(archiver, stage))
    plan = await planPass(archiver, stage, request, remembered, imported)
    await announce(archiver, stage, request, plan, conditions)
    const { lastAttemptedRun: lastAttempted } = remembered.state
    const { runs, stored, unproven } = plan
    const ours = runsOfShare(request.share, stored)
    const doubt =
      stage === 'migrate' ? await noteDoubt(archiver.inHand, plan, lastAttempted, conditions) : undefined
    if (stage === 'import') await noteUpdates(archiver.inHand, plan, conditions)
    await settle(plan, ours, memory)
    const short = await diskTooSmall(archiver, stage, runs)
    if (short !== undefined) conditions.warn(`[${TITLES[stage]}] ${short}`)
    const archived = new Map<number, Archived>()
    const came = await runStage(
      stage === 'import'
        ? importing(archiver, archived, conditions.stop)
        : migrating(archiver, request.check, conditions.stop),
      new RunBacklog({ runs, stored, ours, unproven: unproven.minus(runs), lastAttempted }, memory),
      engineOptions(archiver, plan, request, conditions),
    )
    const outcome = runOutcome(stage, runs, came)
    if (outcome.stopped !== 'lock-lost') {
      if (doubt)
        await spared(
          'runs in hand',
          () => resolveDoubt(archiver.inHand, doubt, outcome.attempted, conditions),
          conditions,
        )
      if (stage === 'import')
        await spared(
          'records that are looked at again',
          () => rememberImported(archiver, archived, outcome.succeeded, now()),
          conditions,
        )
    }
    const left = leftRuns(request, plan, outcome.pending)
    return { stage, plan, outcome, error: outcome.error, left }
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    conditions.warn(`[${TITLES[stage]}] not started: ${messageWithCode(error)}`)
    return { stage, plan, outcome: undefined, error, left: plan && leftRuns(request, plan, plan.runs) }
  }
}

/** What is known before the first run is taken: warnings, notes for the next pass, and the event `listed`. */
const announce = async (
  archiver: Archiver,
  stage: StageName,
  { mode, only }: PassRequest,
  { foreign, restored, runs, stored, waiting }: Plan,
  conditions: PassConditions,
): Promise<void> => {
  for (const warning of damagedRecords(waiting)) conditions.warn(warning)
  await spared('runs to import again', () => importAgain(archiver, restored, conditions), conditions)
  if (foreign) await spared('compared runs', () => rememberForeign(archiver, foreign), conditions)
  const skipped = mode === 'full' ? (only?.intersect(stored) ?? stored) : RunSet.EMPTY
  const isStored = (key: string): boolean => stored.has(Number(key))
  conditions.listener({ type: 'listed', stage, isStored, already: skipped.minus(runs) })
}

const engineOptions = (
  { config: { app } }: Archiver,
  { waiting }: Plan,
  { mode, checkpointEvery }: PassRequest,
  { stop, abandon, listener }: PassConditions,
): EngineOptions => ({
  waiting: waiting.size,
  mode,
  workers: app.parallelWorkers,
  attempts: app.runProcessRetries + 1,
  retryDelay: app.retryDelaySeconds * 1000,
  stop,
  abandon,
  listener,
  monotonic,
  random: Math.random,
  checkpointEvery: checkpointEvery ?? CHECKPOINT_EVERY,
})

/** Keeps a cache for the next pass, which can do without: what the runs came to does not depend on it. */
const spared = async (what: string, keep: () => Promise<void>, conditions: PassConditions): Promise<void> => {
  try {
    await keep()
  } catch (error) {
    conditions.warn(`the ${what} could not be kept for the next pass: ${messageOf(error)}`)
  }
}

/** Before the first run: reads the two numbers off the destination. */
const settle = async ({ runs, unproven, stored }: Plan, ours: RunSet, recorder: Recorder): Promise<void> =>
  recorder.checkpoint({
    failed: RunSet.EMPTY,
    resolved: RunSet.EMPTY,
    // What is stored was attempted, though a crash may have kept it from being recorded; but never past a run of this pass.
    attemptedUpTo: attemptedUpTo(0, [], ours, runs.union(unproven).take(1)),
    lastContiguous: stored.lastContiguous,
  })
