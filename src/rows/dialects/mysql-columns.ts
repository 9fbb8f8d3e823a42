import { ArchiverError } from '../../errors.ts'
import { rangesOf } from '../ranges.ts'
import type { Column, CopiedColumn, Key, KeyColumn } from '../table.ts'

export const quote = (name: string): string => `\`${name.replaceAll('`', '``')}\``

const FLOATS = /^(?:float|double)$/
const NUMBERS = /^(?:(?:tiny|small|medium|big)?int|decimal|bit|year|boolean)$/
const TIMES = /^(?:date|datetime|timestamp|time)$/
const TEXTS = /^(?:char|varchar|tinytext|text|mediumtext|longtext)$/
/** Their number is the value: an ENUM that is invalid has the text of an empty one. Both sides have the same definition. */
const LISTS = /^(?:enum|set)$/
const BYTES = /^(?:binary|varbinary|tinyblob|blob|mediumblob|longblob)$/
const SHAPES =
  /^(?:geometry|point|linestring|polygon|multi(?:point|linestring|polygon)|geom(?:etry)?collection)$/
const ADDRESSES = /^(?:uuid|inet4|inet6)$/

/** Character sets whose bytes are those of UTF-8. */
const AS_UTF8 = /^(?:ascii|utf8|utf8mb3|utf8mb4)$/
/** Character sets that UTF-8 holds one for one. Others have codes that it has no character for, or one character for two of them. */
const WITHIN_UTF8 = /^(?:ascii|utf8|utf8mb3|utf8mb4|latin1|ucs2|utf16|utf16le|utf32)$/

const isWithinUtf8 = ({ charset }: Column): boolean => WITHIN_UTF8.test(charset ?? 'utf8mb4')

/** SQL for a text in UTF-8: as it is where it is stored so, because a conversion would give `?` for a byte that is no character. */
const inUtf8 = ({ charset }: Column, name: string): string =>
  AS_UTF8.test(charset ?? '') ? `BINARY ${name}` : `BINARY CONVERT(${name} USING utf8mb4)`

/** Whether values of this type can be compared and carried exactly. */
export const isKnownType = ({ type }: Column): boolean =>
  [FLOATS, NUMBERS, TIMES, TEXTS, LISTS, BYTES, SHAPES, ADDRESSES, /^json$/].some((known) => known.test(type))

/** SQL that is true when both values are identical to the byte, and when both are NULL. */
export const identical = ({ source, archive }: CopiedColumn): string => {
  const s = `s.${quote(source.name)}`
  const d = `d.${quote(archive.name)}`
  if (FLOATS.test(source.type))
    return `(${s} <=> ${d} AND (${s} IS NULL OR ${s} <> 0 OR CONCAT(${s}) <=> CONCAT(${d})))`
  if (LISTS.test(source.type)) return `CAST(${s} AS UNSIGNED) <=> CAST(${d} AS UNSIGNED)`
  if (TEXTS.test(source.type) || TEXTS.test(archive.type))
    return source.charset === archive.charset
      ? sameBytes(s, d, `BINARY ${s}`, `BINARY ${d}`)
      : sameBytes(s, d, inUtf8(source, s), inUtf8(archive, d))
  if (BYTES.test(source.type)) return `${s} <=> ${d}`
  if (SHAPES.test(source.type)) return sameBytes(s, d, `BINARY ${s}`, `BINARY ${d}`)
  // As JSON values 1 equals 1.0; as texts they differ.
  if (source.type === 'json') return sameBytes(s, d, `BINARY CAST(${s} AS CHAR)`, `BINARY CAST(${d} AS CHAR)`)
  return `${s} <=> ${d}`
}

/**
 * A conversion gives NULL, with no more than a warning, for a value larger than max_allowed_packet: two values that differ would both be NULL
 * and so equal. Such values never count as identical, and their rows stay.
 */
const sameBytes = (s: string, d: string, ofS: string, ofD: string): string =>
  `(${ofS} <=> ${ofD} AND (${ofS} IS NULL) = (${s} IS NULL) AND (${ofD} IS NULL) = (${d} IS NULL))`

