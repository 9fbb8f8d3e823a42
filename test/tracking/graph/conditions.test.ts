import { describe, expect, it } from 'vitest'
import {
  abnormalDuration,
  isHung,
  isLate,
  isLost,
  lastDue,
  type Latest,
} from '../../../src/tracking/graph/conditions.ts'

const MINUTE = 60_000
const NOW = Date.parse('2026-11-28T12:00:00Z')
const running = (of: Partial<Latest>): Latest => ({
  runId: 'r',
  state: 'running',
  startedAt: NOW - 60 * MINUTE,
  heartbeatAt: NOW - 5000,
  progressAt: NOW - 5000,
  ...of,
})

describe('an execution that runs by the ledger', () => {
  it.each([
    ['is fine', {}, false, false],
    ['is lost without a heartbeat for three intervals', { heartbeatAt: NOW - 45_001 }, true, false],
    ['counts from its start without any heartbeat', { heartbeatAt: undefined }, true, false],
    ['is lost when its heartbeat is in the future', { heartbeatAt: NOW + 45_001 }, true, false],
    ['hangs when nothing moves for ten minutes', { progressAt: NOW - 10 * MINUTE - 1 }, false, true],
    [
      'does not hang while an item may take so long',
      { progressAt: NOW - 11 * MINUTE, itemMs: 3 * MINUTE },
      false,
      false,
    ],
    [
      'does not hang while it is throttled',
      { progressAt: NOW - 60 * MINUTE, subState: 'THROTTLED' },
      false,
      false,
    ],
    ['hangs when its progress is in the future', { progressAt: NOW + 10 * MINUTE + 1 }, false, true],
    ['is neither after its end', { state: 'done', heartbeatAt: 0, progressAt: 0 }, false, false],
  ] as const)('%s', (_what, of, lost, hung) => {
    expect([isLost(running(of), NOW), isHung(running(of), NOW)]).toEqual([lost, hung])
  })
})

describe('a task with a schedule', () => {
  const started = (minutes: number): Latest => running({ startedAt: NOW - minutes * MINUTE })
  it.each([
    ['60', started(64), false],
    ['60', started(66), true],
    ['60', undefined, false],
    ['11:50', started(8), false],
    ['11:50', started(70), true],
    ['11:58', started(70), false],
    ['11:50', undefined, true],
    ['12:30', started(60 * 23), false],
    ['12:30', started(60 * 25), true],
    ['no schedule', started(9999), false],
    // A start in the future is no start.
    ['11:50', started(-600), true],
    ['60', started(-600), true],
    ['60', started(-64), false],
  ] as const)('of %s, last started as %o, is late: %s', (schedule, latest, late) => {
    expect(isLate({ schedule, graceMinutes: 5 }, latest, NOW)).toBe(late)
  })
  it('is due at the last time of day that has passed', () => {
    expect(lastDue('13:00', undefined, NOW)).toBe(NOW - 23 * 60 * MINUTE)
    expect(lastDue('12:00', undefined, NOW)).toBe(NOW)
  })
})

describe('a duration', () => {
  const took = (seconds: number): Latest =>
    running({ startedAt: NOW - seconds * 1000, endedAt: NOW, state: 'done' })
  it('is abnormal over 1.5 times the 95th percentile of enough good executions', () => {
    const past = { count: 20, p50: 50, p95: 100 }
    expect(abnormalDuration(took(150), past, {}, NOW)).toBeUndefined()
    expect(abnormalDuration(took(151), past, {}, NOW)).toContain('at most 100 s')
    expect(abnormalDuration(took(1000), { ...past, count: 4 }, {}, NOW)).toBeUndefined()
  })
  it('is abnormal over twice what is expected', () => {
    expect(abnormalDuration(took(120), undefined, { expectedMinutes: 1 }, NOW)).toBeUndefined()
    expect(abnormalDuration(took(121), undefined, { expectedMinutes: 1 }, NOW)).toContain('60 s are expected')
  })
})
