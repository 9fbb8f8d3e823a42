import { tables } from './ledger-tables.ts'
import type { LedgerDatabase } from './schema-types.ts'
import { timeText } from '../../sql/timestamps.ts'

const DAY = 86_400_000

/** Executions that go in one transaction, so that no other writer waits long. */
const AT_ONCE = 50

/** How long the measurements of an execution are kept after it ended. */
const METRICS_DAYS = 30

/**
 * Removes executions that *ended* more than `keepDays` days ago, with their steps, runs, batches and events; those that still run
 * stay, however old. `daily_stats` stays. At most `limit` at a call, so that it can be done at a start. Gives how many went.
 */
export const prune = async (
  database: LedgerDatabase,
  options: { readonly keepDays: number; readonly now: number; readonly limit: number },
): Promise<number> => {
  const { keepDays, now, limit } = options
  await pruneMetrics(database, now)
  if (keepDays === 0) return 0
  let removed = 0
  while (removed < limit) {
    const old = await tables(database)
      .selectFrom('executions')
      .select('run_id')
      .where('execution_end', '<', timeText(now - keepDays * DAY))
      .where('execution_status', 'not in', ['STARTED', 'RUNNING'])
      .orderBy('execution_start')
      .limit(Math.min(AT_ONCE, limit - removed))
      .execute()
    if (old.length === 0) break
    const ids = old.map(({ run_id: id }) => id)
    await database.kysely.transaction().execute(async (transaction) => {
      const within = tables({ ...database, kysely: transaction })
      for (const table of [
        'process_metrics',
        'events',
        'batches',
        'files',
        'subtasks',
        'executions',
      ] as const)
        await within.deleteFrom(table).where('run_id', 'in', ids).execute()
    })
    removed += ids.length
  }
  return removed
}

/** Removes measurements that are older than 30 days. */
export const pruneMetrics = async (database: LedgerDatabase, now: number): Promise<void> => {
  await tables(database)
    .deleteFrom('process_metrics')
    .where('at', '<', timeText(now - METRICS_DAYS * DAY))
    .execute()
}
