import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  calculate,
  compareDecimals,
  decimalText,
  parseDecimal,
  rescale,
} from '../../../src/records/values/decimal.ts'

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
