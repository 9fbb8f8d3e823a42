import { counted } from '../common/counted.ts'
import { type Command, stopCode, untilStopped } from '../app/context.ts'
import { pause } from '../engine/pause.ts'
import { openQueue, type QueueUse } from '../app/open-queue.ts'
import { loadConfig } from '../config/load-config.ts'
import { backlogOverview } from '../engine/backlog-overview.ts'
import type { ClaimStore, ItemState, ItemStatus } from '../engine/claim-store.ts'
import { ArchiverError } from '../errors.ts'
import { monotonic } from '../platform/host.ts'
import { itemLine, overviewLines } from './queue-text.ts'
import { countOf } from './run-options.ts'

interface Options {
  readonly config: string
  readonly json?: boolean
}

/** Opens the queue for one look or one change, without becoming a worker. */
const withQueue = <Given extends Options>(
  use: (
    store: ClaimStore,
    options: Given,
    out: (text: string) => void,
    signal: AbortSignal,
  ) => Promise<number>,
  opened: QueueUse = 'looks',
): Command<Given> => {
  const command: Command<Given> = async (options, context) => {
    const { queue, app } = await loadConfig(options.config, context.env, ['app', 'queue'])
    const store = await openQueue(queue, app.workDir, opened)
    try {
      return await use(store, options, (text) => context.out(`${text}\n`), context.signal)
    } finally {
      await store.close()
    }
  }
  return opened === 'reads' ? untilStopped(command) : command
}

const asJson = (value: unknown): string => JSON.stringify(value, null, 2)

/** Failed items of each stage that `queue status` names. */
const FAILURES_SHOWN = 5

/** `queue status`: who holds what since when, what is left and how fast it goes, what failed and why. */
export const queueStatus = withQueue(async (store, { json }, out) => {
  const overview = await backlogOverview(store)
  const failures: ItemState[] = []
  for (const { stage, failed } of overview.stages)
    if (failed > 0) failures.push(...(await store.list(stage, 'failed', FAILURES_SHOWN)))
  out(json ? asJson({ ...overview, failures }) : overviewLines(overview, failures).join('\n'))
  return 0
}, 'reads')

const STATUSES: readonly ItemStatus[] = ['pending', 'claimed', 'done', 'failed']

interface ListOptions extends Options {
  readonly stage: string
  readonly status?: string
  readonly limit?: string
}

/** `queue list`: the items of a stage. */
export const queueList = withQueue<ListOptions>(
  async (store, { stage, status, limit = '100', json }, out) => {
    const known = STATUSES.find((one) => one === status)
    if (status !== undefined && known === undefined)
      throw new ArchiverError('USAGE', `--status ${status}: it is one of ${STATUSES.join(', ')}`)
    const items = await store.list(await knownStage(store, stage), known, countOf('--limit', limit))
    out(json ? asJson(items) : items.map(itemLine).join('\n'))
    return 0
  },
  'reads',
)

/** `queue show`: one item in each stage. Exit 1 where the queue does not know it. */
export const queueShow = withQueue<Options & { readonly key: string }>(async (store, { key, json }, out) => {
  const items = await store.show(key)
  if (items.length === 0) throw new ArchiverError('NOT_FOUND', `the queue has no item ${key}`)
  out(json ? asJson(items) : items.map(itemLine).join('\n'))
  return 0
}, 'reads')

/**
 * `queue retry`: failed items are to be done again: one, or all of a stage, or of every stage. Throws NOT_FOUND where the one that is named has
 * not failed, so that a slip in its number does not look like success.
 */
export const queueRetry = withQueue<Options & { readonly key?: string; readonly stage?: string }>(
  async (store, { key, stage, json }, out) => {
    const retried: Record<string, number> = {}
    for (const name of stage === undefined ? await stagesOf(store) : [await knownStage(store, stage)])
      retried[name] = await store.retry(name, key === undefined ? undefined : [key])
    const count = Object.values(retried).reduce((sum, one) => sum + one, 0)
    if (key !== undefined && count === 0)
      throw new ArchiverError(
        'NOT_FOUND',
        `no item ${key} has failed${stage === undefined ? '' : ` in ${stage}`}`,
        {
          hint: `run-archiver queue show ${key} says how it stands; run-archiver queue list --status failed names those that failed`,
        },
      )
    out(json ? asJson({ retried }) : `${counted(count, 'item')} will be tried again`)
    return 0
  },
)

/** `queue pause` and `queue resume`: no new claims in a stage; what is in hand is finished. */
export const queuePause = withQueue<Options & { readonly stage: string }>(
  async (store, { stage, json }, out) => {
    await store.pause(await knownStage(store, stage))
    out(json ? asJson({ stage, paused: true }) : `${stage} is paused: workers finish what they have in hand`)
    return 0
  },
)

export const queueResume = withQueue<Options & { readonly stage: string }>(
  async (store, { stage, json }, out) => {
    await store.resume(await knownStage(store, stage))
    out(json ? asJson({ stage, paused: false }) : `${stage} goes on`)
    return 0
  },
)

/** The stages of runs, and those of records that the queue has ever had items of. */
const stagesOf = async (store: ClaimStore): Promise<readonly string[]> => [
  ...new Set(['import', 'migrate', ...(await store.counts()).map(({ stage }) => stage)]),
]

const knownStage = async (store: ClaimStore, stage: string): Promise<string> => {
  const known = await stagesOf(store)
  if (known.includes(stage)) return stage
  throw new ArchiverError('USAGE', `there is no stage ${stage}: the queue has ${known.join(', ')}`)
}

/** `queue migrate`: makes the tables, or brings them up to date. */
export const queueMigrate = withQueue((_store, { json }, out) => {
  out(json ? asJson({ migrated: true }) : 'The tables of the queue are up to date')
  return Promise.resolve(0)
}, 'migrate')

/** How often `queue drain` looks, in milliseconds. */
const LOOK_EVERY = 500

/** `queue drain`: pauses every stage and waits until nothing is in hand. Exit 1 where that takes longer than `--wait`; a signal ends the waiting. */
export const queueDrain = withQueue<Options & { readonly wait?: string }>(
  async (store, { wait = '300', json }, out, signal) => {
    for (const stage of await stagesOf(store)) await store.pause(stage)
    const until = monotonic() + countOf('--wait', wait) * 1000
    for (;;) {
      const counts = await store.counts()
      const claimed = counts.reduce((sum, one) => sum + one.claimed, 0)
      if (claimed === 0 || signal.aborted || monotonic() >= until) {
        const left = `still in hand: ${counted(claimed, 'item')}; the stages stay paused`
        if (json) out(asJson({ stages: counts }))
        else out(claimed === 0 ? 'Nothing is in hand. Go on with: queue resume STAGE' : left)
        return claimed === 0 ? 0 : signal.aborted ? stopCode(signal) : 1
      }
      await pause(LOOK_EVERY, signal)
    }
  },
)
