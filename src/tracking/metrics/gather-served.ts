import { sql } from 'kysely'
import { timeMs } from '../../sql/timestamps.ts'
import { taskNames } from '../api/task-reads.ts'
import { tables } from '../ledger/ledger-tables.ts'
import { isOpen } from '../ledger/open-executions.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import type { ServedFacts } from './served-metrics.ts'
import type { TaskMetric } from './textfile-tasks.ts'

type FromLedger = Pick<ServedFacts, 'tasks' | 'executions' | 'alerts'>

/** What the ledger says for `/metrics`: by indexes and by `daily_stats`, never by reading every execution. */
export const ledgerMetrics = async (database: LedgerDatabase): Promise<FromLedger> => {
  const from = tables(database)
  const open = await from
    .selectFrom('executions')
    .select(['task_name', sql<number | string>`COUNT(*)`.as('count')])
    .where(isOpen)
    .groupBy('task_name')
    .execute()
  const running = new Map(open.map(({ task_name: task, count }) => [task, Number(count)]))
  const tasks: TaskMetric[] = []
  for (const task of await taskNames(database)) {
    const metric = await taskMetric(database, task, running.get(task) ?? 0)
    if (metric) tasks.push(metric)
  }
  const days = await from
    .selectFrom('daily_stats')
    .select([
      'task_name',
      ...SUMS.map(([column]) => sql<number | string | null>`SUM(${sql.ref(column)})`.as(column)),
    ])
    .groupBy('task_name')
    .execute()
  const alerts = await from
    .selectFrom('alerts')
    .select(['rule', sql<number | string>`COUNT(*)`.as('count')])
    .where('resolved_at', 'is', null)
    .groupBy('rule')
    .execute()
  return {
    tasks,
    executions: days.flatMap((row) =>
      SUMS.map(([column, status]) => ({ task: row.task_name, status, count: Number(row[column] ?? 0) })),
    ),
    alerts: alerts.map(({ rule, count }) => ({ rule, count: Number(count) })),
  }
}

/** Columns of `daily_stats`, and the word of each. */
const SUMS = [
  ['ok', 'ok'],
  ['partly', 'partial'],
  ['failed', 'failed'],
  ['killed', 'killed'],
  ['reboots', 'reboot'],
  ['ended_unseen', 'terminated'],
] as const

const taskMetric = async (
  database: LedgerDatabase,
  task: string,
  running: number,
): Promise<TaskMetric | undefined> => {
  const ofTask = tables(database)
    .selectFrom('executions')
    .select(['execution_start', 'execution_end', 'exit_code'])
    .where('task_name', '=', task)
    .orderBy('execution_start', 'desc')
    .limit(1)
  const newest = await ofTask.executeTakeFirst()
  if (!newest) return undefined
  const ended = await ofTask.where('execution_end', 'is not', null).executeTakeFirst()
  const good = await ofTask
    .where('execution_status', '=', 'FINISHED')
    .where('execution_end', 'is not', null)
    .where((eb) => eb.or([eb('end_reason', 'is', null), eb('end_reason', 'in', ['ok', 'skipped'])]))
    .executeTakeFirst()
  const endOf = (row: typeof newest | undefined): number | undefined =>
    row?.execution_end == null ? undefined : timeMs(row.execution_end)
  const endedAt = endOf(ended)
  return {
    task,
    startedAt: timeMs(newest.execution_start),
    endedAt,
    succeededAt: endOf(good),
    took: ended && endedAt !== undefined ? endedAt - timeMs(ended.execution_start) : undefined,
    exitCode: ended?.exit_code ?? undefined,
    running,
  }
}
