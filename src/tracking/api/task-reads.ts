import { quantileOfSorted } from '../../common/quantile.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { dayOf, timeText } from '../../sql/timestamps.ts'
import { tables } from '../ledger/ledger-tables.ts'
import { newestOfTasks } from './newest-of-tasks.ts'
import { outlooks } from './outlooks.ts'
import { executionLine, runAttempt } from './execution-lines.ts'

/** Executions that one task's row shows. */
const NEWEST = 30
/** Tasks that one page shows; a ledger with more is not read to its end. */
const MOST_TASKS = 500

/** Each task's name, by hopping along the index: a DISTINCT would read every row of it. */
export const taskNames = async (database: LedgerDatabase): Promise<string[]> => {
  const names: string[] = []
  while (names.length < MOST_TASKS) {
    const after = names.at(-1)
    let query = tables(database).selectFrom('executions').select('task_name').orderBy('task_name').limit(1)
    if (after !== undefined) query = query.where('task_name', '>', after)
    const row = await query.executeTakeFirst()
    if (!row) break
    names.push(row.task_name)
  }
  return names
}

/** Tasks with their newest executions, the newest first, and how long those took that ended well, in seconds. */
export const taskLines = async (database: LedgerDatabase, tasks: readonly string[], now: number) => {
  const newest = await newestOfTasks(database, tasks, NEWEST)
  const seen = await outlooks(database, [...newest.values()].flat(), now)
  return [...newest].map(([task, rows]) =>
    taskLine(
      task,
      rows.map((row) => executionLine(row, seen.get(row.run_id))),
    ),
  )
}

/** A task with executions of it, in any order: the newest 30 of them. */
export const taskLine = (task: string, executions: readonly ReturnType<typeof executionLine>[]) => {
  const newest = [...executions].sort((a, b) => b.startedAt - a.startedAt || b.id - a.id).slice(0, NEWEST)
  const took = newest
    .filter(({ standing }) => standing === 'ok' || standing === 'partial')
    .map(({ startedAt, endedAt }) => ((endedAt ?? startedAt) - startedAt) / 1000)
    .sort((a, b) => a - b)
  return {
    task,
    stage: newest[0]?.stage ?? 'UNKNOWN',
    newest,
    p50: quantileOfSorted(took, 0.5),
    p95: quantileOfSorted(took, 0.95),
  }
}

interface DaysPart {
  readonly limit: number
  readonly after?: { readonly day: string; readonly task: string } | undefined
}

/** Days of tasks since a moment, the oldest first; `part`: at most so many, behind a day of a task. */
export const taskDays = async (
  database: LedgerDatabase,
  since: number,
  task: string | undefined,
  part?: DaysPart,
) => {
  let query = tables(database)
    .selectFrom('daily_stats')
    .selectAll()
    .where('day', '>=', dayOf(since))
    .orderBy('day')
    .orderBy('task_name')
  if (part) query = query.limit(part.limit)
  const after = part?.after
  if (after)
    query = query.where((eb) =>
      eb.or([
        eb('day', '>', after.day),
        eb.and([eb('day', '=', after.day), eb('task_name', '>', after.task)]),
      ]),
    )
  if (task !== undefined) query = query.where('task_name', '=', task)
  return (await query.execute()).map((row) => ({
    task: row.task_name,
    day: row.day,
    executions: row.executions ?? 0,
    ok: row.ok ?? 0,
    partly: row.partly ?? 0,
    failed: row.failed ?? 0,
    killed: row.killed ?? 0,
    reboots: row.reboots ?? 0,
    unseen: row.ended_unseen ?? 0,
    items: row.items ?? 0,
    itemsFailed: row.items_failed ?? 0,
    seconds: row.seconds ?? 0,
    p50: row.p50_seconds ?? undefined,
    p95: row.p95_seconds ?? undefined,
  }))
}

/** Every attempt of a run that the ledger holds, the newest first; at most 200. */
export const runStory = async (database: LedgerDatabase, run: number) => {
  const rows = await tables(database)
    .selectFrom('files')
    .selectAll()
    .where('run', '=', run)
    .orderBy('file_id', 'desc')
    .limit(200)
    .execute()
  const numbers = await numbersOf(
    database,
    rows.map(({ run_id }) => run_id),
  )
  return rows.map((row) => runAttempt(row, numbers.get(row.run_id)))
}

/** The newest attempts that failed since a moment. */
export const failedAttempts = async (database: LedgerDatabase, since: number, limit: number) => {
  const rows = await tables(database)
    .selectFrom('files')
    .selectAll()
    .where('state', '=', 'failed')
    .where('started_at', '>=', timeText(since))
    .orderBy('started_at', 'desc')
    .limit(limit)
    .execute()
  const numbers = await numbersOf(
    database,
    rows.map(({ run_id }) => run_id),
  )
  return rows.map((row) => runAttempt(row, numbers.get(row.run_id)))
}

/** The numbers of executions by their UUID. */
const numbersOf = async (database: LedgerDatabase, ids: readonly string[]): Promise<Map<string, number>> => {
  const wanted = [...new Set(ids)]
  const numbers = new Map<string, number>()
  for (let i = 0; i < wanted.length; i += 500) {
    const rows = await tables(database)
      .selectFrom('executions')
      .select(['run_id', 'execution_id'])
      .where('run_id', 'in', wanted.slice(i, i + 500))
      .execute()
    for (const row of rows) numbers.set(row.run_id, row.execution_id)
  }
  return numbers
}
