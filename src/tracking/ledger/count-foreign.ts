import { dayOf, timeText } from '../../sql/timestamps.ts'
import { failuresOf } from './daily-failures.ts'
import { daysOf, type TaskDay } from './daily-stats.ts'
import { tables } from './ledger-tables.ts'
import { firstSeen } from './registered-tasks.ts'
import type { Row } from './row.ts'
import type { LedgerDatabase } from './schema-types.ts'
import { writeRows } from './upsert.ts'

const DAY = 86_400_000

/**
 * Counts executions that other programs wrote as SQL (the Python and R clients, or a script's own INSERT): they know no `daily_stats`, no
 * `daily_failures`, `tasks` and `stages`, from which pages and alerts learn of a task. Looks at what began in the last `days` UTC days, by one
 * question a day, and counts a day of a task anew where its number differs. Counting twice changes nothing. Resolves with the days that were.
 */
export const countForeign = async (
  database: LedgerDatabase,
  now: number,
  days: number,
): Promise<TaskDay[]> => {
  const from = tables(database)
  const counted = await from
    .selectFrom('daily_stats')
    .select(['task_name', 'day', 'executions'])
    .where('day', '>=', dayOf(now - (days - 1) * DAY))
    .execute()
  const known = new Map(counted.map((row) => [`${row.day} ${row.task_name}`, row.executions ?? 0]))
  const behind: TaskDay[] = []
  for (let back = 0; back < days; back++) {
    const day = dayOf(now - back * DAY)
    const start = Date.parse(`${day}T00:00:00Z`)
    const there = await from
      .selectFrom('executions')
      .select(['task_name', ({ fn }) => fn.countAll<number | string>().as('count')])
      .where('execution_start', '>=', timeText(start))
      .where('execution_start', '<', timeText(start + DAY))
      .where('execution_end', 'is not', null)
      .groupBy('task_name')
      .execute()
    for (const { task_name: task, count } of there)
      if (known.get(`${day} ${task}`) !== Number(count)) behind.push({ task, day })
  }
  if (behind.length === 0) return []
  const rows = [
    ...firstSeen(database, await newestOf(database, behind)),
    ...(await daysOf(database, behind)),
    ...(await failuresOf(database, behind)),
  ]
  await writeRows(database.kysely, rows, database.dialect, database.schema)
  return behind
}

/** The newest execution of each task, as far as a task's registration needs it. */
const newestOf = async (database: LedgerDatabase, behind: readonly TaskDay[]): Promise<Row[]> => {
  const rows: Row[] = []
  for (const task of new Set(behind.map((one) => one.task))) {
    const row = await tables(database)
      .selectFrom('executions')
      .select(['task_name', 'task_stage', 'task_type', 'total_subtasks'])
      .where('task_name', '=', task)
      .orderBy('execution_start', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (row) rows.push({ table: 'executions', cells: { ...row }, transient: false })
  }
  return rows
}
