import type { Row } from '../map/map-row.ts'
import type { ColumnType, Mapping, Table } from '../mapping/model.ts'
import type { StoredRow } from '../map/compare-rows.ts'
import type { Session } from './database.ts'
import type { DialectName } from '../../sql/database-url.ts'
import { asText, MOST_VALUES, quoted, tuples } from './dialect.ts'

/** A statement with its values. */
export interface Statement {
  readonly sql: string
  readonly values: readonly unknown[]
  readonly rows: number
}

/** The statements that insert rows into one table: as few as the columns that they name and the engine's bound allow. */
export const insertStatements = (dialect: DialectName, table: string, rows: readonly Row[]): Statement[] => {
  const groups: { names: readonly string[]; rows: Row[] }[] = []
  for (const row of rows) {
    const names = [...row.keys()]
    const last = groups.at(-1)
    const fits =
      last && last.names.length === names.length && last.names.every((name, index) => name === names[index])
    if (fits && (last.rows.length + 1) * names.length <= MOST_VALUES[dialect]) last.rows.push(row)
    else groups.push({ names, rows: [row] })
  }
  return groups.map(({ names, rows: own }) => ({
    sql: `INSERT INTO ${quoted(dialect, table)} (${names.map((name) => quoted(dialect, name)).join(', ')}) VALUES ${tuples(own.length, names.length)}`,
    values: own.flatMap((row) => [...row.values()]),
    rows: own.length,
  }))
}

/** The rows of a table that have the keys of an item's rows. */
export const storedRows = async (
  session: Session,
  dialect: DialectName,
  table: Table,
  rows: readonly Row[],
): Promise<readonly StoredRow[]> => {
  if (rows.length === 0) return []
  const names = [...new Set(table.rows.flatMap(({ columns }) => columns.map(({ name }) => name)))]
  const shown = names.map((name) => `${column(dialect, table, name)} AS ${quoted(dialect, name)}`).join(', ')
  const keys = table.key.map((name) => quoted(dialect, name))
  const found: StoredRow[] = []
  const step = Math.max(1, Math.floor(Math.min(MOST_VALUES[dialect], 900) / keys.length))
  for (let at = 0; at < rows.length; at += step) {
    const part = rows.slice(at, at + step)
    const condition = part.map(() => `(${keys.map((key) => `${key} = ?`).join(' AND ')})`).join(' OR ')
    const values = part.flatMap((row) => table.key.map((name) => row.get(name) ?? null))
    found.push(
      ...(await session.rows(
        `SELECT ${shown} FROM ${quoted(dialect, table.name)} WHERE ${condition}`,
        values,
      )),
    )
  }
  return found
}

/** A column as it is read back: as text where the driver would lose a digit of it, or make another value of it. */
const column = (dialect: DialectName, table: Table, name: string): string => {
  const plain = quoted(dialect, name)
  const types = table.rows.flatMap(({ columns }) =>
    columns.filter((one) => one.name === name).map(({ type }) => type),
  )
  const isText = types.every((type) => type !== undefined && READ_AS_TEXT[dialect].has(type))
  return isText ? asText(dialect, plain) : plain
}

const NUMBERS: readonly ColumnType[] = ['tinyint', 'smallint', 'integer', 'bigint', 'decimal']
const READ_AS_TEXT: Readonly<Record<DialectName, ReadonlySet<ColumnType>>> = {
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
