/** A moment in UTC with up to nine digits of a second, or a day. */
export interface Moment {
  /** Epoch milliseconds of the whole second. */
  readonly seconds: number
  /** Digits of the fraction as they were written, without zeros at the end. */
  readonly fraction: string
}

/** A format of the mapping, ready to match. */
export interface DateFormat {
  readonly text: string
  readonly pattern: RegExp
  readonly fields: readonly string[]
}

/** The parts of a format and what they match. `M`, `D` and `H` take one digit or two. */
const TOKENS: Readonly<Record<string, string>> = {
  YYYY: '(\\d{4})',
  MMM: '([A-Za-z]{3})',
  MM: '(\\d{2})',
  M: '(\\d{1,2})',
  DD: '(\\d{2})',
  D: '(\\d{1,2})',
  HH: '(\\d{2})',
  H: '(\\d{1,2})',
  hh: '(\\d{2})',
  h: '(\\d{1,2})',
  mm: '(\\d{2})',
  ss: '(\\d{2})',
  SSS: '(\\d{1,9})',
  A: '([AaPp][Mm])',
  Z: '(Z|[+-]\\d{2}:?\\d{2})',
}
const TOKEN = /YYYY|MMM|MM|M|DD|D|HH|H|hh|h|mm|ss|SSS|A|Z|\[([^\]]*)\]|./g
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/**
 * Reads a format such as `M/D/YYYY HH:mm:ss`, or `ISO`. Letters that are no part of a date stand in brackets: `YYYY[T]HH`. Throws a
 * SyntaxError for a format without a whole date, or with a letter that means nothing.
 */
