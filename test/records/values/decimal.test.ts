import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  calculate,
  compareDecimals,
  decimalText,
  parseDecimal,
  rescale,
  shortest,
} from '../../../src/records/values/decimal.ts'
import { sized } from '../../sized.ts'

const decimal = fc.record({
  units: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
  scale: fc.integer({ min: 0, max: 6 }),
})
/** The same number as a fraction of 10^12. */
const scaled = ({ units, scale }: { units: bigint; scale: number }): bigint =>
  units * 10n ** BigInt(12 - scale)

describe('decimals', () => {
  it('add, subtract and multiply as whole numbers do', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(scaled(calculate('+', a, b)!)).toBe(scaled(a) + scaled(b))
        expect(scaled(calculate('-', a, b)!)).toBe(scaled(a) - scaled(b))
        expect(scaled(calculate('*', a, b)!) * 10n ** 12n).toBe(scaled(a) * scaled(b))
        expect(Math.sign(compareDecimals(a, b))).toBe(
          scaled(a) < scaled(b) ? -1 : scaled(a) > scaled(b) ? 1 : 0,
        )
      }),
    )
  })
  it('divide so that quotient times divisor and remainder give the dividend', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        if (b.units === 0n) return
        const [quotient, rest] = [calculate('//', a, b)!, calculate('%', a, b)!]
        expect(scaled(quotient) * scaled(b) + scaled(rest) * 10n ** 12n).toBe(scaled(a) * 10n ** 12n)
      }),
    )
  })
  it('divide to the nearest number of 20 digits after the point, or of 38 in all, away from zero in the middle', () => {
    const wide = fc.record({
      units: fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
      scale: fc.integer({ min: 0, max: 20 }),
    })
    const size = (value: bigint): bigint => (value < 0n ? -value : value)
    fc.assert(
      fc.property(fc.oneof(decimal, wide), fc.oneof(decimal, wide), (a, b) => {
        if (b.units === 0n) {
          expect(calculate('/', a, b)).toBeNull()
          return
        }
        // As a fraction of whole numbers.
        const [above, below] = [a.units * 10n ** BigInt(b.scale), b.units * 10n ** BigInt(a.scale)]
        const whole = size(above / below).toString()
        const digits = whole === '0' ? 0 : whole.length
        if (digits > 38) {
          expect(() => calculate('/', a, b)).toThrow(RangeError)
          return
        }
        const scale = Math.min(20, 38 - digits)
        const { units, scale: given } = calculate('/', a, b)!
        expect(given).toBeLessThanOrEqual(scale)
        // Twice the distance from the true quotient, in units of the last digit, times the divisor.
        const twice =
          2n * (size(above) * 10n ** BigInt(scale) - size(units) * 10n ** BigInt(scale - given) * size(below))
        expect(twice < size(below) && twice >= -size(below)).toBe(true)
        if (units !== 0n) expect(units < 0n).toBe(above < 0n !== below < 0n)
      }),
      { numRuns: sized(4000, 20_000) },
    )
  })
  it.each([
    // 1 / 3 of a number of 38 digits has no room for a fraction.
    ['99999999999999999999999999999999999999', '2', '50000000000000000000000000000000000000'],
    ['2', '3', '0.66666666666666666667'],
    ['-2', '3', '-0.66666666666666666667'],
    // Rounded to 20 digits first, 0.4999...95 would become 0.5 and then 1.
    [
      '5000000000000000000000000000000000000.49999999999999999999',
      '1',
      '5000000000000000000000000000000000000.5',
    ],
  ])('%s / %s is %s', (a, b, expected) => {
    expect(decimalText(shortest(calculate('/', parseDecimal(a)!, parseDecimal(b)!)!))).toBe(expected)
  })
  it('come back from their text', () => {
    fc.assert(
      fc.property(decimal, (value) => {
        expect(scaled(parseDecimal(decimalText(value))!)).toBe(scaled(value))
      }),
    )
  })
  it.each([
    ['2.345', 2, '2.35'],
    ['-2.345', 2, '-2.35'],
    ['-0.004', 2, '0.00'],
    ['7', 3, '7.000'],
  ])('%s with %i digits is %s', (text, scale, expected) => {
    expect(decimalText(rescale(parseDecimal(text)!, scale))).toBe(expected)
  })
  it.each(['1e3', 'NaN', '', '.', '1.2.3', ' 1', '１', '0x1'])('%j is none', (text) => {
    expect(parseDecimal(text)).toBeUndefined()
  })
  it('refuse a result of more than 38 digits', () => {
    const large = { units: 10n ** 30n, scale: 0 }
    expect(() => calculate('*', large, large)).toThrow(RangeError)
  })
})
