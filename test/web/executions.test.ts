import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compare } from '../../src/web/compare.ts'
import { meanToCompletion, usualSeconds } from '../../src/web/completion.ts'
import { BARS_MOST, ganttOf } from '../../src/web/gantt.ts'
import type { ExecutionDetail, ExecutionLine, Standing } from '../../src/web/model.ts'
import { stepPlan } from '../../src/web/step-plan.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const day = Date.UTC(2026, 10, 27)
const now = day + 22 * HOUR

let numbers = 0
const line = (
  task: string,
  startedAt: number,
  endedAt: number | undefined,
  standing: Standing = 'ok',
): ExecutionLine => ({ id: ++numbers, task, startedAt, endedAt, standing, error: undefined }) as ExecutionLine
const detail = (of: Partial<ExecutionDetail>): ExecutionDetail =>
  ({
    parts: [],
    attempted: 0,
    failed: 0,
    standing: 'ok',
    host: 'h',
    startedAt: 0,
    endedAt: 0,
    ...of,
  }) as never

describe("a day's picture", () => {
  it('has each execution that lies in it at all, cut where the day ends', () => {
    const lines = ganttOf(
      [
        line('before', day - 2 * HOUR, day - HOUR),
        line('into', day - HOUR, day + HOUR),
        line('running', day + 20 * HOUR, undefined, 'running'),
        line('behind', day + DAY, undefined, 'running'),
      ],
      day,
      now,
    )
    expect(lines.map(({ task, bars }) => [task, bars[0]?.from, bars[0]?.to])).toEqual([
      ['into', 0, 1 / 24],
      ['running', 20 / 24, 22 / 24],
    ])
  })

  it('shows the worst of each ten minutes where there are too many bars, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: BARS_MOST }), fc.constantFrom('failed', 'killed'), (at, bad) => {
        const many = Array.from({ length: BARS_MOST + 1 }, (_, i) => {
          const start = day + Math.floor((i / (BARS_MOST + 1)) * 22 * HOUR)
          return line('t', start, start + 1000, i === at ? bad : 'ok')
        })
        const [only] = ganttOf(many, day, now)
        const marks = only?.bars.filter(({ standing }) => standing === bad) ?? []
        expect(only?.bars.length).toBeLessThanOrEqual(144)
        expect(only?.bars.reduce((sum, { count }) => sum + count, 0)).toBe(BARS_MOST + 1)
        expect(marks).toHaveLength(1)
      }),
      { numRuns: 20 },
    )
  })
})

describe('two executions side by side', () => {
  it('have each subtask by its name, the change, and nothing that neither has', () => {
    const part = (name: string, seconds: number) => ({ name, startedAt: 0, endedAt: seconds * 1000 })
    const lines = compare(
      {
        execution: detail({
          endedAt: 300_000,
          attempted: 30,
          parts: [part('read', 100), part('fit', 200)] as never,
        }),
        metrics: [{ at: 0, memoryMb: 100 } as never, { at: 1, memoryMb: 250 } as never],
      },
      {
        execution: detail({ endedAt: 200_000, attempted: 20, parts: [part('read', 50)] as never }),
        metrics: [],
      },
      now,
    )
    expect(Object.fromEntries(lines.map(({ what, a, b, change }) => [what, [a, b, change]]))).toEqual({
      Took: [300, 200, 0.5],
      Items: [30, 20, 0.5],
      'Failed items': [0, 0, undefined],
      'Seconds an item': [10, 10, 0],
      'Peak memory': [250, undefined, undefined],
      read: [100, 50, 1],
      fit: [200, undefined, undefined],
      Ended: ['ok', 'ok', undefined],
      Host: ['h', 'h', undefined],
    })
  })
})

describe('the mean time to completion', () => {
  it('counts from the first of the tries that led to a good end', () => {
    const tries = [
      line('t', 0, 10_000),
      line('t', 100_000, 110_000, 'failed'),
      line('t', 120_000, 130_000, 'killed'),
      line('t', 140_000, 150_000),
      line('t', 200_000, 210_000, 'failed'),
    ]
    expect(meanToCompletion(tries)).toBe((10 + 50) / 2)
    expect(meanToCompletion([...tries].reverse())).toBe((10 + 50) / 2)
    expect(meanToCompletion(tries.slice(4))).toBeUndefined()
  })
  it('has quantiles of good ends alone', () => {
    expect(usualSeconds([line('t', 0, 10_000), line('t', 0, 90_000, 'failed')], 0.95)).toBe(10)
    expect(usualSeconds([], 0.5)).toBeUndefined()
  })
})

describe('what is left of an execution that runs', () => {
  const times = ['read', 'fit', 'write'].map((name, i) => ({
    name,
    number: i + 1,
    p50: 60,
    executions: 20,
    before: undefined,
  }))
  const running = (startedAt: number) => ({
    endedAt: undefined,
    parts: [{ name: 'read', number: 1, startedAt, endedAt: undefined }] as never,
  })
  it('begins when the subtask in hand ends by its median', () => {
    expect(stepPlan(running(now - 20_000), times, now)).toEqual({
      currentEnds: now + 40_000,
      rest: [
        { name: 'fit', number: 2, from: now + 40_000, to: now + 100_000 },
        { name: 'write', number: 3, from: now + 100_000, to: now + 160_000 },
      ],
      end: now + 160_000,
    })
  })
  it('begins now where that one takes longer than it usually does', () => {
    expect(stepPlan(running(now - 300_000), times, now)?.rest[0]?.from).toBe(now)
  })
  it('is not guessed from two executions, nor for one that ended', () => {
    const few = times.map((time) => ({ ...time, executions: 2 }))
    expect(stepPlan(running(now), few, now)).toBeUndefined()
    expect(stepPlan({ ...running(now), endedAt: now }, times, now)).toBeUndefined()
  })
})
