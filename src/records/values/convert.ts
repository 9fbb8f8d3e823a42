import type { ItemCode } from '../item-error.ts'
import type { Codes, Column, ColumnType } from '../mapping/model.ts'
import { characterFault, trimmed } from './characters.ts'
import {
  dayText,
  isMidnight,
  isOfCalendar,
  momentText,
  parseMoment,
  type DateFormat,
  type Moment,
} from './dates.ts'
import { decimalText, fitsScale, parseDecimal, rescale, wholeDigits } from './decimal.ts'

/** What is stored: whole numbers up to 2^53 as numbers, larger ones and decimals as text. Null is left out of the row. */
export type Cell = string | number | null

/** A value that does not fit its column. Its message holds no value. */
export class ValueError extends Error {
  readonly code: ItemCode
  constructor(code: ItemCode, message: string) {
    super(message)
    this.name = 'ValueError'
    this.code = code
  }
}

const bad = (message: string): ValueError => new ValueError('VALUE_NOT_VALID', message)

/** Takes the characters away that the column names; throws where digits are grouped in the wrong places. */
export const cleaned = (text: string, { strip, grouping, digits }: Column): string => {
  let clean = text
  for (const character of strip) clean = clean.replaceAll(character, '')
  if (digits) clean = clean.replace(/\D/g, '')
  if (grouping !== '' && clean.includes(grouping)) {
    const plain = clean.trim()
    const point = grouping === '.' ? -1 : plain.indexOf('.')
    const groups = (point < 0 ? plain : plain.slice(0, point)).split(grouping)
    const sound = groups.every((group, index) => (index === 0 ? /^[+-]?\d{1,3}$/ : /^\d{3}$/).test(group))
    if (!sound || (point >= 0 && plain.includes(grouping, point)))
      throw bad('is no number with groups of three digits')
    clean = clean.replaceAll(grouping, '')
  }
  return strip === '' ? clean : trimmed(clean)
}

/** What a code stands for; undefined where the code is not known, null where a blank stands for nothing. */
export const decoded = (
  code: string | null,
  { values, ignoreCase }: Codes,
): string | number | null | undefined => {
  const blank = values.get('')
  if (code === null) return blank ?? null
  const exact = values.get(code)
  if (exact !== undefined) return exact
  if (ignoreCase) {
    const wanted = code.toLowerCase()
    for (const [name, value] of values) if (name !== '' && name.toLowerCase() === wanted) return value
  }
  return undefined
}

const RANGES: Readonly<Partial<Record<ColumnType, readonly [bigint, bigint]>>> = {
  tinyint: [0n, 255n],
  smallint: [-32_768n, 32_767n],
  integer: [-2_147_483_648n, 2_147_483_647n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
}

/** Text as its column's type stores it. Throws a ValueError; `cut` is called where text is cut on request. */
export const typed = (text: string, column: Column, cut: () => void): Cell => {
  const { type } = column
  switch (type) {
    case undefined:
    case 'text':
      return asText(text, column, cut)
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return asInteger(text, type, column.round)
    case 'decimal':
      return asDecimal(text, column)
    case 'float':
      return asFloat(text)
    case 'date':
      return asDate(text, column.formats)
    case 'datetime':
      return asDatetime(text, column)
    case 'bit':
      return asBit(text)
    case 'json':
      return asJson(text)
  }
}

const asText = (text: string, { length, onLong }: Column, cut: () => void): string => {
  holdsCharacters(text)
  if (length === undefined || text.length <= length) return text
  const characters = Array.from(text)
  if (characters.length <= length) return text
  if (onLong === 'fail')
    throw new ValueError('VALUE_TOO_LONG', `has ${characters.length} characters, the column takes ${length}`)
  cut()
  return characters.slice(0, length).join('')
}

const asInteger = (text: string, type: ColumnType, round: boolean): number | string => {
  let units: bigint
  if (/^[+-]?\d{1,400}$/.test(text)) units = BigInt(text.replace('+', ''))
  else {
    const decimal = round ? parseDecimal(text) : undefined
    if (!decimal) throw bad('is no whole number')
    units = rescale(decimal, 0).units
  }
  const [least, most] = RANGES[type] ?? [units, units]
  if (units < least || units > most) throw new ValueError('VALUE_OUT_OF_RANGE', `is outside of ${type}`)
  return integerCell(units)
}

/** A whole number as it is shown and stored: as text above 2^53. */
export const integerCell = (units: bigint): number | string =>
  units <= BigInt(Number.MAX_SAFE_INTEGER) && units >= BigInt(Number.MIN_SAFE_INTEGER)
    ? Number(units)
    : units.toString()

const asDecimal = (text: string, { precision, scale, round }: Column): string => {
  const decimal = parseDecimal(text)
  if (!decimal) throw bad('is no decimal number')
  if (scale !== undefined && !round && !fitsScale(decimal, scale))
    throw bad(`has more than ${scale} digits after the point (round: half_up rounds it)`)
  const scaled = rescale(decimal, scale ?? decimal.scale)
  if (precision !== undefined && wholeDigits(scaled) > precision - (scale ?? 0))
    throw new ValueError('VALUE_OUT_OF_RANGE', `has more digits than decimal(${precision}, ${scale ?? 0})`)
  return decimalText(scaled)
}

const asFloat = (text: string): number => {
  const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(number)) throw bad('is no number')
  const isLost = number === 0 && /^[^eE]*[1-9]/.test(text)
  if (!Number.isFinite(number) || isLost) throw new ValueError('VALUE_OUT_OF_RANGE', 'is outside of float')
  return number
}

