import type { ItemSource, Taken } from './item-source.ts'
import type { ItemOutcome } from './process-item.ts'

export interface RunOptions {
  readonly items: ItemSource
  readonly workers: number
  /** Aborts when no further item is to be taken: those in hand are finished. */
  readonly stop: AbortSignal
  readonly process: (taken: Taken) => Promise<ItemOutcome>
  readonly listener: (outcome: ItemOutcome) => void
}

/**
 * Processes items, several at once. One bad item never stops the others. An item with which a process has died is worked on alone. Throws
 * what `process` throws: then the target or the source is away, and items in hand are pending or done.
 */
export const runItems = async (options: RunOptions): Promise<void> => {
  const { items, workers, stop } = options
  const inHand = new Set<Promise<void>>()
  let line: Promise<unknown> = Promise.resolve()
  let failure: unknown
  const fail = (error: unknown): void => void (failure ??= error)

  const handle = async (taken: Taken): Promise<void> => {
    try {
      const outcome = await options.process(taken)
      items.finished(taken, outcome)
      options.listener(outcome)
    } catch (error) {
      fail(error)
      await items.release(taken).catch(fail)
    }
  }
  /**
   * Takes the next item; where it must be alone, waits for the others, and hands out no other until it is done. In an object, since a
   * bare promise would be waited for while others wait in line.
   */
  const take = async (): Promise<{ readonly work: Promise<void> } | undefined> => {
    if (failure !== undefined || stop.aborted) return undefined
    const taken = await items.next()
    if (!taken) return undefined
    if (taken.suspect) await Promise.all(inHand)
    const work = handle(taken).finally(() => inHand.delete(work))
    inHand.add(work)
    if (taken.suspect) await work
    return { work }
  }
  const worker = async (): Promise<void> => {
    for (;;) {
      const turn = line.then(take)
      line = turn.catch(() => undefined)
      const taken = await turn
      if (!taken) return
      await taken.work
    }
  }
  await Promise.all(Array.from({ length: workers }, () => worker().catch(fail)))
  await items.close().catch(fail)
  if (failure !== undefined) throw failure as Error
}