/** SQL that gives a value as a text from which `literal` makes the same value again. */
export const exactText = (column: Column, alias: string): string => {
  const name = `${alias}.${quote(column.name)}`
  // A FLOAT is printed with six digits; as DOUBLE it is printed so that it reads back as the same number. Times one keeps the sign of zero.
  if (column.type === 'float') return `CONCAT(${name} * 1e0)`
  // Plus zero: a ZEROFILL column would be printed with its zeros, a BIT as bytes.
  if (NUMBERS.test(column.type)) return `CONCAT(${name} + 0)`
  if (LISTS.test(column.type))
    return `CONCAT(CAST(${name} AS UNSIGNED), ' ', HEX(CONVERT(${name} USING utf8mb4)))`
  if (TEXTS.test(column.type)) {
    const text = `HEX(${inUtf8(column, name)})`
    // Its own bytes for the value, then those of UTF-8 for people.
    return whole(name, isWithinUtf8(column) ? text : `CONCAT(HEX(BINARY ${name}), ' ', ${text})`)
  }
  if (BYTES.test(column.type) || SHAPES.test(column.type)) return whole(name, `HEX(${name})`)
  if (column.type === 'json') return whole(name, `HEX(CAST(${name} AS CHAR CHARACTER SET utf8mb4))`)
  return `CONCAT(${name})`
}

/** What stands for a value whose digits are larger than max_allowed_packet: HEX would give NULL for it, and NULL would be archived. */
const TOO_LARGE = 'larger than max_allowed_packet'

const whole = (name: string, text: string): string =>
  `IF(${name} IS NULL, NULL, COALESCE(${text}, '${TOO_LARGE}'))`

/** A literal for what `exactText` gave. */
export const literal = (column: Column, text: string | null): string => {
  if (text === null) return 'NULL'
  if (text === TOO_LARGE)
    throw new ArchiverError('ROWS_REFUSED', `a value of column ${column.name} is ${TOO_LARGE}`, {
      hint: 'raise max_allowed_packet of both servers to more than twice the largest value, and run again',
    })
  if (FLOATS.test(column.type)) return /[eE]/.test(text) ? numeric(text) : `${numeric(text)}e0`
  if (NUMBERS.test(column.type)) return numeric(text)
  if (LISTS.test(column.type)) return numeric(text.split(' ')[0] ?? '')
  if (TEXTS.test(column.type) && !isWithinUtf8(column))
    return `_${column.charset ?? ''} X'${hex(text.split(' ')[0] ?? '')}'`
  if (TEXTS.test(column.type) || column.type === 'json') return `_utf8mb4 X'${hex(text)}'`
  if (BYTES.test(column.type) || SHAPES.test(column.type)) return `X'${hex(text)}'`
  return `'${plain(text)}'`
}

/**
 * What a person reads: texts as texts, bytes as hex, an ENUM or SET as its text, or as `#` and its number where its text names another member or
 * none. Of a value in a character set within UTF-8, `exactOf` makes the exact text again.
 */
export const readable = (column: Column, text: string | null): string | null => {
  if (text === null || text === TOO_LARGE) return text
  if (TEXTS.test(column.type) || column.type === 'json')
    return Buffer.from(text.split(' ').at(-1) ?? '', 'hex').toString('utf8')
  if (LISTS.test(column.type)) {
    const [number = '', label = ''] = text.split(' ')
    const shown = Buffer.from(label, 'hex').toString('utf8')
    return !shown.startsWith('#') && numberOf(column, shown) === number ? shown : `#${number}`
  }
  return BYTES.test(column.type) || SHAPES.test(column.type) ? `0x${text}` : text
}

/** The exact text that `readable` came from. Another one where a value is not kept whole by it. */
export const exactOf = (column: Column, shown: string | null): string | null => {
  if (shown === null) return null
  if (TEXTS.test(column.type) || column.type === 'json') return hexOf(shown)
  if (LISTS.test(column.type)) {
    const number = shown.startsWith('#') ? shown.slice(1) : numberOf(column, shown)
    return `${number} ${hexOf(labelOf(column, number))}`
  }
  return BYTES.test(column.type) || SHAPES.test(column.type) ? shown.replace(/^0x/, '') : shown
}

/** Whether a file of texts can keep every value of a column. */
export const isReadable = (column: Column): boolean => !TEXTS.test(column.type) || isWithinUtf8(column)

const hexOf = (text: string): string => Buffer.from(text).toString('hex').toUpperCase()

const ESCAPED: Readonly<Record<string, string>> = {
  "''": "'",
  '\\\\': '\\',
  '\\n': '\n',
  '\\r': '\r',
  '\\0': '\0',
}

