import { sql, type SqlBool } from 'kysely'
import { timeMs, timeText } from '../../sql/timestamps.ts'
import { newestOfTasks, pastOfTasks } from '../api/newest-of-tasks.ts'
import { blockedAmong, latestOf } from '../api/outlooks.ts'
import { tables } from '../ledger/ledger-tables.ts'
import { isOpen } from '../ledger/open-executions.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { quantile } from '../../common/quantile.ts'
import { isLate, type PastDurations } from '../graph/conditions.ts'
import { isRepaired } from './repaired.ts'
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
  const names = [...new Set([...registered, ...seen, ...open].map((row) => row.task_name))].sort()
  const newest = await newestOfTasks(database, names, 1)
  const past = await pastOfTasks(database, names)
  const blocked = await blockedAmong(database, [...newest.values()].flat())
  const ended = await badEnds(database, now - DAY)
  const conflicts = await conflictsSince(database, now - DAY)
  const repaired = new Set<string>()
  for (const [task, [last]] of newest)
    if (last?.end_reason === 'partial' && (await isRepaired(database, last))) repaired.add(task)
  return names.map((task) => {
    const row = registered.find(({ task_name: name }) => name === task)
    const [last] = newest.get(task) ?? []
    const count = (reason: string): number => ended.get(`${reason} ${task}`) ?? 0
    return {
      task,
      schedule: row?.schedule ?? undefined,
      graceMinutes: row?.grace_minutes ?? undefined,
      expectedMinutes: row?.expected_duration_minutes ?? undefined,
      latest: last && {
        ...latestOf(last, now, blocked),
        error: last.error_message ?? undefined,
        message: last.overall_progress_message ?? undefined,
      },
      isRepaired: repaired.has(task),
      past: durationsOf(past.get(task) ?? []),
      kills: count('signal'),
      reboots: count('system_reboot'),
      terminated: count('terminated'),
      conflicts: conflicts.get(task) ?? 0,
    }
  })
}

const durationsOf = (seconds: readonly number[]): PastDurations | undefined => {
  const [p50, p95] = [quantile(seconds, 0.5), quantile(seconds, 0.95)]
  return p50 === undefined || p95 === undefined ? undefined : { count: seconds.length, p50, p95 }
}

/** How many executions of each task ended since by a reason that is no good one, by `reason task`. */
const badEnds = async (database: LedgerDatabase, since: number): Promise<ReadonlyMap<string, number>> => {
  const rows = await tables(database)
    .selectFrom('executions')
    .select(['task_name', 'end_reason', sql<number | string>`COUNT(*)`.as('count')])
    .where('execution_end', '>=', timeText(since))
    // Written out, because an index that holds only these is taken for no bound value.
    .where(sql<SqlBool>`end_reason <> 'ok'`)
    .groupBy(['task_name', 'end_reason'])
    .execute()
  return new Map(
    rows.map(({ task_name: task, end_reason: reason, count }) => [`${reason ?? ''} ${task}`, Number(count)]),
  )
}

const conflictsSince = async (
  database: LedgerDatabase,
  since: number,
): Promise<ReadonlyMap<string, number>> => {
  const rows = await tables(database)
    .selectFrom('executions')
    .innerJoin('batches', 'batches.run_id', 'executions.run_id')
    .select(['executions.task_name', sql<number | string | null>`SUM(batches.conflicts)`.as('sum')])
    .where('executions.execution_start', '>=', timeText(since))
    .groupBy('executions.task_name')
    .execute()
  return new Map(rows.map(({ task_name: task, sum }) => [task, Number(sum ?? 0)]))
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
    .selectFrom('tasks as t')
    .select(['t.task_name', 't.schedule', 't.grace_minutes'])
    .select((eb) =>
      eb
        .selectFrom('executions as e')
        .select(({ fn }) => fn.max('e.execution_start').as('at'))
        .whereRef('e.task_name', '=', 't.task_name')
        .as('started'),
    )
    .where('t.enabled', '=', 1)
    .where('t.schedule', 'is not', null)
    .orderBy('t.task_name')
    .execute()
  return registered.flatMap(({ task_name: task, schedule, grace_minutes: grace, started }) => {
    const startedAt = started === null ? undefined : timeMs(started)
    const expectation = { schedule: schedule ?? undefined, graceMinutes: grace ?? undefined }
    const isOne = isLate(expectation, startedAt === undefined ? undefined : { startedAt }, now)
    return isOne ? [{ task, schedule: schedule ?? '', startedAt: startedAt ?? null }] : []
  })
}