export const dateFormat = (text: string): DateFormat => {
  if (text === 'ISO') return ISO_FORMAT
  const fields: string[] = []
  let pattern = ''
  for (const [token, literal] of text.matchAll(TOKEN)) {
    const part = TOKENS[token]
    if (part !== undefined) {
      if (fields.includes(token)) throw new SyntaxError(`has ${token} twice`)
      fields.push(token)
      pattern += part
    } else if (literal === undefined && /[A-Za-z]/.test(token) && token !== 'T')
      throw new SyntaxError(`has "${token}", which is no part of a date: write it in brackets, [${token}]`)
    else pattern += escaped(literal ?? token)
  }
  const has = (...names: string[]): boolean => names.some((name) => fields.includes(name))
  if (!has('YYYY') || !has('MMM', 'MM', 'M') || !has('DD', 'D'))
    throw new SyntaxError('must hold year (YYYY), month (M, MM or MMM) and day (D or DD)')
  if (has('hh', 'h') && !has('A'))
    throw new SyntaxError('has h, the hours of a 12-hour clock, without A (AM or PM)')
  return { text, pattern: new RegExp(`^${pattern}$`), fields }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/

export const ISO_FORMAT: DateFormat = { text: 'ISO', pattern: ISO, fields: [] }

/** `2024-01-31`, `2024-01-31 08:00:00.5`, `2024-01-31T08:00+05:00`. Undefined for any other text and for days that no calendar has. */
export const isoMoment = (text: string): Moment | undefined => {
  const match = ISO.exec(text)
  if (!match) return undefined
  const [, year = '', month = '', day = '', hour = '0', minute = '0', second = '0', fraction = '', zone] =
    match
  return moment({ year, month, day, hour, minute, second, fraction, zone })
}

/** Tries each format in turn; ISO 8601 where there are none. An offset is applied, a time without one is UTC. */
export const parseMoment = (text: string, formats: readonly DateFormat[]): Moment | undefined => {
  if (formats.length === 0) return isoMoment(text)
  for (const { pattern, fields } of formats) {
    const match = pattern.exec(text)
    if (!match) continue
    if (pattern === ISO) {
      const iso = isoMoment(text)
      if (iso) return iso
      continue
    }
    const field = (...names: string[]): string | undefined => {
      const index = fields.findIndex((name) => names.includes(name))
      return index < 0 ? undefined : match[index + 1]
    }
    const name = field('MMM')
    const found = moment({
      year: field('YYYY') ?? '',
      month: name === undefined ? (field('MM', 'M') ?? '') : String(MONTHS.indexOf(name.toLowerCase()) + 1),
      day: field('DD', 'D') ?? '',
      hour: hourOf(field('HH', 'H'), field('hh', 'h'), field('A')),
      minute: field('mm') ?? '0',
      second: field('ss') ?? '0',
      fraction: field('SSS') ?? '',
      zone: field('Z'),
    })
    if (found) return found
  }
  return undefined
}

/** An hour of a 12-hour clock outside of 1 to 12 gives 99, which no day has. */
const hourOf = (full: string | undefined, half: string | undefined, noon: string | undefined): string => {
  if (half === undefined) return full ?? '0'
  const hour = Number(half)
  if (hour < 1 || hour > 12) return '99'
  return String((hour % 12) + (noon?.toLowerCase() === 'pm' ? 12 : 0))
}

interface Written {
  readonly year: string
  readonly month: string
  readonly day: string
  readonly hour: string
  readonly minute: string
  readonly second: string
  readonly fraction: string
  readonly zone: string | undefined
}

const moment = (written: Written): Moment | undefined => {
  const [year, month, day, hour, minute, second] = [
    written.year,
    written.month,
    written.day,
    written.hour,
    written.minute,
    written.second,
  ].map(Number) as [number, number, number, number, number, number]
  if (year < 1 || hour > 23 || minute > 59 || second > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    return undefined
  const offset = offsetOf(written.zone)
  if (offset === undefined) return undefined
  const seconds = date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000
  const found = { seconds, fraction: written.fraction.replace(/0+$/, '') }
  // An offset may lead out of the calendar.
  return isOfCalendar(found) ? found : undefined
}

/** Whether the moment stands in the years 1 to 9999. */
export const isOfCalendar = ({ seconds }: Moment): boolean => {
  const year = new Date(seconds).getUTCFullYear()
  return year >= 1 && year <= 9999
}

/** Minutes east of UTC; undefined for one that no place has. */
const offsetOf = (zone: string | undefined): number | undefined => {
  if (zone === undefined || zone === 'Z') return 0
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(zone) ?? []
  const total = Number(hours) * 60 + Number(minutes)
  if (Number(minutes) > 59 || total > 14 * 60) return undefined
  return sign === '-' ? -total : total
}

/** `2024-01-31`. */
export const dayText = ({ seconds }: Moment): string => isoDay(new Date(seconds))

const isoDay = (date: Date): string => date.toISOString().replace(/^\+00/, '').slice(0, 10)

/** `2024-01-31 08:00:00`, with `scale` digits of the second, or as many as were written. */
export const momentText = ({ seconds, fraction }: Moment, scale: number | undefined): string => {
  const clock = new Date(seconds).toISOString().slice(11, 19)
  const digits = fraction.padEnd(scale ?? 0, '0')
  return `${dayText({ seconds, fraction })} ${clock}${digits === '' ? '' : `.${digits}`}`
}

/** Whether the moment stands at the very beginning of a day. */
export const isMidnight = ({ seconds, fraction }: Moment): boolean =>
  seconds % 86_400_000 === 0 && fraction === ''

/** Adds days, months or years; a day that the month does not have becomes its last one, as SQL does. */
export const addToMoment = (from: Moment, unit: 'day' | 'month' | 'year', count: number): Moment => {
  if (unit === 'day') return { ...from, seconds: from.seconds + count * 86_400_000 }
  const date = new Date(from.seconds)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + count * (unit === 'year' ? 12 : 1))
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, last))
  return { ...from, seconds: date.getTime() }
}

export const compareMoments = (a: Moment, b: Moment): number =>
  a.seconds - b.seconds || (a.fraction < b.fraction ? -1 : a.fraction > b.fraction ? 1 : 0)
