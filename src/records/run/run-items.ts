import type { RecordSource } from '../sources/source.ts'
import type { KeyType } from '../mapping/model.ts'
import type { LogState } from '../sql/processing-log.ts'
import { isDue, isOwn, type Choice } from './choose-keys.ts'
import type { ItemOutcome } from './process-item.ts'

export interface RunOptions {
  readonly source: RecordSource
  readonly keyType: KeyType
  readonly choice: Choice
  readonly workers: number
  readonly batchSize: number
  /** Items that this instance attempts at most. */
  readonly limit: number
  readonly from: string | undefined
  readonly to: string | undefined
  /** Aborts when no further item is to be taken: those in hand are finished. */
  readonly stop: AbortSignal
  readonly states: (keys: readonly string[]) => Promise<ReadonlyMap<string, LogState>>
  readonly process: (key: string) => Promise<ItemOutcome>
  readonly listener: (outcome: ItemOutcome) => void
}

/**
 * Walks the source's keys and processes what is due, several items at once; a batch of keys is all that is held. One bad item never
 * stops the others. Throws what `process` throws: then the target or the source is away, and items in hand are pending or done.
 */
export const runItems = async (options: RunOptions): Promise<void> => {
  const due = dueKeys(options)
  let failure: unknown
  const worker = async (): Promise<void> => {
    while (failure === undefined && !options.stop.aborted) {
      const next = await due.next()
      if (next.done) return
      try {
        options.listener(await options.process(next.value))
      } catch (error) {
        failure ??= error
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: options.workers }, worker))
  await due.return(undefined)
  const rejected = results.find((result) => result.status === 'rejected')
  failure ??= rejected?.reason
  if (failure !== undefined) throw failure as Error
}

/** The keys that are this instance's and due, up to the limit. An async generator hands each to one worker. */
async function* dueKeys({
  source,
  keyType,
  choice,
  batchSize,
  limit,
  from,
  to,
  states,
}: RunOptions): AsyncGenerator<string, void> {
  let left = limit
  for await (const batch of source.keys({ batchSize, from, to })) {
    const own = batch.filter((key) => isOwn(key, keyType, choice.instance))
    const known = await states(own)
    for (const key of own) {
      if (!isDue(known.get(key), choice)) continue
      if (left-- <= 0) return
      yield key
    }
  }
}
