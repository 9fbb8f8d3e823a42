import { sql } from 'kysely'
import { ArchiverError } from '../../errors.ts'
import { timeText } from '../../sql/timestamps.ts'
import { tables } from './ledger-tables.ts'
import type { LedgerDatabase } from './schema-types.ts'
import { qualified, TABLES } from './tables.ts'

/** Executions in one transaction, so that no other writer waits long. */
const AT_ONCE = 200

const COLUMNS = Object.keys(
  TABLES.executions_history.columns,
) as (keyof typeof TABLES.executions_history.columns)[]

/** How many executions ended before a moment, epoch milliseconds. */
export const countOlder = async (database: LedgerDatabase, before: number): Promise<number> => {
  const row = await tables(database)
    .selectFrom('executions')
    .select(sql<number | string>`COUNT(*)`.as('count'))
    .where('execution_end', '<', timeText(before))
    .where('execution_status', 'not in', ['STARTED', 'RUNNING'])
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

/**
 * Moves executions that ended before a moment to `executions_history`: copied, compared cell by cell and removed in one transaction for each part, so
 * that a kill leaves each of them in exactly one table. Steps and events stay, under the same run id. Returns how many went.
 */
export const archiveExecutions = async (database: LedgerDatabase, before: number): Promise<number> => {
  let archived = 0
  for (;;) {
    const old = await tables(database)
      .selectFrom('executions')
      .select(['execution_id', 'execution_start'])
      .where('execution_end', '<', timeText(before))
      .where('execution_status', 'not in', ['STARTED', 'RUNNING'])
      .orderBy('execution_start')
      .limit(AT_ONCE)
      .execute()
    if (old.length === 0) return archived
    for (const month of new Set(old.map(({ execution_start: start }) => start.slice(0, 7))))
      await makePartition(database, month)
    archived += await move(
      database,
      old.map(({ execution_id: id }) => id),
    )
  }
}

const move = (database: LedgerDatabase, ids: readonly number[]): Promise<number> =>
  database.kysely.transaction().execute(async (transaction) => {
    const within = tables({ ...database, kysely: transaction })
    const columns = sql.raw(COLUMNS.join(', '))
    const [from, to] = ['executions', 'executions_history'].map((name) =>
      sql.raw(qualified(database.schema, name)),
    )
    await sql`INSERT INTO ${to} (${columns}) SELECT ${columns} FROM ${from}
      WHERE execution_id IN (${sql.join([...ids])})`.execute(transaction)
    const rows = async (table: 'executions' | 'executions_history'): Promise<string> =>
      JSON.stringify(
        await within
          .selectFrom(table)
          .select(COLUMNS)
          .where('execution_id', 'in', [...ids])
          .orderBy('execution_id')
          .execute(),
      )
    if ((await rows('executions')) !== (await rows('executions_history')))
      throw new ArchiverError(
        'VERIFY_MISMATCH',
        'the copies of executions are not what was copied; nothing was moved',
      )
    const { numDeletedRows } = await within
      .deleteFrom('executions')
      .where('execution_id', 'in', [...ids])
      .executeTakeFirst()
    return Number(numDeletedRows)
  })

/** PostgreSQL: a partition for the month, where there is none. Where it cannot be made, the rows go to the default one. */
const makePartition = async ({ kysely, dialect, schema }: LedgerDatabase, month: string): Promise<void> => {
  if (dialect !== 'postgres') return
  const [year = 0, number = 0] = month.split('-').map(Number)
  const next = number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`
  const table = qualified(schema, 'executions_history')
  const statement = `CREATE TABLE IF NOT EXISTS ${table}_${month.replace('-', '_')} PARTITION OF ${table}
    FOR VALUES FROM ('${month}-01 00:00:00+00') TO ('${next}-01 00:00:00+00')`
  await sql
    .raw(statement)
    .execute(kysely)
    .catch(() => undefined)
}
