import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { criticalPath, dependencyLoop, type GraphTask } from '../../../src/tracking/graph/critical-path.ts'
import { quantile } from '../../../src/common/quantile.ts'
import { predictedEnd } from '../../../src/tracking/graph/predicted-end.ts'

const task = (name: string, seconds: number | undefined, ...dependsOn: string[]): GraphTask => ({
  name,
  seconds,
  dependsOn,
})

describe('the critical path', () => {
  it('is the chain that takes longest, with its slowest task', () => {
    const tasks = [task('a', 10), task('b', 100, 'a'), task('c', 60, 'a'), task('d', 5, 'b', 'c')]
    expect(criticalPath(tasks)).toEqual({
      tasks: ['a', 'b', 'd'],
      seconds: 115,
      unknown: [],
      bottleneck: 'b',
    })
  })
  it('names tasks without a known duration, registered or not', () => {
    expect(criticalPath([task('b', undefined, 'gone'), task('c', 3, 'b')])).toEqual({
      tasks: ['gone', 'b', 'c'],
      seconds: 3,
      unknown: ['gone', 'b'],
      bottleneck: 'c',
    })
  })
  it('does not exist in a loop, which is named', () => {
    const tasks = [task('a', 1, 'c'), task('b', 1, 'a'), task('c', 1, 'b'), task('x', 1)]
    expect(criticalPath(tasks).tasks).toEqual([])
    expect([...(dependencyLoop(tasks) ?? [])].sort()).toEqual(['a', 'b', 'c'])
  })
  it('takes at least as long as every chain of any graph', () => {
    const graphs = fc.array(fc.tuple(fc.nat(100), fc.array(fc.nat(9), { maxLength: 3 })), {
      minLength: 1,
      maxLength: 10,
    })
    fc.assert(
      fc.property(graphs, (rows) => {
        // Each task depends on earlier ones only, so there is no loop.
        const tasks = rows.map(([seconds, before], i) =>
          task(String(i), seconds, ...before.filter((b) => b < i).map(String)),
        )
        const best = (i: number): number => {
          const [seconds, before] = rows[i]!
          return seconds + Math.max(0, ...before.filter((b) => b < i).map(best))
        }
        expect(criticalPath(tasks).seconds).toBe(Math.max(...rows.map((_row, i) => best(i))))
      }),
    )
  })
})

describe('the predicted end', () => {
  const past = [10, 20, 30, 40, 100]
  it('comes from the items where they say something', () => {
    const byItems = { at: 5, low: 4, high: 6 }
    expect(predictedEnd({ startedAt: 0, now: 1, byItems, isLastSubtask: true, past })).toEqual({
      ...byItems,
      covers: 'execution',
      basis: 'items',
      overdue: false,
    })
  })
  it('comes from past executions otherwise, and never lies in the past', () => {
    const of = { startedAt: 0, byItems: undefined, isLastSubtask: true, past }
    expect(predictedEnd({ ...of, now: 0 })).toEqual({
      at: 30_000,
      low: 20_000,
      high: 40_000,
      basis: 'history',
      covers: 'execution',
      overdue: false,
    })
    expect(predictedEnd({ ...of, now: 101_000 })).toMatchObject({ at: 101_000, overdue: true })
  })
  it('is not guessed', () => {
    expect(
      predictedEnd({ startedAt: 0, byItems: undefined, isLastSubtask: true, now: 1, past: [1, 2] }),
    ).toBeUndefined()
  })
  it('uses ranks that are there', () => {
    expect([0, 0.5, 0.95, 1].map((share) => quantile([3, 1, 2], share))).toEqual([1, 2, 3, 3])
    expect(quantile([], 0.5)).toBeUndefined()
  })
})
