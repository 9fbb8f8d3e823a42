import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/** Frees memory each time that so many bytes more have gone through, for work on what is large piece by piece. */
export const freeingMemory = (): ((bytes: number) => void) => {
  let gone = 0
  return (bytes) => {
    gone += bytes
    if (gone < EVERY) return
    gone = 0
    freeMemory()
  }
}

const EVERY = 16_000_000

/** Bytes from which on a copy that was dropped is worth the time of `freeMemory`. */
const LARGE = 16_000_000

/**
 * `freeMemory` where what was dropped had so many bytes that it is worth it: for steps that hold one copy of a run after another. It takes a turn of
 * the event loop first: what a step has just returned from is held by that step until then.
 */
export const freeAfter = async (bytes: number): Promise<void> => {
  if (bytes <= LARGE) return
  await turn()
  freeMemory()
}

/**
 * Gives back the memory of large buffers that nobody holds any more, on this thread, now. Left to itself, V8 keeps one until it happens to
 * collect, and the next large record would stand beside it. Costs some ten milliseconds: call it after a large record, not after each.
 */
export const freeMemory = (): void => {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
