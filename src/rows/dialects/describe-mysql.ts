import type { Session } from '../../sql/session.ts'
import { askShape } from '../shape.ts'
import type { Column, Shape, Table } from '../table.ts'
import { foreignKeysWatch } from './foreign-keys-mysql.ts'
import { quote } from './mysql-columns.ts'

/** `database.table`, or `table` of the connection's database. */
const placeOf = async (session: Session, name: string): Promise<readonly [string, string]> => {
  const dot = name.indexOf('.')
  if (dot > 0) return [name.slice(0, dot), name.slice(dot + 1)]
  const { rows } = await session.run('SELECT DATABASE() AS db')
  return [rows[0]?.['db'] ?? '', name]
}

/** What a table's shape is asked by. In a transaction that has used the table nobody can change it any more, but for foreign keys that refer to it. */
const shapeMysql = async (session: Session, schema: string, name: string): Promise<Shape> => {
  const parameters = [schema, name]
  return askShape(session, [
    { sql: `SHOW CREATE TABLE ${quote(schema)}.${quote(name)}` },
    {
      sql: `SELECT TRIGGER_NAME, EVENT_MANIPULATION, ACTION_TIMING, ACTION_STATEMENT FROM information_schema.TRIGGERS
        WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?`, // in the order in which they run; sorting would double the time
      parameters,
    },
    await foreignKeysWatch(session, schema, name),
  ])
}

/** Looks a table up; undefined: there is none of this name. */
export const describeMysql = async (session: Session, name: string): Promise<Table | undefined> => {
  const [schema, table] = await placeOf(session, name)
  const found = await session.run(
    'SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, TABLE_TYPE AS kind, ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [schema, table],
  )
  const row = found.rows[0]
  if (!row) return undefined
  const shape = await shapeMysql(session, row['s'] ?? schema, row['t'] ?? table)
  const columns = await session.run(
    `SELECT COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS full, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS fallback, EXTRA AS extra,
      CHARACTER_MAXIMUM_LENGTH AS len, CHARACTER_OCTET_LENGTH AS octets, NUMERIC_PRECISION AS prec, NUMERIC_SCALE AS scale,
      DATETIME_PRECISION AS fsp, CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation, GENERATION_EXPRESSION AS expression
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [row['s'], row['t']],
  )
  const key = await session.run(
    "SELECT COLUMN_NAME AS name FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX",
    [row['s'], row['t']],
  )
  return {
    schema: row['s'] ?? schema,
    name: row['t'] ?? table,
    kind: await kindOf(session, row),
    engine: row['engine'] ?? '',
    columns: columns.rows.map(columnOf),
    key: key.rows.map(({ name: column }) => column ?? ''),
    shape,
  }
}

/** A temporary table hides the table of the same name, and no catalogue lists it. A server may make one for each connection. */
const kindOf = async (
  session: Session,
  { s, t, kind }: Readonly<Record<string, string | null>>,
): Promise<string> => {
  if (kind !== 'BASE TABLE') return (kind ?? 'view').toLowerCase()
  const name = `${quote(s ?? '')}.${quote(t ?? '')}`
  const { rows } = await session.run(`SHOW CREATE TABLE ${name}`).catch(() => ({ rows: [] }))
  return Object.values(rows[0] ?? {}).some((text) => text?.startsWith('CREATE TEMPORARY TABLE') === true)
    ? 'temporary table'
    : 'table'
}

const numberOf = (text: string | null | undefined): number | undefined =>
  text === null || text === undefined ? undefined : Number(text)

const columnOf = (row: Readonly<Record<string, string | null>>): Column => {
  const full = row['full'] ?? ''
  const extra = (row['extra'] ?? '').toLowerCase()
  const nullable = row['nullable'] === 'YES'
  return {
    name: row['name'] ?? '',
    type: (row['type'] ?? '').toLowerCase(),
    fullType: full,
    nullable,
    hasDefault: nullable || row['fallback'] !== null || extra.includes('auto_increment'),
    // MySQL writes DEFAULT_GENERATED for a default that is an expression: such a column is written like any other.
    generated: /\b(?:stored|virtual|persistent) generated|^(?:virtual|persistent)\b/.test(extra),
    expression: row['expression'] || undefined,
    length: numberOf(row['len']),
    octets: numberOf(row['octets']),
    precision: numberOf(row['fsp']) ?? numberOf(row['prec']),
    scale: numberOf(row['scale']),
    unsigned: /\bunsigned\b/.test(full),
    charset: row['charset'] ?? undefined,
    collation: row['collation'] ?? undefined,
  }
}

/** The table itself, or what a view stands over, through views of views. Names as the server's file system keeps them apart. */
export const basesMysql = async (session: Session, table: Table): Promise<readonly string[]> => {
  const { rows } = await session.run('SELECT @@lower_case_table_names AS folded')
  const fold = (name: string): string => (rows[0]?.['folded'] === '0' ? name : name.toLowerCase())
  const own = fold(`${table.schema}.${table.name}`)
  if (table.kind !== 'view') return [own]
  const view = await session.run(
    'SELECT VIEW_DEFINITION AS text FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [table.schema, table.name],
  )
  const bases = [own]
  // The server writes every table of a view in full: `database`.`table`.
  for (const [, schema = '', name = ''] of (view.rows[0]?.['text'] ?? '').matchAll(/`([^`]+)`\.`([^`]+)`/g)) {
    const base = await describeMysql(session, `${schema}.${name}`)
    if (base && fold(`${base.schema}.${base.name}`) !== own) bases.push(...(await basesMysql(session, base)))
  }
  return bases
}
