/** An exact decimal: `units` × 10^−`scale`. */
export interface Decimal {
  readonly units: bigint
  readonly scale: number
}

/** Digits that arithmetic keeps, as SQL's decimals do. */
const MOST_DIGITS = 38
/** Digits after the point that a division gives. */
const QUOTIENT_SCALE = 20

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?$/

/** Reads plain decimal notation: `-12.50`, `.5`. Undefined for anything else, `1e3`, `NaN` and a lone point included. */
export const parseDecimal = (text: string): Decimal | undefined => {
  if (text.length > 400) return undefined
  const match = DECIMAL.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = ''] = match
  if (whole === '' && fraction === '') return undefined
  const units = BigInt(whole + fraction)
  return { units: sign === '-' ? -units : units, scale: fraction.length }
}

const power = (exponent: number): bigint => 10n ** BigInt(exponent)

/** The same number with that many digits after the point; half up (away from zero) where digits are dropped. */
export const rescale = ({ units, scale }: Decimal, to: number): Decimal => {
  if (to >= scale) return { units: units * power(to - scale), scale: to }
  return { units: divideHalfUp(units, power(scale - to)), scale: to }
}

/** Whether the number has no digit other than 0 behind the first `scale` digits after the point. */
export const fitsScale = (value: Decimal, scale: number): boolean =>
  value.scale <= scale || value.units % power(value.scale - scale) === 0n

const divideHalfUp = (dividend: bigint, divisor: bigint): bigint => {
  const negative = dividend < 0n !== divisor < 0n
  const [above, below] = [magnitude(dividend), magnitude(divisor)]
  const quotient = (above * 2n + below) / (below * 2n)
  return negative ? -quotient : quotient
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

/** Plain notation with exactly `scale` digits after the point; no minus before zero. */
export const decimalText = ({ units, scale }: Decimal): string => {
  const digits = magnitude(units)
    .toString()
    .padStart(scale + 1, '0')
  const sign = units < 0n ? '-' : ''
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Without zeros at the end of the fraction, as people write numbers. */
export const shortest = ({ units, scale }: Decimal): Decimal => {
  let value = { units, scale }
  while (value.scale > 0 && value.units % 10n === 0n)
    value = { units: value.units / 10n, scale: value.scale - 1 }
  return value
}

/** How many digits stand before the point; 0 for a number below 1. */
export const wholeDigits = ({ units, scale }: Decimal): number => {
  const whole = magnitude(units) / power(scale)
  return whole === 0n ? 0 : whole.toString().length
}

const digitsOf = ({ units }: Decimal): number => magnitude(units).toString().length

const aligned = (a: Decimal, b: Decimal): readonly [bigint, bigint, number] => {
  const scale = Math.max(a.scale, b.scale)
  return [a.units * power(scale - a.scale), b.units * power(scale - b.scale), scale]
}

/** Below 0, 0 or above 0, as `a` is less than, equal to or more than `b`. */
export const compareDecimals = (a: Decimal, b: Decimal): number => {
  const [left, right] = aligned(a, b)
  return left < right ? -1 : left > right ? 1 : 0
}

/**
 * Exact arithmetic. Division gives up to 20 digits after the point, half up; `//` and `%` cut towards zero, as SQL does. Null where the
 * divisor is 0. Throws a RangeError where the result has more than 38 digits.
 */
export const calculate = (operator: string, a: Decimal, b: Decimal): Decimal | null => {
  const [left, right, scale] = aligned(a, b)
  switch (operator) {
    case '+':
      return bounded({ units: left + right, scale })
    case '-':
      return bounded({ units: left - right, scale })
    case '*':
      return bounded({ units: a.units * b.units, scale: a.scale + b.scale })
    case '/':
      if (right === 0n) return null
      return quotientOf(left, right)
    case '//':
      return right === 0n ? null : bounded({ units: left / right, scale: 0 })
    case '%':
      return right === 0n ? null : bounded({ units: left % right, scale })
    default:
      throw new TypeError(`no arithmetic operator: ${operator}`)
  }
}

/** Rounded once, to as many digits as there is room for. */
const quotientOf = (dividend: bigint, divisor: bigint): Decimal => {
  const room = MOST_DIGITS - wholeDigits({ units: dividend / divisor, scale: 0 })
  const scale = Math.max(0, Math.min(QUOTIENT_SCALE, room))
  return bounded({ units: divideHalfUp(dividend * power(scale), divisor), scale })
}

const bounded = (value: Decimal): Decimal => {
  if (digitsOf(value) <= MOST_DIGITS) return value
  const short = shortest(value)
  if (digitsOf(short) <= MOST_DIGITS) return short
  // Digits far behind the point give way before the whole number does.
  const room = MOST_DIGITS - wholeDigits(short)
  if (room < 0) throw new RangeError(`the result has more than ${MOST_DIGITS} digits`)
  return rescale(short, Math.min(short.scale, room))
}
