import type { StageName } from '../../common/stage-name.ts'
import type { Backlog } from '../../engine/backlog.ts'
import { runStage } from '../../engine/engine.ts'
import type { Stage } from '../../engine/stage.ts'
import { ArchiverError } from '../../errors.ts'
import { importing, migrating } from '../stages.ts'
import { Leader } from './leader.ts'
import { pause } from '../../engine/pause.ts'
import type { WorkerParts } from './worker-parts.ts'

/** What one worker did. */
export interface WorkerTotals {
  /** Items that were done, in whatever stage. */
  done: number
  /** Runs that reached the last stage. */
  archived: number
  failed: number
  /** The same by stage. */
  readonly byStage: Record<StageName, { done: number; failed: number }>
  lost: number
  /** Archived runs in which damage was found that was not known. */
  damaged: number
  /** A bug, or a store that was away at the end. */
  error: Error | undefined
}

/** A backlog that does not answer for so long ends the worker, in milliseconds: systemd starts it again. */
const AWAY = 600_000

/** After a destination was away, nobody asks it for so long, in milliseconds. */
const BLOCK = 10_000

/**
 * Works on a shared backlog until a signal, or until it is empty. One of the workers leads: it scans the source and writes the state
 * files. Killed at any moment, the others take over what this one had in hand; the destinations take the same content twice without harm.
 */
export const work = async (parts: WorkerParts): Promise<WorkerTotals> => {
  const { store, stages, conditions, untilEmpty } = parts
  const { stop } = conditions
  const totals: WorkerTotals = {
    done: 0,
    archived: 0,
    failed: 0,
    byStage: noneByStage(),
    lost: 0,
    damaged: 0,
    error: undefined,
  }
  const damaged = (found: ReadonlyMap<number, string>): void => {
    totals.damaged += found.size
    conditions.damaged(found)
  }
  const leader = new Leader({ ...parts, conditions: { ...conditions, damaged } })
  const ticker = everyWhile(parts.reapEvery, async () => {
    await store.reap()
    await leader.keepUp()
  })
  try {
    let emptySince: number | undefined
    let away: ArchiverError | undefined
    // A signal, or an empty backlog, ends it.
    while (!stop.aborted) {
      if (!(await answers(parts))) break
      try {
        await leader.scanWhenDue()
        const before = totals.done + totals.failed + totals.lost
        for (const stage of stages) await workOn(parts, stage, totals)
        // It answers again, and what was in hand is done or handed out anew.
        if (totals.error === away) totals.error = undefined
        if (totals.done + totals.failed + totals.lost > before) continue
        const isEmpty = untilEmpty && (await leader.isEmpty())
        emptySince = isEmpty ? (emptySince ?? (await store.now())) : undefined
        if (emptySince !== undefined && (await leader.isFinal(emptySince))) {
          await leader.scrub()
          break
        }
        if (!untilEmpty) await leader.scrubWhenDue()
      } catch (error) {
        // The backlog went away in between: what was in hand is handed out again.
        if (!(error instanceof ArchiverError && error.code === 'QUEUE_UNAVAILABLE')) throw error
        totals.error = away = error
      }
      await pause(parts.pollEvery, stop)
    }
    await leader.finish()
    return totals
  } finally {
    clearInterval(ticker)
  }
}

/** Calls `job` again and again, never twice at once. What goes wrong comes up in the work itself. */
const everyWhile = (milliseconds: number, job: () => Promise<void>): NodeJS.Timeout => {
  let isBusy = false
  return setInterval(() => {
    if (isBusy) return
    isBusy = true
    job()
      .catch(() => undefined)
      .finally(() => (isBusy = false))
  }, milliseconds)
}

/** Waits until the backlog answers; what is in hand by then is another's, perhaps. False after a signal. Throws after `AWAY`. */
const answers = async ({ store, conditions, monotonic, pollEvery }: WorkerParts): Promise<boolean> => {
  const since = monotonic()
  for (let tries = 0; !conditions.stop.aborted; tries++)
    try {
      await store.reap()
      return true
    } catch (error) {
      if (!(error instanceof ArchiverError) || !error.retry || monotonic() - since > AWAY) throw error
      if (tries === 0) conditions.warn(`${error.message}; trying again for ${AWAY / 60_000} minutes`)
      await pause(Math.min(pollEvery * 2 ** tries, 10_000), conditions.stop)
    }
  return false
}

/** The index of artdaqDB has one committer at a time, on whatever machine; its documents are written by all. */
const stageOf = ({ archiver, store }: WorkerParts, stage: StageName): Stage<number> => {
  if (stage === 'migrate') return migrating(archiver, undefined)
  const one = importing(archiver, new Map())
  return { ...one, commit: () => store.exclusively('artdaqdb index', async () => one.commit?.()) }
}

const noneByStage = () => ({ import: { done: 0, failed: 0 }, migrate: { done: 0, failed: 0 } })

const workOn = async (parts: WorkerParts, stage: StageName, totals: WorkerTotals): Promise<void> => {
  const { archiver, store, stages, conditions, backlogOf, monotonic, random } = parts
  const { app } = archiver.config
  // A pass over nothing would fill the log of an idle worker.
  if (!(await store.counts()).some((one) => one.stage === stage && one.pending > 0)) return
  const next = stage === 'import' ? 'migrate' : undefined
  const until = monotonic() + parts.roundFor
  const all = backlogOf(stage, next)
  const backlog: Backlog<number> = {
    total: all.total,
    ahead: all.ahead,
    next: (most) => (monotonic() < until ? all.next(most) : Promise.resolve([])),
    settle: (results) => all.settle(results),
    later: (claim, reason) => all.later(claim, reason),
    release: (claims) => all.release(claims),
  }
  const outcome = await archiver.threads.during(conditions.abandon, () =>
    runStage(stageOf(parts, stage), backlog, {
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
  totals.byStage[stage].done += outcome.succeeded.length
  totals.byStage[stage].failed += outcome.failed.size
  totals.lost += outcome.lost
  totals.error = outcome.error
  if (outcome.error instanceof ArchiverError && outcome.error.code.startsWith('QUEUE_')) throw outcome.error
  if (outcome.stopped === 'unavailable' && outcome.error instanceof ArchiverError) {
    conditions.warn(`${stage}: ${outcome.error.message}; nobody takes runs for ${BLOCK / 1000} s`)
    await store.block(stage, outcome.error.message, BLOCK)
  } else if (outcome.error && !(outcome.error instanceof ArchiverError)) throw outcome.error
}
