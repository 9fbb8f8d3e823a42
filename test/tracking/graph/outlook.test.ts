import { describe, expect, it } from 'vitest'
import type { Latest } from '../../../src/tracking/graph/conditions.ts'
import { outlookOf } from '../../../src/tracking/graph/outlook.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const MINUTE = 60_000
const PAST = [100, 110, 120, 130, 140]
const look = (
  of: Partial<Latest>,
  past: readonly number[] = PAST,
  byItems?: { at: number; low: number; high: number },
  isLastSubtask = true,
) =>
  outlookOf({
    latest: {
      runId: 'r',
      state: 'running',
      startedAt: NOW - MINUTE,
      heartbeatAt: NOW,
      progressAt: NOW,
      ...of,
    },
    ...{ byItems, isLastSubtask, past, now: NOW },
  })

describe('an execution that runs', () => {
  it('is expected to end by its items, where they have a rate', () => {
    const byItems = { at: NOW + 5000, low: NOW + 4000, high: NOW + 7000 }
    expect(look({}, PAST, byItems)).toEqual({
      conditions: [],
      eta: { ...byItems, basis: 'items', covers: 'execution', overdue: false },
    })
  })
  it('is not expected to end with the items of a subtask that others follow', () => {
    const soon = { at: NOW + 5000, low: NOW + 4000, high: NOW + 7000 }
    const ofPast = { at: NOW + 60_000, low: NOW + 50_000, high: NOW + 70_000 }
    expect(look({}, PAST, soon, false).eta).toMatchObject({
      ...ofPast,
      basis: 'history',
      covers: 'execution',
    })
    const late = { at: NOW + 65_000, low: NOW + 64_000, high: NOW + 90_000 }
    expect(look({}, PAST, late, false).eta).toMatchObject({ ...late, basis: 'history' })
    expect(look({}, [], soon, false).eta).toMatchObject({ ...soon, basis: 'items', covers: 'subtask' })
  })
  it('is expected to end by the median of its past, with the quartiles as the range', () => {
    expect(look({}).eta).toEqual({
      ...{ at: NOW + 60_000, low: NOW + 50_000, high: NOW + 70_000 },
      ...{ basis: 'history', covers: 'execution', overdue: false },
    })
  })
  it('has no expected end without a basis, and is overdue after 95 % of the past', () => {
    expect(look({}, [100, 110]).eta).toBeUndefined()
    expect(look({ startedAt: NOW - 3 * MINUTE }).conditions).toEqual(['OVERDUE'])
  })
  it.each([
    ['LOST', { heartbeatAt: NOW - MINUTE }],
    ['HUNG', { progressAt: NOW - 11 * MINUTE }],
    ['THROTTLED', { subState: 'throttled' }],
    ['PAUSED', { subState: 'PAUSED', progressAt: NOW - 60 * MINUTE }],
  ] as const)('that is %s has no expected end', (word, of) => {
    expect(look(of)).toEqual({ conditions: [word], eta: undefined })
  })
  it('says nothing after its end', () => {
    expect(look({ state: 'done', heartbeatAt: 0 })).toEqual({ conditions: [], eta: undefined })
  })
})
