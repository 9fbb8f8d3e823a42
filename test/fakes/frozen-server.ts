import { performance } from 'node:perf_hooks'
import type { FaultProxy } from './fault-proxy.ts'

/** Nothing comes any more from the server behind the proxy, over any connection, and nobody is told. */
export const freeze = (proxy: FaultProxy): void => {
  proxy.always({ kind: 'silence' })
  void proxy.freeze(60_000)
}

/** What work ended with, undefined where it did not fail, and how many milliseconds it took. */
export const failed = async (work: Promise<unknown>): Promise<{ error: unknown; took: number }> => {
  const began = performance.now()
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return { error, took: performance.now() - began }
}

/** Holds up everything in this process, timers too, as a machine does that sleeps. */
export const holdUp = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
