import { sql, type RawBuilder, type Selectable } from 'kysely'
import { timeMs } from '../../sql/timestamps.ts'
import type { LedgerDatabase, LedgerSchema } from '../ledger/schema-types.ts'
import { qualified } from '../ledger/tables.ts'

type ExecutionRow = Selectable<LedgerSchema['executions']>

/** Tasks of one statement: engines limit the members of a UNION. */
const AT_ONCE = 50

/** One part for each task, which reads as far into its index as it must, and one statement for many of them: a site has hundreds of tasks. */
const eachOf = async <Row extends { readonly task_name: string }>(
  { kysely, schema }: LedgerDatabase,
  tasks: readonly string[],
  { columns, where, count }: { readonly columns: string; readonly where: string; readonly count: number },
): Promise<Map<string, Row[]>> => {
  const found = new Map<string, Row[]>(tasks.map((task) => [task, []]))
  const names = [...found.keys()]
  const one = (task: string, at: number): RawBuilder<Row> => sql`SELECT * FROM (
    SELECT ${sql.raw(columns)} FROM ${sql.raw(qualified(schema, 'executions'))} WHERE task_name = ${task}${sql.raw(where)}
    ORDER BY execution_start DESC LIMIT ${sql.raw(String(count))}) AS ${sql.raw(`t${at}`)}`
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const parts = names.slice(at, at + AT_ONCE).map(one)
    const { rows } = await sql<Row>`${sql.join(parts, sql` UNION ALL `)}`.execute(kysely)
    for (const row of rows) found.get(row.task_name)?.push(row)
  }
  return found
}

/** The newest executions of each task, at most `count` of each, the newest first. */
export const newestOfTasks = async (
  database: LedgerDatabase,
  tasks: readonly string[],
  count: number,
): Promise<ReadonlyMap<string, readonly ExecutionRow[]>> => {
  const found = await eachOf<ExecutionRow>(database, tasks, { columns: '*', where: '', count })
  for (const rows of found.values())
    rows.sort(
      (a, b) => timeMs(b.execution_start) - timeMs(a.execution_start) || b.execution_id - a.execution_id,
    )
  return found
}

/** Good executions from which durations are judged. */
const PAST = 20

/** Seconds that the newest good executions of each task took, in no order. */
export const pastOfTasks = async (
  database: LedgerDatabase,
  tasks: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> => {
  const found = await eachOf<Pick<ExecutionRow, 'task_name' | 'execution_start' | 'execution_end'>>(
    database,
    tasks,
    {
      columns: 'task_name, execution_start, execution_end',
      where: ` AND execution_status = 'FINISHED' AND (end_reason IS NULL OR end_reason = 'ok') AND execution_end IS NOT NULL`,
      count: PAST,
    },
  )
  const seconds = (row: Pick<ExecutionRow, 'execution_start' | 'execution_end'>): number =>
    (timeMs(row.execution_end ?? '') - timeMs(row.execution_start)) / 1000
  return new Map([...found].map(([task, rows]) => [task, rows.map(seconds)]))
}
