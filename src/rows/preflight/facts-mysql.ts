import type { Session } from '../../sql/session.ts'
import { foreignKeysTo } from '../dialects/foreign-keys-mysql.ts'
import { quote } from '../dialects/mysql-columns.ts'
import { messageOf } from '../../errors.ts'
import { fullNameOf, type Pair, type Table } from '../table.ts'
import type { Grants } from './grants-mysql.ts'
import { CHILDREN_CURE, SELF_CURE, type Problem, type Surroundings } from './problem.ts'

const nameOf = ({ schema, name }: Table): string => `${quote(schema)}.${quote(name)}`

interface Reference {
  readonly child: string
  readonly name: string
  readonly rule: string
}

/** Rights of which one on all databases shows all foreign keys. */
const SEES_TABLES = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'REFERENCES',
  'TRIGGER',
  'ALTER',
  'CREATE',
  'INDEX',
]

/** Foreign keys to a table that change rows by themselves; undefined: the user may not see them all. */
const referencesTo = async (
  session: Session,
  { schema, name }: Table,
  may: Grants,
): Promise<readonly Reference[] | undefined> => {
  const { sql, isWhole } = await foreignKeysTo(session)
  if (!isWhole && !may(SEES_TABLES)) return undefined
  return (await session.run(sql, [schema, name])).rows.map((row) => ({
    child: `${row['s'] ?? ''}.${row['t'] ?? ''}`,
    name: row['c'] ?? '',
    rule: row['rule'] ?? '',
  }))
}

/** Children whose rows the server would delete or change by itself. */
export async function* cascadesMysql(
  session: Session,
  { source }: Pair,
  { named, archives }: Surroundings,
  oneServer: boolean,
  may: Grants,
): AsyncGenerator<Problem> {
  const isAmong = (tables: readonly Table[], child: string): boolean =>
    tables.some((table) => fullNameOf(table).toLowerCase() === child.toLowerCase())
  const found = await referencesTo(session, source, may)
  if (!found)
    yield {
      message: `the user may not see which tables refer to ${source.schema}.${source.name}: rows of theirs may go with their parents unarchived`,
      cure: 'GRANT PROCESS ON *.* to the user of the URL',
      forceable: 'cascades',
    }
  for (const { child, name, rule } of found ?? []) {
    // They have no row left when their parents go; by their only key to this table, as was looked at.
    if (named.some((table) => fullNameOf(table) === child)) continue
    if (oneServer && isAmong(archives, child))
      yield {
        message: `the archive's own rows would go with the live ones: ${name} is ON DELETE ${rule}`,
        cure: `ALTER TABLE ${child} DROP FOREIGN KEY ${/^\w+$/.test(name) ? name : quote(name)}`,
      }
    else
      yield {
        message: `rows of ${child} would go with their parents unarchived: ${name} is ON DELETE ${rule}`,
        cure: child === fullNameOf(source) ? SELF_CURE : CHILDREN_CURE,
        forceable: 'cascades',
      }
  }
}

/** Triggers that a delete or a copy would set off. */
export async function* triggersMysql(
  session: Session,
  table: Table,
  event: 'DELETE' | 'INSERT',
  may: Grants,
): AsyncGenerator<Problem> {
  if (!may(['TRIGGER'], table.schema, table.name))
    yield {
      message: `the user may not see triggers of ${table.schema}.${table.name}: one may run at each ${event}`,
      cure: `GRANT TRIGGER ON ${table.schema}.${table.name} to the user of the URL`,
      forceable: 'triggers',
    }
  const { rows } = await session.run(
    'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? AND EVENT_MANIPULATION = ?',
    [table.schema, table.name, event],
  )
  for (const { name } of rows)
    yield {
      message: `the trigger ${name ?? ''} runs at each ${event} in ${table.schema}.${table.name}`,
      cure: 'make sure that it may run for every archived row, or drop it',
      forceable: 'triggers',
    }
}

/** Tries the statements of a batch on no row: what is not allowed says so. Without an archive those that an archive of files needs. */
export async function* privilegesMysql(
  source: Session,
  archive: Session | undefined,
  { source: live, archive: kept, columns }: Pair,
): AsyncGenerator<Problem> {
  const names = columns.map((column) => quote(column.archive.name)).join(', ')
  const tries: (readonly [Session, string])[] = [
    [source, `SELECT 1 FROM ${nameOf(live)} WHERE 1 = 0 FOR UPDATE`],
    [source, `DELETE FROM ${nameOf(live)} WHERE 1 = 0`],
  ]
  if (archive)
    tries.push(
      [archive, `SELECT 1 FROM ${nameOf(kept)} WHERE 1 = 0 FOR UPDATE`],
      [archive, `INSERT INTO ${nameOf(kept)} (${names}) SELECT ${names} FROM ${nameOf(kept)} WHERE 1 = 0`],
    )
  for (const [session, sql] of tries) {
    const refused = await session.run(sql).then(() => undefined, messageOf)
    if (refused?.includes('BINLOG_FORMAT') === true) {
      yield {
        message: `the server's binary log refuses a batch, and this user may not change its format: ${refused}`,
        cure: "SET GLOBAL binlog_format = 'ROW' (or MIXED), or GRANT BINLOG ADMIN to the user of the URL",
      }
      return
    }
    if (refused !== undefined)
      yield {
        message: `the database does not let this user do what a batch does: ${refused}`,
        cure: `GRANT SELECT, INSERT, DELETE, UPDATE ON the tables to the user of the URL`,
      }
  }
}
