import { EMPTY_TEXT } from './csv-fields.ts'
import type { Key, KeyColumn, KeyType } from './table.ts'

const INTEGERS = /^(?:(?:tiny|small|medium|big)?int|integer|int[248]|year)$/
const TEXTS = /^(?:char|varchar|tinytext|text|mediumtext|longtext|bpchar|citext|enum)$/

/** What ids of a column of this type look like; undefined: rows cannot be named by such a column. */
export const keyTypeOf = (type: string): KeyType | undefined => {
  if (INTEGERS.test(type)) return 'integer'
  if (TEXTS.test(type)) return 'text'
  if (type === 'uuid') return 'uuid'
  if (type === 'date') return 'date'
  return type === 'datetime' || type === 'timestamp' ? 'time' : undefined
}

const SIZES: Readonly<Record<string, number>> = {
  tinyint: 8,
  smallint: 16,
  int2: 16,
  mediumint: 24,
  int: 32,
  integer: 32,
  int4: 32,
  bigint: 64,
  int8: 64,
}

/** The least and the greatest number that an integer column holds. */
const boundsOf = ({ column }: KeyColumn): readonly [bigint, bigint] => {
  const bits = BigInt(SIZES[column.type] ?? 64)
  return column.unsigned ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
}

type ReadValue = (text: string) => string | undefined

/** Numbers up to this many digits are exact as a Number. */
const EXACT = 15

/** Reads a YEAR. The server takes a number of two digits for another one, and an id names only itself. */
const year: ReadValue = (text) => (text === '0' || /^(?:19\d\d|2[01]\d\d)$/.test(text) ? text : undefined)

/** Reads whole numbers in the form that the server writes: no plus, no leading zeros. */
const integerReader = (column: KeyColumn): ReadValue => {
  const [least, most] = boundsOf(column)
  const [from, to] = [Number(least), Number(most)]
  return (text) => {
    if (text.length <= EXACT && /^[1-9]\d*$/.test(text)) {
      const number = Number(text)
      return number >= from && number <= to ? text : undefined
    }
    if (!/^[+-]?\d{1,20}$/.test(text)) return undefined
    const number = BigInt(text.replace('+', ''))
    return number >= least && number <= most ? String(number) : undefined
  }
}

/** Reads one value of a key: the form in which the server writes it, or undefined where it is no such value. */
const valueReader = (column: KeyColumn): ReadValue => {
  switch (column.type) {
    case 'integer':
      return column.column.type === 'year' ? year : integerReader(column)
    case 'uuid':
      return (text) =>
        /^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(text) ? uuid(text) : undefined
    case 'text':
      // U+FFFD stands for bytes that are not UTF-8.
      return (text) => {
        if (text === EMPTY_TEXT) return ''
        const isNone = text === '' || /[\0\uFFFD]/.test(text)
        return isNone || lengthOf(text) > (column.column.length ?? Infinity) ? undefined : text
      }
    case 'date':
      return (text) => (/^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined)
    case 'time':
      return (text) => time(text, column)
  }
}

/** In characters as a database counts them. */
const lengthOf = (text: string): number => Array.from(text).length

const uuid = (text: string): string => {
  const digits = text.replace(/[{}-]/g, '').toLowerCase()
  return [8, 12, 16, 20].reduceRight((id, at) => `${id.slice(0, at)}-${id.slice(at)}`, digits)
}

/** MySQL writes as many digits of a second as the column has, PostgreSQL as few as it needs. */
const time = (text: string, { column }: KeyColumn): string | undefined => {
  const [, date, clock, fraction = ''] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/.exec(text) ?? []
  if (date === undefined || clock === undefined) return undefined
  const digits = fraction.replace(/0+$/, '')
  const places = column.precision ?? 0
  if (digits.length > places) return undefined
  const written = column.fullType.includes('without time zone') ? digits : digits.padEnd(places, '0')
  return `${date} ${clock}${written === '' ? '' : `.${written}`}`
}

/** Reads the key of a record, whose columns stand at `places`. A string says which field is wrong. */
export const keyReader = (
  columns: readonly KeyColumn[],
): ((places: readonly number[], fields: readonly string[]) => Key | string) => {
  const readers = columns.map((column): ReadValue => {
    const read = valueReader(column)
    // Blanks of any kind at the ends of a number make no other number of it; those of a text make another text.
    return column.type === 'text' ? read : (text) => read(text) ?? read(text.trim())
  })
  return (places, fields) => {
    const key: string[] = []
    for (const [at, read] of readers.entries()) {
      const field = fields[places[at] ?? -1] ?? ''
      const value = read(field)
      if (value === undefined) {
        const { column, name } = columns[at] ?? {}
        if (field === '' && column !== undefined && TEXTS.test(column.type))
          return `${name ?? 'the key'} is empty (an empty text is written "")`
        const shown = field === EMPTY_TEXT ? '""' : JSON.stringify(field.slice(0, 80))
        return `${shown} is no ${column?.fullType ?? 'value'} for ${name ?? 'the key'}`
      }
      key.push(value)
    }
    return key
  }
}

/** Reads the fields of a key, in the order of its columns. A string says which field is wrong. */
export const readKey = (fields: readonly string[], columns: readonly KeyColumn[]): Key | string =>
  keyReader(columns)(
    columns.map((_column, at) => at),
    fields,
  )
