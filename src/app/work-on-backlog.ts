import type { StageName } from '../common/stage-name.ts'
import { overloadedHosts } from '../engine/backlog-overview.ts'
import type { ClaimStore } from '../engine/claim-store.ts'
import type { Listener } from '../engine/stage.ts'
import { identity, monotonic } from '../platform/host.ts'
import { QueueBacklog } from '../queue/queue-backlog.ts'
import type { Archiver } from '../runs/archiver.ts'
import { work, type WorkerTotals } from '../runs/cluster/worker.ts'
import type { Context } from './context.ts'
import { openQueue } from './open-queue.ts'
import { withSession } from './session.ts'

/** Milliseconds between two looks for work, and for workers that died. */
const POLL = 500
const REAP = 300

/** Milliseconds. New runs, which come first, wait for it while a stage has more to do. */
const ROUND = 60_000

/** Milliseconds between two reports of what this instance counted. */
const COUNTED = 2000

/** How long a record that was not ready is left alone, in milliseconds. */
const NOT_READY = 30_000

export interface BacklogRound {
  /** As it stands in the ledger: `worker`, `incremental`. */
  readonly mode: string
  readonly stages: readonly StageName[]
  /** Ends when nothing is left to do, instead of waiting for more. */
  readonly untilEmpty: boolean
  readonly verbose: boolean
  /** Hears every event, beside the session's own listeners. */
  readonly listener?: Listener
  /** Done before the first claim, such as opening failed runs again. */
  readonly before?: (store: ClaimStore) => Promise<void>
}

/**
 * Works on the backlog of `queue.url` as one instance of many, in a session of its own: the work_dir's lock is held together with other
 * workers. `end` makes the exit code of what was done. Throws QUEUE_UNAVAILABLE, LOCK_HELD.
 */
export const workOnBacklog = async (
  archiver: Archiver,
  { mode, stages, untilEmpty, verbose, listener, before }: BacklogRound,
  context: Context,
  end: (totals: WorkerTotals) => number,
): Promise<number> => {
  const { app, queue, daemon } = archiver.config
  // Plain lines: several workers share a terminal.
  const session = { mode, shared: true, waitSeconds: app.waitSeconds, verbose, json: true }
  return withSession(archiver, session, context, async (conditions) => {
    const store = await openQueue(queue, app.workDir, 'works', app.parallelWorkers)
    const counted = setInterval(() => conditions.counted(store.tally), COUNTED)
    try {
      await before?.(store)
      const here = identity().host
      for (const text of overloadedHosts((await store.instances()).filter(({ host }) => host === here)))
        conditions.warn(text)
      const totals = await work({
        archiver,
        store,
        stages,
        conditions: {
          ...conditions,
          listener: (event) => {
            conditions.listener(event)
            listener?.(event)
          },
        },
        backlogOf: (stage, nextStage) =>
          new QueueBacklog<number>(store, {
            stage,
            itemOf: Number,
            ...(nextStage === undefined ? {} : { nextStage }),
            lease: queue.leaseSeconds * 1000,
            laterAfter: NOT_READY,
            monotonic,
          }),
        untilEmpty,
        scanEvery: daemon.scanSeconds * 1000,
        pollEvery: POLL,
        reapEvery: REAP,
        roundFor: ROUND,
        monotonic,
        random: Math.random,
      })
      return end(totals)
    } finally {
      clearInterval(counted)
      conditions.counted(store.tally)
      await store.close()
    }
  })
}
