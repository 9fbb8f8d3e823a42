import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { DialectName } from '../../sql/database-url.ts'
import type { Cell, Row } from './row.ts'
import type { LedgerSchema } from './schema-types.ts'
import { qualified, TABLES, type Table, type TableName } from './tables.ts'

/** Rows in one statement. SQLite takes 32,766 parameters; the widest table has sixty columns. */
const ROWS_AT_ONCE = 100

/**
 * One statement for each group of rows of one table with the same columns. A row that is there is replaced by one that is as
 * new or newer, and stays otherwise; rows without a revision (events, measurements) are written once.
 */
export const upserts = (
  rows: readonly Row[],
  dialect: DialectName,
  schema: string | undefined,
): RawBuilder<unknown>[] => {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const shape = `${row.table} ${Object.keys(row.cells).join()}`
    const group = groups.get(shape)
    if (group) group.push(row)
    else groups.set(shape, [row])
  }
  return [...groups.values()].flatMap((group) => {
    const statements: RawBuilder<unknown>[] = []
    for (let at = 0; at < group.length; at += ROWS_AT_ONCE)
      statements.push(upsert(group.slice(at, at + ROWS_AT_ONCE), dialect, schema))
    return statements
  })
}

const upsert = (
  rows: readonly Row[],
  dialect: DialectName,
  schema: string | undefined,
): RawBuilder<unknown> => {
  const [first] = rows
  if (!first) throw new RangeError('no rows to write')
  const columns = Object.keys(first.cells)
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => storable(row.cells[column])))})`)
  const names = sql.raw(columns.join(', '))
  const insert = sql`INSERT INTO ${sql.raw(qualified(schema, first.table))} (${names}) VALUES ${sql.join(values)}`
  return sql`${insert} ${sql.raw(onConflict(first.table, columns, dialect))}`
}

/** No engine but MySQL stores a NUL character: it becomes the replacement character. */
const storable = (cell: Cell | undefined): Cell =>
  typeof cell === 'string' ? cell.replaceAll('\0', '\uFFFD') : (cell ?? null)

const onConflict = (name: TableName, columns: readonly string[], dialect: DialectName): string => {
  const { key }: Table = TABLES[name]
  const others = columns.filter((column) => !key.includes(column) && column !== 'revision')
  const versioned = columns.includes('revision')
  const replaced = versioned || name === 'daily_stats' || name === 'daily_failures' || name === 'idle_passes'
  if (dialect === 'mysql') {
    if (!replaced) return `ON DUPLICATE KEY UPDATE ${key[0] ?? ''} = ${key[0] ?? ''}`
    const guard = (column: string): string =>
      versioned ? `IF(revision <= VALUES(revision), VALUES(${column}), ${column})` : `VALUES(${column})`
    // MySQL assigns from left to right, so the revision that the others are compared with comes last.
    const last = versioned ? ['revision = GREATEST(revision, VALUES(revision))'] : []
    return `ON DUPLICATE KEY UPDATE ${[...others.map((column) => `${column} = ${guard(column)}`), ...last].join(', ')}`
  }
  const target = `ON CONFLICT (${key.join(', ')})`
  if (!replaced) return `${target} DO NOTHING`
  const set = [...others, ...(versioned ? ['revision'] : [])].map(
    (column) => `${column} = excluded.${column}`,
  )
  return `${target} DO UPDATE SET ${set.join(', ')}${versioned ? ` WHERE ${name}.revision <= excluded.revision` : ''}`
}

/** Writes rows in one transaction: all of them, or, when it throws, none (MySQL's InnoDB included). */
export const writeRows = async (
  kysely: Kysely<LedgerSchema>,
  rows: readonly Row[],
  dialect: DialectName,
  schema: string | undefined,
): Promise<void> => {
  if (rows.length === 0) return
  await kysely.transaction().execute(async (transaction) => {
    const left: Row[] = []
    for (const row of rows)
      if (row.table !== 'executions' || !(await updated(transaction, row, schema))) left.push(row)
    for (const statement of upserts(left, dialect, schema)) await statement.execute(transaction)
  })
}

/**
 * Whether the row was there and is now this one. An upsert takes a number off the sequence each time that it meets a row, and people call
 * executions by their numbers: so these, which are written every second, are updated where they are.
 */
const updated = async (
  kysely: Kysely<LedgerSchema>,
  { table, cells }: Row,
  schema: string | undefined,
): Promise<boolean> => {
  const { run_id: id, revision, ...others } = cells
  const set = Object.entries({ ...others, revision: revision ?? 0 }).map(
    ([column, cell]) => sql`${sql.raw(column)} = ${storable(cell)}`,
  )
  const { numAffectedRows } = await sql`UPDATE ${sql.raw(qualified(schema, table))} SET ${sql.join(set)}
    WHERE run_id = ${id} AND revision <= ${revision ?? 0}`.execute(kysely)
  return (numAffectedRows ?? 0n) > 0n
}
