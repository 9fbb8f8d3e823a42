import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rangesOf } from '../../src/rows/ranges.ts'

const whole = fc.oneof(
  fc.bigInt({ min: -20n, max: 40n }),
  fc.bigInt({ min: 2n ** 64n - 20n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 999_999_999_999_990n, max: 1_000_000_000_000_010n }),
)

describe('the ranges of a list of whole numbers', () => {
  it('hold each of them and no other, without touching each other', () => {
    fc.assert(
      fc.property(fc.array(whole, { maxLength: 60 }), (list) => {
        const ranges = rangesOf(list.map(String)).map(({ from, to }) => [BigInt(from), BigInt(to)] as const)
        const all = ranges.flatMap(([from, to]) => {
          expect(from <= to).toBe(true)
          return Array.from({ length: Number(to - from) + 1 }, (_, at) => from + BigInt(at))
        })
        expect(all).toEqual([...new Set(list)].sort((a, b) => (a < b ? -1 : 1)))
        for (const [at, [from]] of ranges.slice(1).entries()) expect(from > ranges[at]![1] + 1n).toBe(true)
      }),
    )
  })
})
