import { rangesOf } from '../ranges.ts'
import type { Column, CopiedColumn, Key, KeyColumn } from '../table.ts'

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Types whose cast to text is what the server prints. */
const PRINTED =
  /^(?:bool|int[248]|float[48]|numeric|text|varchar|uuid|bytea|date|time|timetz|timestamp|timestamptz|interval|jsonb?)$/

/**
 * SQL for a value's exact text, compared byte for byte whatever the column's collation is. Casts to text can be lossy: that of bpchar drops
 * blanks, and anybody may make one for his own type. `format` prints the value as the server does.
 */
export const exactText = ({ name, type }: Column, alias: string): string => {
  const value = `${alias}.${quote(name)}`
  const text = PRINTED.test(type)
    ? `${value}::text`
    : `(CASE WHEN ${value} IS DISTINCT FROM NULL THEN format('%s', ${value}) END)`
  return `${text} COLLATE "C"`
}

/**
 * SQL that is true when both values are identical, and when both are NULL. By their bytes or else as texts, because 1.0 equals 1.00 and -0
 * equals 0 as numbers.
 */
export const identical = (column: CopiedColumn): string => {
  const [live, kept] = [comparable(column)('source', 's'), comparable(column)('archive', 'd')]
  return column.source.fullType === column.archive.fullType
    ? `record_image_eq(ROW(${live}), ROW(${kept}))`
    : `(${live}) IS NOT DISTINCT FROM (${kept})`
}

/** A copied value on either side as it is compared between two rows: itself where the types are one, so that its bytes are compared, else its text. */
export const comparable = ({
  source,
  archive,
}: CopiedColumn): ((side: 'source' | 'archive', alias: string) => string) => {
  const isOne = source.fullType === archive.fullType
  return (side, alias) => {
    const column = side === 'source' ? source : archive
    return isOne ? `${alias}.${quote(column.name)}` : exactText(column, alias)
  }
}

/** A list of keys as parameters, and SQL that is true for rows whose key is in it. */
export interface KeyList {
  readonly sql: (alias: string) => string
  readonly parameters: readonly (readonly string[] | string)[]
}

const ARRAYS = { integer: 'numeric', uuid: 'uuid', text: 'text', date: 'date', time: 'timestamp' } as const

/** `from` is the number of the first parameter. Whole numbers without a gap are a range: the same ids, read twice as fast. */
export const keyList = (key: readonly KeyColumn[], keys: readonly Key[], from = 1): KeyList => {
  const parameters = key.map((_column, at) => keys.map((values) => values[at] ?? ''))
  const [first] = key
  const [range, ...others] =
    key.length === 1 && first?.type === 'integer' ? rangesOf(parameters[0] ?? []) : []
  if (first && range && others.length === 0)
    return {
      sql: (alias) =>
        `${alias}.${quote(first.name)} BETWEEN $${from}::${arrayOf(first)} AND $${from + 1}::${arrayOf(first)}`,
      parameters: [range.from, range.to],
    }
  if (key.length === 1 && first)
    return {
      // A text may equal another by its collation: an id names only the row that has its very bytes.
      sql: (alias) =>
        `${alias}.${quote(first.name)} = ANY($${from}::${arrayOf(first)}[])${first.type === 'text' ? ` AND ${alias}.${quote(first.name)}::text COLLATE "C" = ANY($${from}::text[])` : ''}`,
      parameters,
    }
  const listed = (isExact: boolean) => (alias: string) => {
    const isText = ({ type }: KeyColumn): boolean => isExact && type === 'text'
    const columns = key.map((one) => `${alias}.${quote(one.name)}${isText(one) ? '::text COLLATE "C"' : ''}`)
    const arrays = key.map((one, at) => `$${from + at}::${isText(one) ? 'text' : arrayOf(one)}[]`)
    return `(${columns.join(', ')}) IN (SELECT * FROM unnest(${arrays.join(', ')}))`
  }
  const byIndex = listed(false)
  // As above: the very bytes.
  const byBytes = key.some(({ type }) => type === 'text') ? listed(true) : undefined
  return {
    sql: (alias) => (byBytes ? `${byIndex(alias)} AND ${byBytes(alias)}` : byIndex(alias)),
    parameters,
  }
}

/** The column's own type, so that its index is used; a domain or an unknown type by its family. */
const arrayOf = ({ type, column }: KeyColumn): string =>
  /^(?:int[248]|uuid|text|varchar|bpchar|date|timestamp)$/.test(column.type) ? column.type : ARRAYS[type]

/** SQL for a value of a key in the form that ids are read into. */
export const keyValue = (alias: string, { name }: KeyColumn): string => `${alias}.${quote(name)}::text`
