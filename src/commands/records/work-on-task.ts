import { dirname, join } from 'node:path'
import { openQueue } from '../../app/open-queue.ts'
import type { Context } from '../../app/context.ts'
import { ArchiverError } from '../../errors.ts'
import type { ClaimStore, InstanceTally } from '../../engine/claim-store.ts'
import { step } from '../../platform/atomic-file.ts'
import { identity, monotonic, now, startTicks } from '../../platform/host.ts'
import { QueueBacklog } from '../../queue/queue-backlog.ts'
import { ItemError } from '../../records/item-error.ts'
import { InHand } from '../../records/run/in-hand.ts'
import type { ItemSource } from '../../records/run/item-source.ts'
import { failItem, processItem, type ItemOptions, type ItemOutcome } from '../../records/run/process-item.ts'
import { poisonedKeys, QueueItems } from '../../records/run/queue-items.ts'
import { runItems } from '../../records/run/run-items.ts'
import { SourceItems, type WalkOptions } from '../../records/run/source-items.ts'
import { logStates, type LogWriter } from '../../records/sql/processing-log.ts'
import { retryTransient } from '../../records/sql/retry-transient.ts'
import { MapThreads } from '../../records/workers/map-threads.ts'
import type { OpenTask } from './open-task.ts'
import type { RunSelection } from './run-selection.ts'

export interface TaskWork {
  readonly session: string
  readonly strict: boolean
  readonly listener: (outcome: ItemOutcome) => void
  readonly warn: (message: string) => void
  /** What this process did as an instance of the shared backlog so far. */
  readonly counted: (tally: InstanceTally) => void
  readonly context: Context
}

/** Milliseconds between two looks for work of others, and for instances that died. */
const POLL = 200
const REAP = 300
/** Milliseconds between two counts of it in the ledger. */
const COUNTED = 5000
/** Claims that an instance takes at once, for each item that it works on. */
const AHEAD = 4

const poisonError = (): ItemError =>
  new ItemError(
    'POISON',
    'its process died three times with this item in hand; look at it before you retry it',
  )

/**
 * Works on what is due of a task: on the backlog of `queue.url` together with other instances, or on the source's keys where no queue is
 * configured or the instances share the keys by number.
 */
export const workOnTask = async (task: OpenTask, selection: RunSelection, work: TaskWork): Promise<void> => {
  const { mapping, target, source, catalogue } = task
  const threads = new MapThreads({
    mapping,
    start: task.mappingText,
    threadFile: threadFileOf(work.context),
    workers: task.workers,
    timeout: task.timeout,
    warn: work.warn,
  })
  const { choice, from, to } = selection
  const { keyType } = mapping.record
  const writer: LogWriter = {
    task: task.name,
    keyType,
    sessionId: work.session,
    instanceId: choice.instance?.id ?? null,
    instanceCount: choice.instance?.count ?? null,
    rangeStart: from ?? null,
    rangeEnd: to ?? null,
    mappingSha256: task.mappingSha256,
  }
  const item: ItemOptions = {
    database: target,
    mapping,
    writer,
    catalogue,
    source,
    map: (payload, options) => threads.map(payload, options),
    strict: work.strict,
    now,
    random: Math.random,
    stop: work.context.signal,
    reached: (name) => step(`records: ${name}`),
  }
  const walk: WalkOptions = {
    source,
    keyType,
    choice,
    batchSize: selection.batchSize ?? task.batchSize,
    from,
    to,
    states: async (keys) => {
      try {
        return await retryTransient(() => logStates(target, writer, keys), work.context.signal)
      } catch (cause) {
        throw new ArchiverError('STORE_UNAVAILABLE', 'cannot read processing_log', { cause })
      }
    },
  }
  const isShared = task.queue.url.reveal() !== 'off' && !choice.instance
  // What others could work on is not held in great numbers, and a death with it in hand blames all of it.
  const mostWaiting = isShared ? task.workers * (AHEAD - 1) : Infinity
  const run = (items: ItemSource): Promise<void> =>
    runItems({
      items,
      workers: task.workers,
      stop: work.context.signal,
      waiting: Math.min(target.commitsTogether - 1, mostWaiting),
      process: ({ key, poison }, mapped) =>
        poison ? failItem(key, poisonError(), item) : processItem(key, item, mapped),
      listener: work.listener,
    })
  try {
    if (isShared) await onSharedQueue(task, selection, walk, work, item, run)
    else await run(fromSource(task, selection, walk))
  } finally {
    await threads.close()
  }
}

/** The program's file for threads that map payloads stands beside the one for runs. */
const threadFileOf = ({ threadFile }: Context): string | undefined =>
  threadFile === undefined ? undefined : join(dirname(threadFile), 'records-worker.cjs')

const onSharedQueue = async (
  task: OpenTask,
  selection: RunSelection,
  walk: WalkOptions,
  work: TaskWork,
  item: ItemOptions,
  run: (items: ItemSource) => Promise<void>,
): Promise<void> => {
  const store = await openQueue(task.queue, task.workDir, 'works', task.workers)
  const counting = setInterval(() => work.counted(store.tally), COUNTED)
  try {
    await onQueue(store, task, selection, walk, work, run)
    // Items that have ended their holders are the backlog's finding; the log is to say it as well.
    for (const key of await poisonedKeys(store, stageOf(task), walk.states))
      work.listener(await failItem(key, poisonError(), item))
  } finally {
    clearInterval(counting)
    work.counted(store.tally)
    await store.close()
  }
}

const stageOf = ({ name }: OpenTask): string => `records:${name}`

const fromSource = (task: OpenTask, { choice, limit }: RunSelection, walk: WalkOptions): SourceItems => {
  const part = choice.instance ? `_instance_${choice.instance.id}_of_${choice.instance.count}` : ''
  const inHand = InHand.open({
    folder: join(task.workDir, 'records'),
    task: `${task.name}${part}`,
    self: identity(),
    startTicksOf: startTicks,
  })
  return new SourceItems(walk, limit, inHand)
}

const onQueue = async (
  store: ClaimStore,
  task: OpenTask,
  { limit }: RunSelection,
  walk: WalkOptions,
  { context, warn }: TaskWork,
  run: (items: ItemSource) => Promise<void>,
): Promise<void> => {
  const stage = stageOf(task)
  const reaper = setInterval(() => {
    store.reap().catch((error: unknown) => warn(`cannot look for dead instances: ${String(error)}`))
  }, REAP)
  try {
    await store.reap()
    const backlog = new QueueBacklog<string>(store, {
      stage,
      itemOf: (key) => key,
      lease: task.queue.leaseSeconds * 1000,
      laterAfter: 0,
      monotonic,
    })
    const { signal: stop } = context
    const ahead = task.workers * AHEAD
    await run(new QueueItems({ store, backlog, stage, walk, limit, ahead, stop, pollEvery: POLL }))
  } finally {
    clearInterval(reaper)
  }
}
