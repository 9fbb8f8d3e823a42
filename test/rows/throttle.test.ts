import { describe, expect, it } from 'vitest'
import { Throttle } from '../../src/rows/throttle.ts'

/** A throttle that stops for a status above 10, and a server whose load is what `loads` gives, one look after another. */
const throttled = (loads: number[]) => {
  let clock = 0
  return new Throttle({
    ...{ maxLagMs: undefined, maxHll: undefined, query: undefined, flagFile: undefined },
    maxLoad: new Map([['Threads_running', 10]]),
    criticalLoad: new Map(),
    niceRatio: 0,
    checkIntervalMs: 1,
    maxPauseMs: 1000,
    windows: [],
    probe: {
      seesOthers: () => Promise.resolve(true),
      knowsReplicas: () => Promise.resolve(true),
      lag: () => Promise.resolve(0),
      hll: () => Promise.resolve(0),
      status: () => Promise.resolve(loads.shift() ?? 0),
      query: () => Promise.resolve(0),
      lags: new Map(),
      close: () => Promise.resolve(),
    },
    now: () => 0,
    monotonic: () => (clock += 100),
  })
}
const passed = (loads: number[], words: (string | undefined)[]) =>
  throttled(loads).pass({} as never, () => Promise.resolve(words.shift()), new AbortController().signal)
const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value)

describe('a busy server', () => {
  it('ends the run after max_pause', async () => {
    expect((await passed(times(100, 50), [])).end).toMatch(/^held back for too long: Threads_running 50 > 10/)
  })

  it('after an operator has paused for longer than that is waited for as long as after any other batch', async () => {
    const after = await passed([50, 50], times(30, 'pause'))
    expect(after).toMatchObject({ end: undefined, reason: 'Threads_running 50 > 10' })
  })

  it('ends the run after max_pause, also where an operator had paused before', async () => {
    expect((await passed(times(100, 50), times(30, 'pause'))).end).toMatch(/^held back for too long/)
  })
})
