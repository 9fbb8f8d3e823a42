import type { Row } from '../map/map-row.ts'
import type { ColumnType, Mapping, Table } from '../mapping/model.ts'
import type { StoredRow } from '../map/compare-rows.ts'
import { asSingle } from '../values/single.ts'
import type { Session } from './database.ts'
import type { RecordsDialect } from './records-url.ts'
import type { CatalogueColumn } from './catalogue-column.ts'
import { isSingle } from './narrowing.ts'
import { asText, MOST_ROWS, MOST_VALUES, quoted, tuples } from './dialect.ts'

/** A statement with its values. */
export interface Statement {
  readonly sql: string
  readonly values: readonly unknown[]
  readonly rows: number
}

/** Characters of the texts of one statement; a row with more has one of its own. MySQL takes no statement above its max_allowed_packet. */
const MOST_TEXT = 1_000_000

/** The statements that insert rows into one table: as few as the columns that they name and the engine's bound allow. */
export const insertStatements = (
  dialect: RecordsDialect,
  table: string,
  rows: readonly Row[],
  columns?: ReadonlyMap<string, CatalogueColumn>,
): Statement[] => {
  const groups: { names: readonly string[]; rows: Row[]; text: number }[] = []
  for (const row of rows) {
    const names = [...row.keys()]
    const last = groups.at(-1)
    let text = 0
    for (const value of row.values()) text += typeof value === 'string' ? value.length : 0
    const fits =
      last && last.names.length === names.length && last.names.every((name, index) => name === names[index])
    const hasRoom =
      fits &&
      (last.rows.length + 1) * names.length <= MOST_VALUES[dialect] &&
      last.rows.length < MOST_ROWS[dialect] &&
      last.text + text <= MOST_TEXT
    if (hasRoom) {
      last.rows.push(row)
      last.text += text
    } else groups.push({ names, rows: [row], text })
  }
  return groups.map(({ names, rows: own }) => ({
    sql: insertSql(dialect, table, { names, rows: own.length }, columns),
    values: own.flatMap((row) => [...row.values()]),
    rows: own.length,
  }))
}

const insertSql = (
  dialect: RecordsDialect,
  table: string,
  { names, rows }: { readonly names: readonly string[]; readonly rows: number },
  columns: ReadonlyMap<string, CatalogueColumn> | undefined,
): string => {
  const target = quoted(dialect, table)
  const list = names.map((name) => quoted(dialect, name)).join(', ')
  if (dialect !== 'mssql') return `INSERT INTO ${target} (${list}) VALUES ${tuples(rows, names.length)}`
  const tuple = `(${names.map((name) => mssqlValue(columns?.get(name))).join(', ')})`
  const insert = `INSERT INTO ${target} (${list}) VALUES ${Array(rows).fill(tuple).join(', ')}`
  // In one batch, so that it is off again even where a trigger or an error ends the statement.
  return names.some((name) => columns?.get(name)?.isIdentity)
    ? `SET IDENTITY_INSERT ${target} ON; ${insert}; SET IDENTITY_INSERT ${target} OFF`
    : insert
}

/** A decimal is made of its text by the server, with the digits of its column. */
const mssqlValue = (column: CatalogueColumn | undefined): string => {
  const { type, precision, scale } = column ?? {}
  return (type === 'decimal' || type === 'numeric') && precision !== undefined
    ? `CAST(? AS decimal(${precision}, ${scale ?? 0}))`
    : '?'
}