const asDate = (text: string, formats: readonly DateFormat[]): string => {
  const moment = parseMoment(text, formats)
  if (!moment || (formats.length === 0 && !isMidnight(moment))) throw bad('is no date of the formats')
  return dayText(moment)
}

/** Digits of a second that databases keep. */
const FINEST = 6

const asDatetime = (text: string, { formats, scale, round }: Column): string => {
  const moment = parseMoment(text, formats)
  if (!moment) throw bad('is no date and time of the formats')
  const most = scale ?? FINEST
  if (moment.fraction.length <= most) return momentText(moment, scale)
  if (!round) throw bad(`has more than ${most} digits of a second`)
  const rounded = rescale({ units: BigInt(moment.fraction), scale: moment.fraction.length }, most)
  const carry = rounded.units === 10n ** BigInt(most)
  const fraction = carry ? '' : rounded.units.toString().padStart(most, '0')
  const sooner = { seconds: moment.seconds + (carry ? 1000 : 0), fraction: most === 0 ? '' : fraction }
  if (!isOfCalendar(sooner)) throw new ValueError('VALUE_OUT_OF_RANGE', 'is beyond the year 9999')
  return momentText(sooner, scale)
}

/** The moment of an item as a column takes it: a day, or as many digits of the second as it keeps. It is ours, and no digit is lost by it. */
export const momentOfNow = (now: Moment, { type, scale }: Column): string => {
  if (type === 'date') return dayText(now)
  const most = type === 'datetime' ? (scale ?? FINEST) : 3
  return momentText({ ...now, fraction: now.fraction.slice(0, most) }, undefined)
}

const BITS: Readonly<Record<string, number>> = { '1': 1, '0': 0, true: 1, false: 0 }

const asBit = (text: string): number => {
  const bit = Object.hasOwn(BITS, text) ? BITS[text] : undefined
  if (bit === undefined) throw bad('is no bit: 1, 0, true or false')
  return bit
}

const asJson = (text: string): string => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw bad('is no JSON')
  }
  if (/\\u(?:0000|d[89a-f])/i.test(text)) holdsCharactersIn(value)
  return text
}

const holdsCharacters = (text: string): void => {
  const fault = characterFault(text)
  if (fault !== undefined) throw bad(fault)
}

const holdsCharactersIn = (value: unknown): void => {
  if (typeof value === 'string') holdsCharacters(value)
  else if (Array.isArray(value)) value.forEach(holdsCharactersIn)
  else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value)) {
      holdsCharacters(name)
      holdsCharactersIn(member)
    }
}
