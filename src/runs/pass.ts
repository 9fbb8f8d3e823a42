import { attemptedUpTo } from './attempted-up-to.ts'
import { passLimit, type PassMode } from './candidates.ts'
import { diskTooSmall } from './disk-need.ts'
import type { Listing, SourceListing } from '../stores/store.ts'
import { passListing } from './listing-cache.ts'
import type { StageRuns } from '../state/rebuild-state.ts'
import { RunSet } from '../common/run-set.ts'
import { runsOfShare, type Share } from '../common/share.ts'
import { messageOf, messageWithCode } from '../errors.ts'
import { monotonic, now } from '../platform/host.ts'
import { runStage } from '../engine/engine.ts'
import type { BlobCheck } from './migrate-stage.ts'
import type { Listener } from '../engine/stage.ts'
import { type Recorder, RunBacklog, type RunOutcome, runOutcome } from './run-backlog.ts'
import type { StageName } from '../common/stage-name.ts'
import type { Remembered } from '../state/stage-state.ts'
import type { Watched } from '../state/recheck-list.ts'
import type { Archiver } from './archiver.ts'
import { damagedRecords } from './report/damaged-records.ts'
import { noteDoubt, resolveDoubt } from './doubtful-runs.ts'
import { lookAtForeign, NOT_LOOKED, rememberForeign } from './foreign-runs.ts'
import { importAgain, restoredRuns } from './restored-database.ts'
import { type Plan, planImport, planMigrate } from './plan.ts'
import { type Archived, rememberImported } from './recheck.ts'
import { importing, migrating } from './stages.ts'
import { withUnlisted } from './unlisted-blobs.ts'

export interface PassRequest {
  readonly mode: PassMode
  readonly stages: readonly StageName[]
  readonly only?: RunSet | undefined
  /** `--limit`; without it `app.batch_size` decides. */
  readonly limit?: number | undefined
  /** `--instance-id` and `--instance-count`. */
  readonly share?: Share | undefined
  /** `--override-conflict`. */
  readonly override?: number | undefined
  /** Whether records that are archived are looked at again, as they are unless this is false. */
  readonly recheck?: boolean
  /** `--validate`. */
  readonly check?: BlobCheck | undefined
  /** Milliseconds between two records of progress, at least; 250 unless set. */
  readonly checkpointEvery?: number
}

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
}

const TITLES: Record<StageName, string> = { import: 'Import', migrate: 'Migrate' }

/** At most so often, in milliseconds, is progress recorded. */
const CHECKPOINT_EVERY = 250

/** What one stage of a pass would do, from the stores and from what is remembered. Reads only. */
export const planPass = async (
  archiver: Archiver,
  stage: StageName,
  request: PassRequest,
  { state, failed, isFirst }: Remembered,
  imported?: Imported,
): Promise<Plan> => {
  const { cache, records, artdaq, archive, config } = archiver
  const limit = passLimit(request.mode, config.app.batchSize, request.limit)
  const { mode, only, override, share } = request
  const inHand = await archiver.inHand.read()
  const wanted = { mode, limit, only, state, failed, isFirst, inHand, override, share }
  const held = withImported(await cache.list<Listing>('artdaq', passListing(artdaq)), imported)
  if (stage === 'migrate') {
    const blobs = await cache.list<Listing>('archive', archive)
    const plan = await planMigrate(held, blobs, { ...wanted, updated: imported?.updated }, archive)
    return { ...plan, restored: await restoredRuns(archiver, held, blobs) }
  }
  const source = await cache.list<SourceListing>('run-records', records)
  if (request.recheck === false) return planImport(records, source, held, NONE, NOT_LOOKED, wanted)
  const watched = (await archiver.watch.read()) ?? NONE
  const foreign = await lookAtForeign(archiver, source, held, wanted)
  return planImport(records, source, held, watched, foreign, wanted)
}

const NONE: ReadonlyMap<number, Watched> = new Map()

/** What the import of this very pass has added to artdaqDB: so that migration need not list it again. */
interface Imported {
  readonly runs: RunSet
  readonly updated: readonly number[]
}

