import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Range, RunSet } from '../../src/common/run-set.ts'
import { sized } from '../sized.ts'

const run = fc.integer({ min: 1, max: 60 })
const runs = fc.array(run, { maxLength: 40 })
const sorted = (set: Iterable<number>): number[] => [...set].sort((a, b) => a - b)
const check = (property: (a: Set<number>, b: Set<number>, x: RunSet, y: RunSet) => void): void =>
  fc.assert(
    fc.property(runs, runs, (a, b) => property(new Set(a), new Set(b), RunSet.of(a), RunSet.of(b))),
    { numRuns: sized(200, 1000) },
  )

describe('a set of runs agrees with a plain set', () => {
  it('in what it holds, in ascending order, and how many', () => {
    check((a, _, x) => {
      expect([...x]).toEqual(sorted(a))
      expect(x.size).toBe(a.size)
      expect(x.isEmpty).toBe(a.size === 0)
      expect(x.first).toBe(sorted(a)[0])
      expect(x.last).toBe(sorted(a).at(-1))
    })
  })
  it('in membership', () => {
    check((a, _, x) => {
      for (let one = 0; one <= 61; one++) expect(x.has(one)).toBe(a.has(one))
    })
  })
  it('in union, intersection and difference', () => {
    check((a, b, x, y) => {
      expect([...x.union(y)]).toEqual(sorted(new Set([...a, ...b])))
      expect([...x.intersect(y)]).toEqual(sorted([...a].filter((one) => b.has(one))))
      expect([...x.minus(y)]).toEqual(sorted([...a].filter((one) => !b.has(one))))
    })
  })
  it('in what is above, up to, and the first few', () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: -2, max: 62 }), (list, limit) => {
        const set = RunSet.of(list)
        const plain = sorted(new Set(list))
        expect([...set.above(limit)]).toEqual(plain.filter((one) => one > limit))
        expect([...set.upTo(limit)]).toEqual(plain.filter((one) => one <= limit))
        expect([...set.take(limit)]).toEqual(plain.slice(0, Math.max(0, limit)))
      }),
    )
  })
  it('in its gaps and its unbroken beginning', () => {
    check((a, _, x) => {
      const plain = sorted(a)
      const [first = 0] = plain
      const all = Array.from({ length: (plain.at(-1) ?? 0) - first + 1 }, (_, i) => first + i)
      expect([...x.gaps]).toEqual(plain.length === 0 ? [] : all.filter((one) => !a.has(one)))
      expect(x.lastContiguous).toBe(first === 0 ? 0 : first + plain.findLastIndex((one, i) => one === first + i && plain.slice(0, i + 1).every((p, k) => p === first + k))) // prettier-ignore
    })
  })
  it('and keeps ranges that neither touch nor overlap, after every operation', () => {
    check((_, __, x, y) => {
      for (const set of [
        x,
        y,
        x.union(y),
        x.intersect(y),
        x.minus(y),
        x.gaps,
        x.above(20),
        x.upTo(20),
        x.take(7),
      ])
        for (const [i, [first, last]] of set.ranges.entries()) {
          expect(first).toBeLessThanOrEqual(last)
          if (i > 0) expect(first).toBeGreaterThan(set.ranges[i - 1]![1] + 1)
        }
    })
  })
  it('and equals another exactly when both hold the same', () => {
    check((a, b, x, y) => {
      expect(x.equals(y)).toBe(sorted(a).join() === sorted(b).join())
      expect(RunSet.ofRanges([...y.ranges, ...x.ranges]).equals(x.union(y))).toBe(true)
    })
  })
  it('and is read back from its text', () => {
    check((a, _, x) => {
      if (a.size > 0) expect(RunSet.parse(x.toString()).equals(x)).toBe(true)
    })
  })
})

describe('the text of a set of runs', () => {
  it('is ranges and single runs', () => {
    expect(RunSet.of([5, 3, 4, 9, 3]).toString()).toBe('3-5,9')
    expect([...RunSet.parse(' 12000 - 12002 ,12060,12001')]).toEqual([12000, 12001, 12002, 12060])
  })
  it.each(['', ',', '5-', '-5', '0', '1e3', '0x10', '7-3', '1,,2', '1_0', '９', '1234567890123456'])(
    '%j is refused, and quoted',
    (text) => {
      expect(() => RunSet.parse(text)).toThrow(SyntaxError)
    },
  )
})

describe('hundreds of thousands of scattered runs', () => {
  it('survive union with as many others, whose ranges no stack could hold', () => {
    const even = RunSet.of(Array.from({ length: 300_000 }, (_, i) => 2 * i + 2))
    const odd = RunSet.ofRanges(Array.from({ length: 300_000 }, (_, i): Range => [2 * i + 1, 2 * i + 1]))
    expect(even.union(odd).ranges).toEqual([[1, 600_000]])
  })
})
