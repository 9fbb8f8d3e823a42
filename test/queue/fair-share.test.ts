import { describe, expect, it } from 'vitest'
import { fairShare } from '../../src/queue/fair-share.ts'

const MOST = 6

/** When each of the instances ends that takes its claims one after the other; `paces`: time for an item. */
const ends = (items: number, paces: readonly number[], sizeOf: (left: number) => number): number[] => {
  const clocks = paces.map(() => 0)
  for (let left = items; left > 0;) {
    const next = clocks.indexOf(Math.min(...clocks))
    const size = Math.min(left, sizeOf(left))
    clocks[next]! += size * paces[next]!
    left -= size
  }
  return clocks
}

const spread = (clocks: readonly number[]): number => 1 - Math.min(...clocks) / Math.max(...clocks)

describe('instances of which one is five times slower', () => {
  /** Whatever the number of items. */
  const worst = (sizeOf: (left: number) => number): number =>
    Math.max(...Array.from({ length: 100 }, (_, i) => spread(ends(120 + i, [1, 1, 5], sizeOf))))

  it('end together, because claims become small towards the end', () => {
    expect(worst((left) => fairShare(MOST, left, 3))).toBeLessThan(0.1)
  })

  it('would not with claims of one size: the control', () => {
    expect(worst(() => MOST)).toBeGreaterThan(0.25)
  })
})

describe('a fair share', () => {
  it.each([
    { pending: 1000, instances: 3, share: 6 },
    { pending: 36, instances: 3, share: 3 },
    { pending: 1, instances: 3, share: 1 },
    { pending: 0, instances: 0, share: 1 },
  ])('is $share where $pending are left for $instances', ({ pending, instances, share }) => {
    expect(fairShare(MOST, pending, instances)).toBe(share)
  })
})
