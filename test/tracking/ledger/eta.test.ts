import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { overallPercent, percent, progressLines, RateMeter } from '../../../src/tracking/ledger/eta.ts'
import { limit, sentOf, type Sent } from '../../../src/tracking/alerts/rate-limit.ts'

describe('progress in percent', () => {
  it('is between 0 and 100 whatever is counted', () => {
    fc.assert(
      fc.property(fc.nat(), fc.option(fc.nat(), { nil: undefined }), (done, total) => {
        const share = percent({ done, total })
        if (total === undefined) expect(share).toBeUndefined()
        else {
          expect(share).toBeGreaterThanOrEqual(0)
          expect(share).toBeLessThanOrEqual(100)
        }
      }),
    )
  })
  it('of the whole is 100 only when the last step has ended', () => {
    expect(overallPercent(1, 2, { done: 0, total: 10 })).toBe(50)
    expect(overallPercent(1, 2, { done: 5, total: 10 })).toBe(75)
    expect(overallPercent(2, 2, undefined)).toBe(100)
    expect(overallPercent(0, undefined, undefined)).toBeUndefined()
  })
  it('of the whole grows with steps that were not announced', () => {
    expect(overallPercent(3, 2, { done: 0, total: 10 })).toBe(75)
  })
  it('is two lines', () => {
    expect(
      progressLines({
        step: 2,
        steps: 4,
        name: 'Importing runs',
        overall: 37,
        item: 'run 12499',
        items: { done: 185, total: 500 },
      }),
    ).toEqual([
      'Overall: Subtask 2 of 4 (37%) - "Importing runs"',
      'Current Subtask: "run 12499" - 185 of 500 (37%)',
    ])
  })
})

describe('an estimate', () => {
  it('is not made from too few items', () => {
    const meter = new RateMeter(0)
    for (let i = 1; i < 10; i++) meter.seen(i * 1000)
    expect(meter.estimate(9000, 100)).toBeUndefined()
  })
  it('of steady work is right, and its range holds it', () => {
    const meter = new RateMeter(0)
    for (let i = 1; i <= 100; i++) meter.seen(i * 1000)
    const estimate = meter.estimate(100_000, 60)
    expect(Math.abs((estimate?.at ?? 0) - 160_000)).toBeLessThan(1500)
    expect(estimate?.low).toBeLessThan(160_000)
    expect(estimate?.high).toBeGreaterThan(160_000)
  })
  it('follows what happened lately', () => {
    const meter = new RateMeter(0)
    for (let i = 1; i <= 100; i++) meter.seen(i * 100)
    for (let i = 1; i <= 200; i++) meter.seen(10_000 + i * 10_000)
    expect(meter.rate).toBeLessThan(1 / 8000)
  })
})

describe('the memory of what was sent', () => {
  it('sends a key once an interval, and never swallows more than it counts', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { maxLength: 60 }), (pauses) => {
        let sent: Sent = {}
        let now = 0
        let swallowed = 0
        let last = -Infinity
        for (const pause of pauses) {
          now += pause
          const answer = limit(sent, 'key', now, 1000)
          sent = answer.sent
          if (answer.due) {
            expect(now - last).toBeGreaterThanOrEqual(1000)
            expect(answer.held).toBe(swallowed)
            swallowed = 0
            last = now
          } else swallowed += 1
        }
      }),
    )
  })
  it('sends when the clock was set back', () => {
    const { sent } = limit({}, 'key', 1_000_000, 1000)
    expect(limit(sent, 'key', 500_000, 1000).due).toBe(true)
  })
  it('is empty when it is made of something else, and knows keys that objects have', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void sentOf(value)))
    expect(limit({}, 'constructor', 0, 1000).due).toBe(true)
    expect(limit({}, '__proto__', 0, 1000).due).toBe(true)
  })
})