/** The members of an ENUM or SET, by its definition, in which the server doubles quotes and escapes a few characters. */
const membersOf = ({ fullType }: Column): readonly string[] =>
  [...fullType.matchAll(/'((?:[^']|'')*)'/g)].map(([, member = '']) =>
    member.replace(/''|\\./g, (pair) => ESCAPED[pair] ?? pair),
  )

/** The number of a text: the place of an ENUM's member, the bits of a SET's; 0 for a text that names none. */
const numberOf = (column: Column, text: string): string => {
  const members = membersOf(column)
  if (column.type === 'enum') return String(members.indexOf(text) + 1)
  const named = text === '' ? [] : text.split(',').map((member) => members.indexOf(member))
  return String(named.reduce((sum, at) => (at < 0 ? sum : sum | (1n << BigInt(at))), 0n))
}

/** The text of a number, as the server writes it. */
const labelOf = (column: Column, number: string): string => {
  const members = membersOf(column)
  if (column.type === 'enum') return members[Number(number) - 1] ?? ''
  return members.filter((_member, at) => (BigInt(number) >> BigInt(at)) & 1n).join(',')
}

const checked =
  (pattern: RegExp) =>
  (text: string): string => {
    if (!pattern.test(text))
      throw new Error(`the server wrote a value in an unknown form: ${text.slice(0, 40)}`)
    return text
  }
const numeric = checked(/^[+-]?\d*(?:\.\d+)?(?:[eE][+-]?\d+)?$/)
const hex = checked(/^[0-9A-Fa-f]*$/)
const plain = checked(/^[\w:. +-]*$/)

/** A literal for a value of a key. */
const keyLiteral = (value: string, { type }: KeyColumn): string => {
  if (type === 'integer') return numeric(value)
  return type === 'text' ? `_utf8mb4 X'${Buffer.from(value).toString('hex')}'` : `'${plain(value)}'`
}

/** Ids for each gap in their list from which on ranges are written. */
const RARE = 8

/** SQL that is true for rows whose key is in the list. Whole numbers without gaps are ranges: the same ids, read three times as fast. */
export const keyIn = (alias: string, key: readonly KeyColumn[], keys: readonly Key[]): string => {
  const [first] = key
  const name = `${alias}.${quote(first?.name ?? '')}`
  if (key.length === 1 && first?.type === 'integer') {
    const ranges = rangesOf(keys.map(([value = '']) => numeric(value)))
    if (ranges.length * RARE <= keys.length)
      return `(${ranges.map(({ from, to }) => `${name} BETWEEN ${from} AND ${to}`).join(' OR ')})`
  }
  if (key.length === 1 && first)
    return `${alias}.${quote(first.name)} IN (${keys.map((values) => keyLiteral(values[0] ?? '', first)).join(',')})`
  // MariaDB reads a whole table for (a, b) IN ((1, 2), ...); for this it uses the index.
  const one = (values: Key): string =>
    `(${key.map((column, at) => `${alias}.${quote(column.name)} = ${keyLiteral(values[at] ?? '', column)}`).join(' AND ')})`
  return `(${keys.map(one).join(' OR ')})`
}

/** SQL that is true for rows whose key comes after this one in the index: the first column bounds it, the others decide where it is equal. */
export const keyAfter = (alias: string, key: readonly KeyColumn[], last: Key): string => {
  const part = (column: KeyColumn, at: number, sign: string): string =>
    `${alias}.${quote(column.name)} ${sign} ${keyLiteral(last[at] ?? '', column)}`
  const after = key.map((column, at) =>
    [...key.slice(0, at).map((before, place) => part(before, place, '=')), part(column, at, '>')].join(
      ' AND ',
    ),
  )
  const [first] = key
  return `${first && key.length > 1 ? `${part(first, 0, '>=')} AND ` : ''}(${after.map((one) => `(${one})`).join(' OR ')})`
}

/** SQL for a value of a key in the form that ids are read into. */
export const keyValue = (alias: string, { name, type }: KeyColumn): string => {
  if (type === 'text') return `CONVERT(${alias}.${quote(name)} USING utf8mb4)`
  return type === 'integer' ? `CONCAT(${alias}.${quote(name)} + 0)` : `CONCAT(${alias}.${quote(name)})`
}
