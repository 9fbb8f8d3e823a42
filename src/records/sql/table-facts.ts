import { textIn, type RecordsDatabase, type SqlRow } from './database.ts'
import { quoted } from './dialect.ts'
import { MSSQL_KEYS, MSSQL_REFERENCES } from './mssql-catalogue.ts'

/** Sets of columns of which no two rows of the table can hold the same values. */
export const uniqueKeys = async (database: RecordsDatabase, table: string): Promise<readonly string[][]> => {
  const { session, dialect } = database
  if (dialect === 'sqlite') return sqliteKeys(database, plainName(table))
  if (dialect === 'mssql') return grouped(await session.rows(MSSQL_KEYS, [quoted(dialect, table)]))
  const rows =
    dialect === 'postgres'
      ? await session.rows(
          `SELECT i.indexrelid::text AS name, a.attname AS item FROM pg_index i
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
            WHERE i.indrelid = to_regclass(?) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL`,
          [quoted(dialect, table)],
        )
      : await session.rows(
          `SELECT index_name AS name, column_name AS item FROM information_schema.statistics
            WHERE non_unique = 0 AND table_schema = ${schemaOf(table) === undefined ? 'DATABASE()' : '?'} AND table_name = ?`,
          [...(schemaOf(table) === undefined ? [] : [schemaOf(table)]), plainName(table)],
        )
  return grouped(rows)
}

/** The tables that rows of this one refer to, at once: a constraint that waits for the commit is left out. */
export const referencedTables = async (
  { session, dialect }: RecordsDatabase,
  table: string,
): Promise<readonly string[]> => {
  const name = plainName(table)
  if (dialect === 'sqlite') {
    const rows = await session.rows(`PRAGMA foreign_key_list(${quoted(dialect, name)})`)
    return rows.flatMap((row) => textIn(row, 'table') ?? [])
  }
  if (dialect === 'mssql')
    return (await session.rows(MSSQL_REFERENCES, [quoted(dialect, table)])).flatMap(
      (row) => textIn(row, 'item') ?? [],
    )
  const rows =
    dialect === 'postgres'
      ? await session.rows(
          `SELECT r.relname AS item FROM pg_constraint c JOIN pg_class r ON r.oid = c.confrelid
            WHERE c.contype = 'f' AND NOT c.condeferred AND c.conrelid = to_regclass(?)`,
          [quoted(dialect, table)],
        )
      : await session.rows(
          `SELECT referenced_table_name AS item FROM information_schema.referential_constraints
            WHERE constraint_schema = ${schemaOf(table) === undefined ? 'DATABASE()' : '?'} AND table_name = ?`,
          [...(schemaOf(table) === undefined ? [] : [schemaOf(table)]), name],
        )
  return rows.flatMap((row) => textIn(row, 'item') ?? [])
}

const plainName = (table: string): string => table.split('.').at(-1) ?? table
const schemaOf = (table: string): string | undefined => {
  const parts = table.split('.')
  return parts.length > 1 ? parts[0] : undefined
}

const grouped = (rows: readonly SqlRow[]): string[][] => {
  const keys = new Map<string, string[]>()
  for (const row of rows) {
    const name = textIn(row, 'name') ?? ''
    keys.set(name, [...(keys.get(name) ?? []), textIn(row, 'item') ?? ''])
  }
  return [...keys.values()]
}

const sqliteKeys = async ({ session }: RecordsDatabase, table: string): Promise<string[][]> => {
  const columns = await session.rows(`PRAGMA table_info(${quoted('sqlite', table)})`)
  const primary = columns.filter((row) => Number(row['pk']) > 0).map((row) => String(row['name']))
  const keys = primary.length > 0 ? [primary] : []
  const indexes = await session.rows(`PRAGMA index_list(${quoted('sqlite', table)})`)
  for (const index of indexes) {
    if (Number(index['unique']) !== 1 || Number(index['partial']) !== 0) continue
    const parts = await session.rows(`PRAGMA index_info(${quoted('sqlite', String(index['name']))})`)
    // An index over an expression has a part without a name.
    if (parts.every((row) => row['name'] !== null)) keys.push(parts.map((row) => String(row['name'])))
  }
  return keys
}
