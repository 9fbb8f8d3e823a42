import { CommitRoom } from './commit-room.ts'
import type { ItemSource, Taken } from './item-source.ts'
import type { ItemOutcome } from './process-item.ts'

export interface RunOptions {
  readonly items: ItemSource
  readonly workers: number
  /** How many items, beside those that the workers are at, may wait for the commit that they share. */
  readonly waiting: number
  /** Aborts when no further item is to be taken: those in hand are finished. */
  readonly stop: AbortSignal
  /** Calls `mapped` with the size of the payload when its rows only wait to be stored. */
  readonly process: (taken: Taken, mapped: (bytes: number) => void) => Promise<ItemOutcome>
  readonly listener: (outcome: ItemOutcome) => void
}

/**
 * Processes items, several at once. One bad item never stops the others. An item with which a process has died is worked on alone. Throws
 * what `process` throws: then the target or the source is away, and items in hand are pending or done.
 */
export const runItems = async (options: RunOptions): Promise<void> => {
  const { items, workers, stop } = options
  const room = new CommitRoom(options.waiting)
  const inHand = new Set<Promise<void>>()
  let line: Promise<unknown> = Promise.resolve()
  let failure: unknown
  const fail = (error: unknown): void => void (failure ??= error)

  const handle = async (taken: Taken, mapped: (bytes: number) => void): Promise<void> => {
    try {
      const outcome = await options.process(taken, mapped)
      items.finished(taken, outcome)
      options.listener(outcome)
    } catch (error) {
      fail(error)
      await items.release(taken).catch(fail)
    }
  }
  /** Starts an item. `free` is when its worker can take another one: at its end, or when there is room for it to wait for its commit. */
  const begin = (taken: Taken): { readonly work: Promise<void>; readonly free: Promise<void> } => {
    let leave: (() => void) | undefined
    let work = Promise.resolve()
    const waits = new Promise<void>((resolve) => {
      work = handle(taken, (bytes) => {
        leave ??= room.enter(bytes)
        if (leave) resolve()
      }).finally(() => leave?.())
    })
    return { work, free: Promise.race([work, waits]) }
  }
  /**
   * Takes the next item; where it must be alone, waits for the others, and hands out no other until it is done. In an object, since a
   * bare promise would be waited for while others wait in line.
   */
  const take = async (): Promise<{ readonly free: Promise<void> } | undefined> => {
    if (failure !== undefined || stop.aborted) return undefined
    const taken = await items.next()
    if (!taken) return undefined
    if (taken.suspect) await Promise.all(inHand)
    const { work, free } = begin(taken)
    const held = work.finally(() => inHand.delete(held))
    inHand.add(held)
    if (taken.suspect) await held
    return { free }
  }
  const worker = async (): Promise<void> => {
    for (;;) {
      const turn = line.then(take)
      line = turn.catch(() => undefined)
      const taken = await turn
      if (!taken) return
      await taken.free
    }
  }
  await Promise.all(Array.from({ length: workers }, () => worker().catch(fail)))
  await Promise.all(inHand)
  await items.close().catch(fail)
  if (failure !== undefined) throw failure as Error
}
