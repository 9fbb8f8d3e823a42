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
  year: 16,
}

/** The least and the greatest number that an integer column holds. */
const boundsOf = ({ column }: KeyColumn): readonly [bigint, bigint] => {
  const bits = BigInt(SIZES[column.type] ?? 64)
  return column.unsigned ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
}

/** Reads one value of a key: the form in which the server writes it, or undefined where it is no such value. */
const valueOf = (text: string, column: KeyColumn): string | undefined => {
  switch (column.type) {
    case 'integer': {
      if (!/^[+-]?\d{1,20}$/.test(text)) return undefined
      const number = BigInt(text.replace('+', ''))
      const [least, most] = boundsOf(column)
      return number >= least && number <= most ? String(number) : undefined
    }
    case 'uuid':
      return /^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(text) ? uuid(text) : undefined
    case 'text':
      return text === '' || text.includes('\0') || lengthOf(text) > (column.column.length ?? Infinity)
        ? undefined
        : text
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined
    case 'time':
      return time(text, column)
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

/** Reads the fields of a key, in the order of its columns. A string says which field is wrong. */
export const readKey = (fields: readonly string[], columns: readonly KeyColumn[]): Key | string => {
  const key: string[] = []
  for (const [at, column] of columns.entries()) {
    const field = fields[at]
    const value = field === undefined ? undefined : valueOf(field, column)
    if (value === undefined)
      return `${field === undefined ? 'nothing' : JSON.stringify(field.slice(0, 80))} is no ${column.column.fullType} for ${column.name}`
    key.push(value)
  }
  return key
}
