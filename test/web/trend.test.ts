import { describe, expect, it } from 'vitest'
import type { ExecutionLine } from '../../src/web/model.ts'
import { changeOf, trendOf } from '../../src/web/trend.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-11-28T12:00:00Z')
const line = (daysAgo: number, seconds: number, standing = 'ok'): ExecutionLine =>
  ({
    id: daysAgo,
    standing,
    startedAt: NOW - daysAgo * DAY,
    endedAt: NOW - daysAgo * DAY + seconds * 1000,
  }) as ExecutionLine

describe('the trend of a task', () => {
  const usual = Array.from({ length: 20 }, (_, day) => line(day + 2, 100 + day))
  it('marks what took 1.5 times the 95th percentile of the 30 days before it, and nothing else', () => {
    const points = trendOf([...usual, line(1, 300)])
    expect(points.filter(({ isOdd }) => isOdd)).toMatchObject([{ seconds: 300, p95: 118 }])
    expect(trendOf([...usual, line(1, 170)]).some(({ isOdd }) => isOdd)).toBe(false)
  })
  it('says nothing is usual before five executions, and forgets those older than 30 days', () => {
    const points = trendOf(usual)
    expect(points.slice(0, 5).every(({ p50 }) => p50 === undefined)).toBe(true)
    expect(points[5]).toMatchObject({ p5: 115, p50: 117, p95: 119 })
    expect(trendOf([line(80, 900), line(79, 900), ...usual]).at(-1)?.p95).toBe(119)
  })
  it('leaves out what failed', () => {
    expect(trendOf([line(1, 5, 'failed'), line(2, 7)])).toMatchObject([{ seconds: 7 }])
  })
  it('compares the last seven days with the time before', () => {
    const slower = Array.from({ length: 6 }, (_, day) => line(day + 0.5, 200))
    const before = usual.filter(({ startedAt }) => startedAt < NOW - 7 * DAY)
    expect(changeOf(trendOf([...before, ...slower]), NOW)).toEqual({ before: 112, lately: 200 })
    expect(changeOf(trendOf(slower), NOW)).toBeUndefined()
  })
})