const withImported = (listing: Listing, imported: Imported | undefined): Listing => {
  if (!imported) return listing
  const updates = new Map(listing.updates)
  for (const run of imported.updated) updates.set(run, (updates.get(run) ?? 0) + 1)
  return { ...listing, runs: listing.runs.union(imported.runs), updates }
}

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
    const { foreign, restored } = plan
    for (const warning of damagedRecords(plan.waiting)) conditions.warn(warning)
    await spared('runs to import again', () => importAgain(archiver, restored, conditions), conditions)
    if (foreign) await spared('compared runs', () => rememberForeign(archiver, foreign), conditions)
    const { lastAttemptedRun } = remembered.state
    const { stored } = plan
    const skipped = request.mode === 'full' ? (request.only?.intersect(stored) ?? stored) : RunSet.EMPTY
    const isStored = (key: string): boolean => stored.has(Number(key))
    conditions.listener({ type: 'listed', stage, isStored, already: skipped.minus(plan.runs) })
    const ours = runsOfShare(request.share, plan.stored)
    const doubt =
      stage === 'migrate' ? await noteDoubt(archiver.inHand, plan, lastAttemptedRun, conditions) : undefined
    await settle(plan, ours, memory)
    const short = await diskTooSmall(archiver, stage, plan.runs)
    if (short !== undefined) conditions.warn(`[${TITLES[stage]}] ${short}`)
    const archived = new Map<number, Archived>()
    const came = await runStage(
      stage === 'import'
        ? importing(archiver, archived, conditions.stop)
        : migrating(archiver, request.check, conditions.stop),
      new RunBacklog(
        {
          runs: plan.runs,
          stored: plan.stored,
          ours,
          unproven: plan.unproven.minus(plan.runs),
          lastAttempted: lastAttemptedRun,
        },
        memory,
      ),
      {
        waiting: plan.waiting.size,
        mode: request.mode,
        workers: archiver.config.app.parallelWorkers,
        attempts: archiver.config.app.runProcessRetries + 1,
        retryDelay: archiver.config.app.retryDelaySeconds * 1000,
        stop: conditions.stop,
        abandon: conditions.abandon,
        listener: conditions.listener,
        monotonic,
        random: Math.random,
        checkpointEvery: request.checkpointEvery ?? CHECKPOINT_EVERY,
      },
    )
    const outcome = runOutcome(stage, plan.runs, came)
    if (doubt && outcome.stopped !== 'lock-lost')
      await spared(
        'runs in hand',
        () => resolveDoubt(archiver.inHand, doubt, outcome.attempted, conditions),
        conditions,
      )
    if (stage === 'import' && outcome.stopped !== 'lock-lost')
      await spared(
        'records that are looked at again',
        () => rememberImported(archiver, archived, outcome.succeeded, now()),
        conditions,
      )
    return { stage, plan, outcome, error: outcome.error }
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    conditions.warn(`[${TITLES[stage]}] not started: ${messageWithCode(error)}`)
    return { stage, plan, outcome: undefined, error }
  }
}

/** Keeps a cache for the next pass, which can do without: what the runs came to does not depend on it. */
const spared = async (what: string, keep: () => Promise<void>, conditions: PassConditions): Promise<void> => {
  try {
    await keep()
  } catch (error) {
    conditions.warn(`the ${what} could not be kept for the next pass: ${messageOf(error)}`)
  }
}

/** Source and destination of a stage, as far as a damaged state is rebuilt from them. */
export const stageRuns = async (
  { cache, records, artdaq, archive }: Archiver,
  stage: StageName,
): Promise<StageRuns> => {
  const held = await cache.list<Listing>('artdaq', passListing(artdaq))
  if (stage === 'migrate') {
    const listed = await cache.list<Listing>('archive', archive)
    return { source: held.runs, stored: (await withUnlisted(archive, held, listed)).runs }
  }
  return { source: (await cache.list<SourceListing>('run-records', records)).runs, stored: held.runs }
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
