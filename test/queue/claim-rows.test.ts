import { describe, expect, it } from 'vitest'
import { overloadedHosts } from '../../src/engine/backlog-overview.ts'
import { instanceOf } from '../../src/queue/claim-rows.ts'

const MINUTE = 60_000
const NOW = 100 * MINUTE

/** An instance that ended 60 items in minute 99 and 30 in minute 100, as its row says it. */
const ROW = {
  ...{ id: 'a', host: 'h', status: 'running', started_at: 0, workers: 2, processors: 2 },
  ...{ minute: 100, ended_in_minute: 30, ended_before: 60 },
}
const rateAt = (now: number, row: object = {}) => instanceOf({ ...ROW, ...row }, now).rate

describe('how fast an instance is', () => {
  it.each([
    { at: 'the turn of the minute', now: NOW, items: 60 + 30 },
    { at: 'half a minute later', now: NOW + MINUTE / 2, items: 30 + 30 },
    { at: 'the end of the minute', now: NOW + MINUTE - 1, items: 30 },
    { at: 'half a minute of silence after that', now: NOW + 1.5 * MINUTE, items: 15 },
    { at: 'a minute of silence', now: NOW + 2 * MINUTE, items: 0 },
    { at: 'an hour of silence', now: NOW + 60 * MINUTE, items: 0 },
  ])('is what it ended in the last minute: at $at', ({ now, items }) => {
    expect(rateAt(now)).toBeCloseTo(items / 60, 2)
  })
  it('is over its life, where that is shorter', () => {
    expect(rateAt(NOW + 10_000, { started_at: NOW, ended_before: 0 })).toBeCloseTo(3)
  })
  it('is nothing for one that is gone', () => {
    expect(rateAt(NOW, { status: 'lost' })).toBe(0)
  })
})

describe('more workers than processors', () => {
  const on = (host: string, workers: number, status = 'running') =>
    instanceOf({ ...ROW, host, workers, status }, NOW)
  it('are named by machine, and only those that run', () => {
    const gone = on('b', 8, 'stopped')
    expect(overloadedHosts([on('a', 2), on('a', 1), on('b', 2), gone])).toEqual([
      'a: 3 workers of 2 instances are more than its 2 processors',
    ])
  })
  it('are not known of instances that did not say', () => {
    expect(overloadedHosts([instanceOf({ ...ROW, workers: 0, processors: 0 }, NOW)])).toEqual([])
  })
})
