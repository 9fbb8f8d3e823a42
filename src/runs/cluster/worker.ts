import type { StageName } from '../../common/stage-name.ts'
import type { Backlog } from '../../engine/backlog.ts'
import type { ClaimStore } from '../../engine/claim-store.ts'
import { runStage } from '../../engine/engine.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import type { Archiver } from '../archiver.ts'
import { importing, migrating, type PassConditions } from '../pass.ts'
import { Scanner } from './scan.ts'

export interface WorkerParts {
  readonly archiver: Archiver
  readonly store: ClaimStore
  readonly stages: readonly StageName[]
  readonly conditions: PassConditions
  /** The backlog of a stage, on the store; what is done enters `nextStage`. */
  readonly backlogOf: (stage: StageName, nextStage: StageName | undefined) => Backlog<number>
  /** Ends when there is nothing left to do, instead of waiting for more. */
  readonly untilEmpty: boolean
  /** Milliseconds. */
  readonly scanEvery: number
  readonly pollEvery: number
  readonly reapEvery: number
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  readonly random: () => number
}

/** What one worker did. */
export interface WorkerTotals {
  /** Items that were done, in whatever stage. */
  done: number
  /** Runs that reached the last stage. */
  archived: number
  failed: number
  lost: number
  /** A bug, or a store that was away at the end. */
  error: Error | undefined
}

/** After a destination was away, nobody asks it for so long, in milliseconds. */
const BLOCK = 10_000

/**
 * Works on a shared backlog until a signal, or until it is empty. One of the workers leads: it scans the source and writes the state
 * files. Killed at any moment, the others take over what this one had in hand; the destinations take the same content twice without harm.
 */
export const work = async (parts: WorkerParts): Promise<WorkerTotals> => {
  const { archiver, store, stages, conditions, monotonic, untilEmpty } = parts
  const { stop } = conditions
  const totals: WorkerTotals = { done: 0, archived: 0, failed: 0, lost: 0, error: undefined }
  const scanner = new Scanner(archiver, store, stages, conditions)
  let scannedAt = -Infinity
  const reaper = setInterval(() => {
    store
      .reap()
      .catch((error: unknown) => conditions.warn(`cannot look for dead workers: ${messageOf(error)}`))
  }, parts.reapEvery)
  const asLeader = async (job: () => Promise<void>): Promise<boolean> => {
    try {
      if (!(await store.lead())) return false
      await job()
      return true
    } catch (error) {
      if (!(error instanceof ArchiverError)) throw error
      conditions.warn(`cannot scan: ${error.message}`)
      return false
    }
  }
  try {
    // A signal, or an empty backlog, ends it.
    while (!stop.aborted) {
      await store.reap()
      if (monotonic() - scannedAt >= parts.scanEvery)
        await asLeader(async () => {
          await scanner.scan()
          scannedAt = monotonic()
        })
      const before = totals.done + totals.failed + totals.lost
      for (const stage of stages) await workOn(parts, stage, totals)
      if (store.isLeading) await asLeader(() => scanner.project())
      if (totals.done + totals.failed + totals.lost > before) continue
      const counts = await store.counts()
      const isEmpty = counts.every(({ pending, claimed }) => pending + claimed === 0)
      if (untilEmpty && isEmpty) {
        let added = 1
        const led = await asLeader(async () => {
          added = await scanner.scan()
          scannedAt = monotonic()
        })
        if (led && added === 0) break
      }
      await pause(parts.pollEvery, stop)
    }
    if (store.isLeading) await asLeader(() => scanner.project())
    return totals
  } finally {
    clearInterval(reaper)
  }
}

const workOn = async (
  { archiver, store, stages, conditions, backlogOf, monotonic, random }: WorkerParts,
  stage: StageName,
  totals: WorkerTotals,
): Promise<void> => {
  const { app } = archiver.config
  // A pass over nothing would fill the log of an idle worker.
  if (!(await store.counts()).some((one) => one.stage === stage && one.pending > 0)) return
  const next = stage === 'import' && stages.includes('migrate') ? 'migrate' : undefined
  const backlog = backlogOf(stage, next)
  const outcome = await archiver.threads.during(conditions.abandon, () =>
    runStage(stage === 'import' ? importing(archiver, new Map()) : migrating(archiver, undefined), backlog, {
      mode: 'worker',
      waiting: 0,
      workers: app.parallelWorkers,
      attempts: app.runProcessRetries + 1,
      retryDelay: app.retryDelaySeconds * 1000,
      stop: conditions.stop,
      abandon: conditions.abandon,
      listener: conditions.listener,
      monotonic,
      random,
      checkpointEvery: 250,
    }),
  )
  totals.done += outcome.succeeded.length
  if (stage === stages.at(-1)) totals.archived += outcome.succeeded.length
  totals.failed += outcome.failed.size
  totals.lost += outcome.lost
  totals.error = outcome.error
  if (outcome.stopped === 'unavailable' && outcome.error instanceof ArchiverError) {
    conditions.warn(`${stage}: ${outcome.error.message}; nobody takes runs for ${BLOCK / 1000} s`)
    await store.block(stage, outcome.error.message, BLOCK)
  } else if (outcome.error && !(outcome.error instanceof ArchiverError)) throw outcome.error
}

const pause = (milliseconds: number, stop: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer)
      stop.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, milliseconds)
    stop.addEventListener('abort', finish)
    if (stop.aborted) finish()
  })
