import { describe, expect, it } from 'vitest'
import { forecast, slackOf, type ForecastTask } from '../../../src/tracking/graph/forecast.ts'

const NOW = 10_000_000
const MINUTE = 60_000
const task = (name: string, of: Partial<ForecastTask> = {}): ForecastTask => ({
  name,
  dependsOn: [],
  latest: undefined,
  isLate: false,
  past: [],
  ...of,
})
const good = (startedAt: number, endedAt: number): ForecastTask['latest'] => ({
  is: 'good',
  startedAt,
  endedAt,
  eta: undefined,
  stuck: undefined,
})

describe('the forecast of a chain', () => {
  const first = task('first', { latest: good(NOW - 20 * MINUTE, NOW - 10 * MINUTE) })
  it('is done where each task began after what it depends on had ended', () => {
    const second = task('second', {
      dependsOn: ['first'],
      latest: good(NOW - 9 * MINUTE, NOW - MINUTE),
    })
    expect(forecast([first, second], NOW).get('second')).toMatchObject({ isDone: true, ends: NOW - MINUTE })
  })
  it('has a task to come where its last end is older than what it depends on', () => {
    const second = task('second', {
      dependsOn: ['first'],
      latest: good(NOW - 90 * MINUTE, NOW - 80 * MINUTE),
      past: [60, 120, 180],
    })
    expect(forecast([first, second], NOW).get('second')).toEqual({
      isDone: false,
      begins: NOW,
      ends: NOW + 2 * MINUTE,
      low: NOW + MINUTE,
      high: NOW + 3 * MINUTE,
      why: undefined,
    })
  })
  it('adds the median to the estimate of what runs', () => {
    const running = task('running', {
      latest: {
        is: 'open',
        startedAt: NOW - MINUTE,
        endedAt: undefined,
        eta: { at: NOW + MINUTE, low: NOW, high: NOW + 5 * MINUTE },
        stuck: undefined,
      },
    })
    const next = task('next', { dependsOn: ['running'], past: [60] })
    expect(forecast([next, running], NOW).get('next')).toMatchObject({
      begins: NOW + MINUTE,
      ends: NOW + 2 * MINUTE,
      high: NOW + 6 * MINUTE,
    })
  })
  it.each([
    { what: 'failed', latest: { ...good(NOW - MINUTE, NOW), is: 'bad' as const }, isLate: false },
    { what: 'is late', latest: undefined, isLate: true },
  ])('promises nothing behind a task that $what', ({ latest, isLate }) => {
    const broken = task('broken', { latest, isLate } as Partial<ForecastTask>)
    const next = task('next', { dependsOn: ['broken'], past: [60] })
    const all = forecast([broken, next], NOW)
    expect(all.get('broken')?.ends).toBeUndefined()
    expect(all.get('next')).toMatchObject({ ends: undefined, why: 'it waits for a task without an end' })
  })
})

describe('slack', () => {
  it('is none on the longest chain, and the difference beside it', () => {
    const slack = slackOf([
      { name: 'a', dependsOn: [], seconds: 10 },
      { name: 'long', dependsOn: ['a'], seconds: 100 },
      { name: 'short', dependsOn: ['a'], seconds: 30 },
      { name: 'end', dependsOn: ['long', 'short'], seconds: 5 },
    ])
    expect([...slack]).toEqual([
      ['a', 0],
      ['long', 0],
      ['short', 70],
      ['end', 0],
    ])
  })
})
