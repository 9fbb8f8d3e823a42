import { classOf, DECIMAL, DIGIT, ENDS_INFINITY, ENDS_NUMBER, HEX, skipClass } from './characters.ts'

/**
 * Where the number that begins at `start` ends, or -1. Tried in artdaq's order: digits, infinity, a decimal, `0x…`, `0b…`.
 * Never normalised, so neither size nor precision matters.
 */
export const numberEnd = (text: string, start: number): number => {
  const digits = skipClass(text, start, DIGIT)
  if (digits > start && endsNumber(text, digits)) return digits
  const infinity = infinityEnd(text, start)
  if (infinity > start) return infinity
  const run = skipClass(text, digits, DECIMAL)
  if (run > start && endsNumber(text, run) && isDecimal(text, start, run)) return run
  return radixEnd(text, start)
}

const endsNumber = (text: string, at: number): boolean => (classOf(text, at) & ENDS_NUMBER) !== 0

const infinityEnd = (text: string, start: number): number => {
  const from = text[start] === '+' || text[start] === '-' ? start + 1 : start
  const end = from + 'infinity'.length
  return text.startsWith('infinity', from) && (classOf(text, end) & ENDS_INFINITY) !== 0 ? end : -1
}

/** Sign, digits and point with one digit at least, exponent with one digit at least. */
const PLAIN = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y

/** Whether the run as a whole is one number. */
const isDecimal = (text: string, start: number, end: number): boolean => {
  PLAIN.lastIndex = start
  return PLAIN.test(text) && PLAIN.lastIndex === end
}

const radixEnd = (text: string, start: number): number => {
  if (text[start] !== '0') return -1
  const from = start + 2
  const radix = text[start + 1]
  const end = radix === 'x' || radix === 'X' ? skipClass(text, from, HEX) : skipBinary(text, from, radix)
  return end > from && endsNumber(text, end) ? end : -1
}

const skipBinary = (text: string, from: number, radix: string | undefined): number => {
  if (radix !== 'b' && radix !== 'B') return from
  let at = from
  while (text[at] === '0' || text[at] === '1') at++
  return at
}
