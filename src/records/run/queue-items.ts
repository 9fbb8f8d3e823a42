import { pause } from '../../engine/pause.ts'
import type { Backlog, Claim, FailedClaim } from '../../engine/backlog.ts'
import type { ClaimStore, QueueItem } from '../../engine/claim-store.ts'
import { ArchiverError } from '../../errors.ts'
import type { LogState } from '../sql/processing-log.ts'
import type { ItemSource, Taken } from './item-source.ts'
import type { ItemOutcome } from './process-item.ts'
import { dueKeys, type WalkOptions } from './source-items.ts'

export interface QueueItemsOptions {
  readonly store: ClaimStore
  /** The stage of the store, as one instance works on it. */
  readonly backlog: Backlog<string>
  readonly stage: string
  readonly walk: WalkOptions
  readonly limit: number
  /** Claims that are taken at once. */
  readonly ahead: number
  readonly stop: AbortSignal
  readonly pollEvery: number
}

interface Claimed extends Taken {
  readonly claim: Claim<string>
}

const POISON = 'QUEUE_POISON'
const MOST_FAILED = 100_000

/**
 * The items of a backlog that several instances share. Each instance adds what the log calls due, which adds nothing twice, and works
 * until nothing is left that it or another has in hand. An item whose holder died is handed out alone.
 */
export class QueueItems implements ItemSource {
  readonly #options: QueueItemsOptions
  #buffer: Claim<string>[] = []
  #done: Claim<string>[] = []
  #failed: FailedClaim<string>[] = []
  #left: number
  #feeding: Promise<void> | undefined
  #isFed = false
  #feedError: unknown
  #closed = false

  constructor(options: QueueItemsOptions) {
    this.#options = options
    this.#left = options.limit
  }

  async next(): Promise<Claimed | undefined> {
    this.#feeding ??= this.#feed().then(
      () => void (this.#isFed = true),
      (error: unknown) => void (this.#feedError = error),
    )
    const { stop, backlog, ahead, pollEvery } = this.#options
    while (this.#left > 0 && !stop.aborted) {
      if (this.#feedError !== undefined) throw this.#feedError as Error
      const first = this.#buffer.shift()
      if (first?.lost?.aborted) continue
      if (first) return this.#taken(first, false)
      await this.#settle()
      const wasFed = this.#isFed
      const claims = await backlog.next(Math.min(ahead, this.#left))
      const suspect = claims.find(({ attempt }) => attempt > 1)
      if (suspect) {
        await backlog.release(claims.filter((claim) => claim !== suspect))
        return this.#taken(suspect, true)
      }
      this.#buffer = [...claims]
      if (claims.length > 0) continue
      if (wasFed && (await this.#isEmpty())) return undefined
      await pause(pollEvery, stop)
    }
    return undefined
  }

  finished(taken: Taken, { error }: ItemOutcome): void {
    const { claim } = taken as Claimed
    if (error) {
      const failure = new ArchiverError('RECORD_FAILED', `${error.code}: ${error.message}`)
      this.#failed.push({ claim, error: failure })
    } else this.#done.push(claim)
  }

  release(taken: Taken): Promise<void> {
    return this.#options.backlog.release([(taken as Claimed).claim])
  }

  async close(): Promise<void> {
    this.#closed = true
    const buffer = this.#buffer
    this.#buffer = []
    await this.#options.backlog.release(buffer)
    await this.#feeding
    await this.#settle()
  }

  #taken(claim: Claim<string>, suspect: boolean): Claimed {
    this.#left--
    return { key: claim.key, suspect, poison: false, claim }
  }

  /** Adds what is due. An item that is opened again by hand in the log is opened in the backlog as well. */
  async #feed(): Promise<void> {
    const { store, stage, walk, stop } = this.#options
    await this.#reopen()
    let missingAt = await store.now()
    let index = 0
    for await (const batch of dueKeys(walk)) {
      if (stop.aborted || this.#closed) return
      const items = batch.map(({ key }): QueueItem => ({ key, ordinal: ordinalOf(key, index++) }))
      if (items.length > 0) await store.enqueue(stage, items, missingAt)
      const again = batch.filter(({ state }) => state !== undefined).map(({ key }) => key)
      if (again.length > 0) await store.retry(stage, again)
      missingAt = await store.now()
    }
  }

  /** Failed items of the backlog that the log does not know: their rows were deleted there, so that they are tried again. */
  async #reopen(): Promise<void> {
    const { store, stage, walk } = this.#options
    const failed = await store.list(stage, 'failed', MOST_FAILED)
    const keys = failed.filter(({ code }) => code !== POISON).map(({ key }) => key)
    if (keys.length === 0) return
    const known = await walk.states(keys)
    const unknown = keys.filter((key) => !known.has(key))
    if (unknown.length > 0) await store.retry(stage, unknown)
  }

  async #isEmpty(): Promise<boolean> {
    const counts = (await this.#options.store.counts()).find(({ stage }) => stage === this.#options.stage)
    return !counts || counts.pending + counts.claimed === 0
  }

  async #settle(): Promise<void> {
    const [done, failed] = [this.#done, this.#failed]
    if (done.length + failed.length === 0) return
    this.#done = []
    this.#failed = []
    // A claim that was lost meanwhile is nobody's loss: the log has the item's end, and its next holder finds it there.
    await this.#options.backlog.settle({ done, failed })
  }
}

/** The items that the backlog has failed as poison and of which the log does not know it yet. */
export const poisonedKeys = async (
  store: ClaimStore,
  stage: string,
  states: (keys: readonly string[]) => Promise<ReadonlyMap<string, LogState>>,
): Promise<string[]> => {
  const failed = await store.list(stage, 'failed', MOST_FAILED)
  const keys = failed.filter(({ code }) => code === POISON).map(({ key }) => key)
  if (keys.length === 0) return []
  const known = await states(keys)
  return keys.filter((key) => !known.has(key))
}

/** Keys that are numbers are handed out in their order; others in that of the source. */
const ordinalOf = (key: string, index: number): number => {
  const number = /^-?\d{1,15}$/.test(key) ? Number(key) : NaN
  return Number.isSafeInteger(number) ? number : index
}
