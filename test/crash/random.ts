/** Numbers from 0 to 1 that are the same for the same seed (mulberry32), so that a failure can be had again. */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** `SEED` of the environment, or one of the clock; print it. */
export const seed = (): number => Number(process.env['SEED'] ?? Date.now() % 1_000_000)
