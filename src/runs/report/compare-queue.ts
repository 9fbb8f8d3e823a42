import { RunSet } from '../../common/run-set.ts'
import type { StageName } from '../../common/stage-name.ts'
import type { ClaimStore, ItemStatus } from '../../engine/claim-store.ts'
import type { Discrepancy } from './compare-state.ts'

/** A stage as the shared backlog has it. */
export interface QueuedStage extends Readonly<Record<ItemStatus, RunSet>> {
  /** Nothing at or below is pending or claimed. */
  readonly attemptedUpTo: number
  readonly paused: boolean
  /** A destination is away, and nothing is handed out for a while. */
  readonly blockedReason: string | undefined
}

/** The shared backlog at one moment. */
export interface QueueFacts extends Readonly<Record<StageName, QueuedStage>> {
  /** Where it is, passwords taken out. */
  readonly place: string
  /** Instances that work on it now. While there are any, the state files lag behind by seconds. */
  readonly running: number
}

/** Reads the backlog of `place` for the report. Runs are read as ranges: a million of them cost no memory. */
export const readQueue = async (store: ClaimStore, place: string): Promise<QueueFacts> => {
  const counts = await store.counts()
  const stageOf = async (stage: StageName): Promise<QueuedStage> => {
    const runs = async (status: ItemStatus) => RunSet.ofRanges(await store.ranges(stage, status))
    const count = counts.find((one) => one.stage === stage)
    return {
      pending: await runs('pending'),
      claimed: await runs('claimed'),
      done: await runs('done'),
      failed: await runs('failed'),
      attemptedUpTo: await store.attemptedUpTo(stage),
      paused: count?.paused ?? false,
      blockedReason: count?.blockedReason,
    }
  }
  const running = (await store.instances()).filter(({ status }) => status === 'running').length
  return { place, running, import: await stageOf('import'), migrate: await stageOf('migrate') }
}

/** A stage's files and stores, read after the backlog. */
export interface BesideQueue {
  readonly source: RunSet
  readonly stored: RunSet
  readonly failureLog: RunSet
  /** No scan adds them before they are. */
  readonly notReady: RunSet
  readonly lastAttemptedRun: number
}

/** The backlog of a stage held against its files and its stores. */
export interface QueueComparison {
  readonly queued: QueuedStage
  /** Done in the backlog, and not at the destination. */
  readonly unstored: RunSet
  /** Failed in the backlog, and not in the failure log. */
  readonly unlogged: RunSet
  /** In the failure log, and neither failed nor open in the backlog. */
  readonly unqueued: RunSet
  /** At the destination, and still open in the backlog: its worker died before it could say so. */
  readonly unsettled: RunSet
  /** To be done, and not in the backlog: the next scan adds it. */
  readonly unknown: RunSet
}

export const compareQueue = (
  queued: QueuedStage,
  { source, stored, failureLog, notReady }: BesideQueue,
): QueueComparison => {
  const { pending, claimed, done, failed } = queued
  const open = pending.union(claimed)
  return {
    queued,
    unstored: done.minus(stored),
    unlogged: failed.minus(failureLog),
    unqueued: failureLog.minus(failed).minus(open),
    unsettled: open.intersect(stored),
    unknown: [stored, open, done, failed, failureLog, notReady].reduce(
      (left, runs) => left.minus(runs),
      source,
    ),
  }
}

const DESTINATIONS = { import: 'artdaqDB', migrate: 'UconDB' } as const

/** What is amiss between the backlog, the files and the stores. While instances work, what they write in a moment is not. */
export const queueDiscrepancies = (
  stage: StageName,
  { queued, unstored, unlogged, unqueued }: QueueComparison,
  { lastAttemptedRun }: BesideQueue,
  { running, config }: { readonly running: number; readonly config: string },
): readonly Discrepancy[] => {
  const command = `run-archiver worker --until-empty --config ${config}`
  const about = (runs: RunSet, text: string): Discrepancy[] =>
    runs.isEmpty ? [] : [{ text: `${runs.size} run(s) ${text} (${runs.take(20).toString()})`, command }]
  return [
    ...about(unstored, `are done in the ${stage} queue and not in ${DESTINATIONS[stage]}`),
    ...(running > 0
      ? []
      : [
          ...about(unlogged, `failed in the ${stage} queue and are not in the ${stage} failure log`),
          ...about(unqueued, `are in the ${stage} failure log, and the ${stage} queue does not say so`),
          ...(lastAttemptedRun >= queued.attemptedUpTo
            ? []
            : [
                {
                  text: `${stage} state says last attempted run ${lastAttemptedRun}, the queue says ${queued.attemptedUpTo}`,
                  command,
                },
              ]),
        ]),
  ]
}
