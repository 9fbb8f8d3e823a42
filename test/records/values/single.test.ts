import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asSingle } from '../../../src/records/values/single.ts'

describe('a number that is kept in four bytes', () => {
  it('stays the same float, and does not change when it is kept again', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (number) => {
        const kept = asSingle(number)
        expect(Math.fround(kept) === Math.fround(number)).toBe(true)
        expect(asSingle(kept) === kept).toBe(true)
      }),
    )
  })
  it('keeps six digits whatever they are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -999_999, max: 999_999 }),
        fc.integer({ min: -30, max: 30 }),
        (digits, power) => {
          const number = Number(`${digits}e${power}`)
          expect(asSingle(number) === number).toBe(true)
        },
      ),
    )
  })
})
