import { messageOf } from '../../errors.ts'
import type { LogDatabase } from '../log/log-database.ts'
import { addColumns, createTable, LOG_TABLES } from '../log/tables.ts'
import { troubleOf } from '../server-errors.ts'
import { grantsMysql } from './grants-mysql.ts'
import { refusal, type Problem } from './problem.ts'

/**
 * Throws ROWS_REFUSED where a run could not make, widen or write the log tables, where their names belong to views, or to tables that a rollback or a
 * crash would leave wrong. Nothing is written.
 */
export const assertLogTables = async (database: LogDatabase): Promise<void> => {
  const views = await database.views()
  if (views.length > 0)
    throw refusal([
      {
        message: `${views.map((name) => database.place(name)).join(', ')}: the ledger's views have the names of the log tables`,
        cure: 'name another database for the log tables in rows.log, or for the ledger in ledger.url',
      },
    ])
  const problems: Problem[] = []
  for await (const problem of problemsOf(database)) problems.push(problem)
  if (problems.length > 0) throw refusal(problems)
}

async function* problemsOf(database: LogDatabase): AsyncGenerator<Problem> {
  const isMysql = database.session.dialect === 'mysql'
  const odd = new Set(await database.unfit())
  for (const table of Object.keys(LOG_TABLES)) {
    const place = database.place(table)
    if (odd.has(table))
      yield {
        message: isMysql
          ? `${place} has an engine without transactions: a batch that is rolled back would stay in it as finished, and never be done`
          : `${place} is unlogged: a crash of the server empties it, and with it what is known of finished batches`,
        cure: `ALTER TABLE ${place} ${isMysql ? 'ENGINE = InnoDB' : 'SET LOGGED'}`,
      }
    const columns = await database.columnsOf(table)
    const refused =
      columns.size === 0
        ? await (isMysql ? uncreatableMysql(database, table) : uncreatablePostgres(database, table))
        : await unusable(database, table, columns)
    if (refused !== undefined) yield refused
  }
}

const refusalOf = (statement: Promise<unknown>): Promise<string | undefined> =>
  statement.then(
    () => undefined,
    (error: unknown) => {
      if (troubleOf(error) === 'transient') throw error
      return messageOf(error)
    },
  )

/** A prepared statement is checked as it would be done, and not done. */
const uncreatableMysql = async (database: LogDatabase, table: string): Promise<Problem | undefined> => {
  const { session } = database
  const sql = createTable(table, 'mysql', (name) => database.place(name))
  const refused = await refusalOf(session.run('PREPARE archiver_try FROM ?', [sql]))
  if (refused === undefined) await session.run('DEALLOCATE PREPARE archiver_try')
  return refused === undefined
    ? undefined
    : {
        message: `the log table ${database.place(table)} is not there, and this user may not make it: ${refused}`,
        cure: `GRANT CREATE, ALTER, REFERENCES, SELECT, INSERT, UPDATE, DELETE ON its database to the user of the URL, or name another database in rows.log`,
      }
}

const uncreatablePostgres = async (database: LogDatabase, table: string): Promise<Problem | undefined> => {
  const { rows } = await database.run('SELECT has_schema_privilege(?, ?) AS may', [database.schema, 'CREATE'])
  return rows[0]?.['may'] === 't'
    ? undefined
    : {
        message: `the log table ${database.place(table)} is not there, and this user may not make it`,
        cure: `GRANT CREATE ON SCHEMA ${database.schema} TO the user of the URL, or name another database in rows.log`,
      }
}

/** What is there: whether what it lacks may be added, and rows written. */
const unusable = async (
  database: LogDatabase,
  table: string,
  columns: ReadonlySet<string>,
): Promise<Problem | undefined> => {
  const { session } = database
  const place = database.place(table)
  const isMysql = session.dialect === 'mysql'
  const ours = (LOG_TABLES[table]?.columns ?? []).map(([name]) => name)
  const names = ours.filter((name) => columns.has(name)).join(', ')
  if (
    addColumns(table, columns, session.dialect, () => place).length > 0 &&
    !(await mayAlter(database, table))
  )
    return {
      message: `${place} lacks columns of this version, and this user may not add them`,
      cure: isMysql
        ? `GRANT ALTER ON ${place} to the user of the URL`
        : `ALTER TABLE ${place} OWNER TO the user of the URL`,
    }
  for (const sql of [
    `INSERT INTO ${place} (${names}) SELECT ${names} FROM ${place} WHERE 1 = 0`,
    `UPDATE ${place} SET id = id WHERE 1 = 0`,
    `DELETE FROM ${place} WHERE 1 = 0`,
  ]) {
    const refused = await refusalOf(session.run(sql))
    if (refused !== undefined)
      return {
        message: `this user may not write the log table ${place}: ${refused}`,
        cure: `GRANT SELECT, INSERT, UPDATE, DELETE ON ${place} to the user of the URL`,
      }
  }
  return undefined
}

const mayAlter = async (database: LogDatabase, table: string): Promise<boolean> => {
  if (database.session.dialect === 'mysql')
    return (await grantsMysql(database.session))(['ALTER'], database.schema, table)
  const { rows } = await database.run(
    "SELECT pg_has_role(relowner, 'USAGE') AS may FROM pg_class WHERE oid = to_regclass(?)",
    [database.place(table)],
  )
  return rows[0]?.['may'] === 't'
}
