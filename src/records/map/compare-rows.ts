import { ItemError } from '../item-error.ts'
import type { Column, Mapping, Table } from '../mapping/model.ts'
import { dayText, isoMoment, momentText } from '../values/dates.ts'
import { compareDecimals, parseDecimal } from '../values/decimal.ts'
import type { Cell } from '../values/convert.ts'
import type { Row } from './map-row.ts'

/** A row as it stands in a table. */
export type StoredRow = Readonly<Record<string, unknown>>

/** What the tables hold before an item, as far as its keys reach. */
export interface Stored {
  rows(table: string): readonly StoredRow[]
  /** Columns that the database fills where a row leaves them out. */
  hasDefault(table: string, column: string): boolean
}

/** Rows to insert: all of them, or none where every row is there with the same content. */
export type Standing =
  { readonly type: 'new'; readonly rows: ReadonlyMap<string, readonly Row[]> } | { readonly type: 'present' }

/**
 * Holds an item's rows against what is stored. Rows of shared tables that are there and equal are not inserted again. Throws CONFLICT
 * for a row that is there with other content, and where some of the rows are there and others are not.
 */
export const standingOf = (
  mapping: Mapping,
  rows: ReadonlyMap<string, readonly Row[]>,
  stored: Stored,
): Standing => {
  const missing = new Map<string, Row[]>()
  let there: { table: Table; row: Row } | undefined
  let absent: { table: Table; row: Row } | undefined
  for (const table of mapping.tables) {
    const own: Row[] = []
    const index = indexed(table, stored.rows(table.name))
    for (const row of rows.get(table.name) ?? []) {
      const other = index.get(identity(table, (name) => row.get(name)))
      if (!other) own.push(row)
      else {
        const differs = differences(table, row, other, stored)
        if (differs.length > 0) throw conflict(table, row, differs)
      }
      if (table.shared) continue
      if (other) there ??= { table, row }
      else absent ??= { table, row }
    }
    missing.set(table.name, own)
  }
  if (there && absent) throw conflict(absent.table, absent.row, [])
  const nothingLeft = [...missing.values()].every((left) => left.length === 0)
  const any = [...rows.values()].some((made) => made.length > 0)
  return nothingLeft && any ? { type: 'present' } : { type: 'new', rows: missing }
}

const conflict = (table: Table, row: Row, differs: readonly string[]): ItemError =>
  new ItemError(
    'CONFLICT',
    differs.length > 0
      ? `${table.name}: a row with this key is there with other content (${differs.join(', ')}); nothing was written`
      : `${table.name}: some rows of the record are there and others are not; nothing was written`,
    {
      table: table.name,
      key_of_row: Object.fromEntries(table.key.map((name) => [name, row.get(name) ?? null])),
      differs,
    },
  )

const indexed = (table: Table, rows: readonly StoredRow[]): Map<string, StoredRow> =>
  new Map(rows.map((row) => [identity(table, (name) => row[name]), row]))

const identity = (table: Table, value: (name: string) => unknown): string =>
  JSON.stringify(table.key.map((name) => canonical(value(name), columnOf(table, name))))

const columnOf = (table: Table, name: string): Column | undefined => {
  for (const { columns } of table.rows) for (const column of columns) if (column.name === name) return column
  return undefined
}

/** The columns of the mapping whose value is another one, in the mapping's order. */
const differences = (table: Table, row: Row, other: StoredRow, stored: Stored): string[] => {
  const names = new Set(table.rows.flatMap(({ columns }) => columns.map(({ name }) => name)))
  return [...names].filter((name) => {
    if (!row.has(name) && stored.hasDefault(table.name, name)) return false
    const column = columnOf(table, name)
    return canonical(row.get(name) ?? null, column) !== canonical(other[name] ?? null, column)
  })
}

/** A value in the one form in which it is compared, whatever form the driver gives it. */
const canonical = (value: unknown, column: Column | undefined): Cell => {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return canonical(value.toISOString(), column)
  if (value instanceof Uint8Array)
    return canonical(bitOf(value) ?? Buffer.from(value).toString('utf8'), column)
  if (typeof value === 'boolean') return canonical(Number(value), column)
  const text =
    typeof value === 'string'
      ? value
      : typeof value === 'number' || typeof value === 'bigint'
        ? value.toString()
        : JSON.stringify(value)
  switch (column?.type) {
    case 'date':
    case 'datetime': {
      const moment = isoMoment(text)
      if (!moment) return text
      return column.type === 'date' ? dayText(moment) : momentText(moment, undefined)
    }
    case 'float':
      return String(Number(text))
    case 'text':
      // A code's number in a text column.
      return text
    case 'json':
      return sortedJson(text)
    default: {
      // A column of booleans, read back as text.
      if (column?.type !== undefined && (text === 'true' || text === 'false'))
        return text === 'true' ? '1' : '0'
      const decimal = parseDecimal(text)
      return decimal && /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? canonicalDecimal(text) : text
    }
  }
}

/** MySQL gives a `bit(1)` as one byte. */
const bitOf = (bytes: Uint8Array): number | undefined =>
  bytes.length === 1 && (bytes[0] === 0 || bytes[0] === 1) ? bytes[0] : undefined

const canonicalDecimal = (text: string): string => {
  const value = parseDecimal(text)
  if (!value || compareDecimals(value, { units: 0n, scale: 0 }) === 0) return '0'
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** JSON with its members in order, and each number as its exact value: engines write it anew, each in its own way. */
const sortedJson = (text: string): string => {
  try {
    const marked = text.replace(STRING_OR_NUMBER, (part) =>
      part.startsWith('"') ? `"s${part.slice(1)}` : `"n${exactNumber(part)}"`,
    )
    return JSON.stringify(JSON.parse(marked, (_name, value: unknown) => sorted(value)))
  } catch {
    return text
  }
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gis

/** Without zeros that say nothing, and the exponent as a number of its own. */
const exactNumber = (text: string): string => {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const bare = digits.replace(/0+$/, '')
  if (bare === '') return '0'
  return `${sign}${bare}e${Number(exponent) - fraction.length + digits.length - bare.length}`
}

const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value