/** The rows of a table that have the keys of an item's rows. */
export const storedRows = async (
  session: Session,
  dialect: RecordsDialect,
  table: Table,
  rows: readonly Row[],
  columns?: ReadonlyMap<string, CatalogueColumn>,
): Promise<readonly StoredRow[]> => {
  if (rows.length === 0) return []
  const names = [...new Set(table.rows.flatMap(({ columns }) => columns.map(({ name }) => name)))]
  const shown = names
    .map((name) => `${column(dialect, table, name, columns?.get(name))} AS ${quoted(dialect, name)}`)
    .join(', ')
  const keys = table.key.map((name) => quoted(dialect, name))
  const singles = names.filter((name) => isSingleThere(columns?.get(name)))
  const found: StoredRow[] = []
  const step = Math.max(1, Math.floor(Math.min(MOST_VALUES[dialect], 900) / keys.length))
  for (let at = 0; at < rows.length; at += step) {
    const part = rows.slice(at, at + step)
    const condition = part.map(() => `(${keys.map((key) => `${key} = ?`).join(' AND ')})`).join(' OR ')
    const values = part.flatMap((row) => table.key.map((name) => row.get(name) ?? null))
    const sql = `SELECT ${shown} FROM ${quoted(dialect, table.name)} WHERE ${condition}`
    for (const row of await session.rows(sql, values)) found.push(withSingles(row, singles))
  }
  return found
}

const isSingleThere = (there: CatalogueColumn | undefined): boolean =>
  there?.isBounded === true && isSingle(there)

/** A float of four bytes as the decimal that was given for it: engines give it with other digits, or with fewer. */
const withSingles = (row: StoredRow, names: readonly string[]): StoredRow =>
  names.length === 0
    ? row
    : {
        ...row,
        ...Object.fromEntries(
          names.map((name) => [
            name,
            typeof row[name] === 'object' ? row[name] : asSingle(Number(row[name])),
          ]),
        ),
      }

/** A column as it is read back: as text where the driver would lose a digit of it, or make another value of it. */
const column = (
  dialect: RecordsDialect,
  table: Table,
  name: string,
  there: CatalogueColumn | undefined,
): string => {
  const plain = quoted(dialect, name)
  const types = table.rows.flatMap(({ columns }) =>
    columns
      .filter((one) => one.name === name)
      // A key without a type may be as long as a bigint.
      .map(({ type, origin }) =>
        type === undefined && origin.type === 'key' && dialect !== 'mssql' ? 'bigint' : type,
      ),
  )
  if (dialect === 'mssql') return mssqlColumn(plain, types, there)
  // MySQL shows six digits of it, and holds more.
  if (dialect === 'mysql' && isSingleThere(there)) return `${plain} + 0e0`
  const isText = types.every((type) => type !== undefined && READ_AS_TEXT[dialect].has(type))
  return isText ? asText(dialect, plain) : plain
}

/** The driver gives moments in milliseconds and decimals as floating point; a `char(n)` is filled with blanks. */
const mssqlColumn = (
  plain: string,
  types: readonly (ColumnType | undefined)[],
  there: CatalogueColumn | undefined,
): string => {
  const isOf = (...some: readonly ColumnType[]): boolean =>
    types.every((type) => type !== undefined && some.includes(type))
  if (isOf('date', 'datetime')) return `CONVERT(nvarchar(33), ${plain}, 121)`
  if (isOf('float')) return `CONVERT(nvarchar(50), ${plain}, 3)`
  if (isOf(...NUMBERS)) return asText('mssql', plain)
  return there?.type === 'char' || there?.type === 'nchar' ? `RTRIM(${plain})` : plain
}

const NUMBERS: readonly ColumnType[] = ['tinyint', 'smallint', 'integer', 'bigint', 'decimal']
const READ_AS_TEXT: Readonly<Record<Exclude<RecordsDialect, 'mssql'>, ReadonlySet<ColumnType>>> = {
  sqlite: new Set(NUMBERS),
  // A `char(n)` loses the blanks with which it was filled.
  postgres: new Set([...NUMBERS, 'text']),
  // The driver reads JSON, and its numbers lose digits.
  mysql: new Set([...NUMBERS, 'json']),
}

/** Every row count of an item by table, tables without rows left out. */
export const tableCounts = (
  mapping: Mapping,
  rows: ReadonlyMap<string, readonly Row[]>,
): Record<string, number> =>
  Object.fromEntries(
    mapping.tables.flatMap(({ name }) =>
      rows.get(name)?.length ? [[name, rows.get(name)?.length ?? 0]] : [],
    ),
  )
