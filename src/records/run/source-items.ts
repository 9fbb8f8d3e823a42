import type { KeyType } from '../mapping/model.ts'
import type { RecordSource } from '../sources/source.ts'
import type { LogState } from '../sql/processing-log.ts'
import { isDue, isOwn, type Choice } from './choose-keys.ts'
import type { InHand } from './in-hand.ts'
import { POISON_AFTER, type ItemSource, type Taken } from './item-source.ts'

export interface WalkOptions {
  readonly source: RecordSource
  readonly keyType: KeyType
  readonly choice: Choice
  readonly batchSize: number
  readonly from: string | undefined
  readonly to: string | undefined
  readonly states: (keys: readonly string[]) => Promise<ReadonlyMap<string, LogState>>
}

/** A key that is this instance's and due, with what the log says of it. */
export interface DueKey {
  readonly key: string
  readonly state: LogState | undefined
}

/** The keys that are due, a batch at a time: a batch is all that is held. */
export async function* dueKeys({
  source,
  keyType,
  choice,
  batchSize,
  from,
  to,
  states,
}: WalkOptions): AsyncGenerator<readonly DueKey[], void> {
  for await (const batch of source.keys({ batchSize, from, to })) {
    const own = batch.filter((key) => isOwn(key, keyType, choice.instance))
    const known = await states(own)
    yield own.filter((key) => isDue(known.get(key), choice)).map((key) => ({ key, state: known.get(key) }))
  }
}

/** The source's keys in their order, for one instance, or for several that share them by number. */
export class SourceItems implements ItemSource {
  readonly #batches: AsyncGenerator<readonly DueKey[], void>
  readonly #inHand: InHand
  #left: number
  #batch: DueKey[] = []

  /** `limit`: items that are taken at most. */
  constructor(walk: WalkOptions, limit: number, inHand: InHand) {
    this.#batches = dueKeys(walk)
    this.#left = limit
    this.#inHand = inHand
  }

  async next(): Promise<Taken | undefined> {
    if (this.#left <= 0) return undefined
    while (this.#batch.length === 0) {
      const { done, value } = await this.#batches.next()
      if (done) return undefined
      this.#batch = [...value].reverse()
    }
    const due = this.#batch.pop()
    if (!due) return undefined
    this.#left--
    const losses = this.#inHand.lossesOf(due.key)
    // One that was failed as poison is due on request alone: then it gets another chance.
    const poison = losses >= POISON_AFTER && due.state?.code !== 'POISON'
    this.#inHand.take(due.key)
    return { key: due.key, suspect: losses > 0, poison }
  }

  finished({ key }: Taken): void {
    this.#inHand.drop(key)
  }

  release({ key }: Taken): Promise<void> {
    this.#inHand.release(key)
    return Promise.resolve()
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined)
    this.#inHand.close()
  }
}
