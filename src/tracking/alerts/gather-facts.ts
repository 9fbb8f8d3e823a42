import { sql } from 'kysely'
import { timeMs, timeText } from '../../sql/timestamps.ts'
import { latestOf, pastSeconds } from '../api/outlooks.ts'
import { tables } from '../ledger/daily-stats.ts'
import { isOpen } from '../ledger/open-executions.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { quantile } from '../graph/predicted-end.ts'
import { isLate, type PastDurations } from '../graph/conditions.ts'
import type { TaskFacts } from './watch-rules.ts'

const DAY = 86_400_000
/** A task that was not started for so long, and is not registered, is not watched any more. */
const FORGET_AFTER = 90 * DAY

/** What the alert rules need to know of each task, registered or seen in the last 90 days. */
export const taskFacts = async (database: LedgerDatabase, now: number): Promise<TaskFacts[]> => {
  const from = tables(database)
  // A task that was only seen is in the table too; one that somebody expects something of is watched for ever.
  const registered = await from
    .selectFrom('tasks')
    .selectAll()
    .where('enabled', '=', 1)
    .where((eb) => eb.or([eb('schedule', 'is not', null), eb('expected_duration_minutes', 'is not', null)]))
    .execute()
  const seen = await from
    .selectFrom('daily_stats')
    .select('task_name')
    .distinct()
    .where('day', '>=', timeText(now - FORGET_AFTER).slice(0, 10))
    .execute()
  const open = await from.selectFrom('executions').select('task_name').distinct().where(isOpen).execute()
  const names = new Set([...registered, ...seen, ...open].map((row) => row.task_name))
  const facts: TaskFacts[] = []
  for (const task of [...names].sort()) {
    const row = registered.find(({ task_name: name }) => name === task)
    facts.push({
      task,
      schedule: row?.schedule ?? undefined,
      graceMinutes: row?.grace_minutes ?? undefined,
      expectedMinutes: row?.expected_duration_minutes ?? undefined,
      latest: await newestOf(database, task, now),
      past: await pastOf(database, task),
      ...(await troubleOf(database, task, now - DAY)),
    })
  }
  return facts
}

const newestOf = async (
  database: LedgerDatabase,
  task: string,
  now: number,
): Promise<TaskFacts['latest']> => {
  const row = await tables(database)
    .selectFrom('executions')
    .selectAll()
    .where('task_name', '=', task)
    .orderBy('execution_start', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && { ...latestOf(row, now), error: row.error_message ?? undefined }
}

const pastOf = async (database: LedgerDatabase, task: string): Promise<PastDurations | undefined> => {
  const seconds = await pastSeconds(database, task)
  const [p50, p95] = [quantile(seconds, 0.5), quantile(seconds, 0.95)]
  return p50 === undefined || p95 === undefined ? undefined : { count: seconds.length, p50, p95 }
}

const troubleOf = async (
  database: LedgerDatabase,
  task: string,
  since: number,
): Promise<Pick<TaskFacts, 'kills' | 'reboots' | 'terminated' | 'conflicts'>> => {
  const from = tables(database)
  const ended = await from
    .selectFrom('executions')
    .select(['end_reason', sql<number | string>`COUNT(*)`.as('count')])
    .where('task_name', '=', task)
    .where('execution_end', '>=', timeText(since))
    .where('end_reason', 'in', ['signal', 'system_reboot', 'terminated'])
    .groupBy('end_reason')
    .execute()
  const conflicts = await from
    .selectFrom('batches')
    .innerJoin('executions', 'executions.run_id', 'batches.run_id')
    .select(sql<number | string | null>`SUM(batches.conflicts)`.as('sum'))
    .where('executions.task_name', '=', task)
    .where('executions.execution_start', '>=', timeText(since))
    .executeTakeFirst()
  const count = (reason: string): number => Number(ended.find((row) => row.end_reason === reason)?.count ?? 0)
  return {
    kills: count('signal'),
    reboots: count('system_reboot'),
    terminated: count('terminated'),
    conflicts: Number(conflicts?.sum ?? 0),
  }
}

/** When a run was first tried in a stage, epoch milliseconds; undefined when the ledger knows of no try. */
export const firstTriedAt = async (
  database: LedgerDatabase,
  stage: string,
  run: number,
): Promise<number | undefined> => {
  const row = await tables(database)
    .selectFrom('files')
    .select(({ fn }) => fn.min('started_at').as('at'))
    .where('run', '=', run)
    .where('stage', '=', stage)
    .executeTakeFirst()
  return row?.at ? timeMs(row.at) : undefined
}

/** A registered task that has not started although its schedule and grace have passed. */
export interface LateTask {
  readonly task: string
  readonly schedule: string
  readonly startedAt: number | null
}

export const lateTasks = async (database: LedgerDatabase, now: number): Promise<LateTask[]> => {
  const registered = await tables(database)
    .selectFrom('tasks')
    .selectAll()
    .where('enabled', '=', 1)
    .where('schedule', 'is not', null)
    .orderBy('task_name')
    .execute()
  const late: LateTask[] = []
  for (const { task_name: task, schedule, grace_minutes: grace } of registered) {
    const latest = await newestOf(database, task, now)
    const expectation = { schedule: schedule ?? undefined, graceMinutes: grace ?? undefined }
    if (isLate(expectation, latest, now))
      late.push({ task, schedule: schedule ?? '', startedAt: latest?.startedAt ?? null })
  }
  return late
}
