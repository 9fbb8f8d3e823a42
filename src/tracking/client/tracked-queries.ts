import { sql } from 'kysely'
import { microsOf, timeMs, timeText } from '../../sql/timestamps.ts'
import { outlooks } from '../api/outlooks.ts'
import type { Prediction } from '../graph/predicted-end.ts'
import { tables } from '../ledger/ledger-tables.ts'
import { isOpen } from '../ledger/open-executions.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'

/** An execution as the lists show it. Times in epoch milliseconds. */
export interface ListedExecution {
  readonly id: number
  readonly runId: string
  readonly task: string
  readonly stage: string | null
  readonly status: string
  readonly reason: string | null
  readonly host: string
  readonly pid: number
  readonly startedAt: number
  readonly endedAt: number | null
  readonly lastUpdate: number
  readonly currentSubtask: number | null
  readonly totalSubtasks: number | null
  readonly subtask: string | null
  readonly subtaskPercent: number | null
  readonly itemsComplete: number | null
  readonly itemsTotal: number | null
  /** Of the step in hand, else of the whole. */
  readonly message: string | null
  readonly overallMessage: string | null
  readonly percent: number | null
  readonly error: string | null
  readonly logPath: string | null
  /** LOST, HUNG, OVERDUE ...: only of executions that run. */
  readonly conditions: readonly string[]
  /** When it will end, with what that is based on; null where nothing can be promised. */
  readonly eta: Prediction | null
}

export interface ListFilter {
  readonly task?: string | undefined
  readonly stage?: string | undefined
  readonly status?: readonly string[] | undefined
  /** Only what began before: epoch milliseconds. */
  readonly before?: number | undefined
  readonly since?: number | undefined
  /** Only this one. */
  readonly runId?: string | undefined
  /** Only what comes behind it in the list: for the part after. */
  readonly after?: { readonly start: string; readonly id: number } | undefined
  /** Only the newest execution of each task. */
  readonly newest?: boolean
  readonly limit: number
  /** Epoch milliseconds. */
  readonly now: number
}

/** The newest first. */
export const listExecutions = async (
  database: LedgerDatabase,
  filter: ListFilter,
): Promise<ListedExecution[]> => listed(database, await rowsOf(database, filter), filter.now)

const rowsOf = (database: LedgerDatabase, filter: ListFilter) => {
  const { task, stage, status, before, since, runId, after, newest = false, limit } = filter
  let query = tables(database)
    .selectFrom('executions as e')
    .selectAll('e')
    .orderBy('e.execution_start', 'desc')
    .orderBy('e.execution_id', 'desc')
    .limit(limit)
  if (task !== undefined) query = query.where('e.task_name', '=', task)
  if (stage !== undefined) query = query.where('e.task_stage', '=', stage)
  if (status !== undefined) query = query.where('e.execution_status', 'in', [...status])
  if (before !== undefined) query = query.where('e.execution_start', '<', timeText(before))
  if (since !== undefined) query = query.where('e.execution_start', '>=', timeText(since))
  if (runId !== undefined) query = query.where('e.run_id', '=', runId)
  if (after)
    query = query
      // Said first and alone, so that an index begins there.
      .where('e.execution_start', '<=', after.start)
      .where((eb) => eb.or([eb('e.execution_start', '<', after.start), eb('e.execution_id', '<', after.id)]))
  if (newest)
    query = query.where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('executions as later')
            .select(sql`1`.as('one'))
            .whereRef('later.task_name', '=', 'e.task_name')
            .whereRef('later.execution_start', '>', 'e.execution_start'),
        ),
      ),
    )
  return query.execute()
}

const listed = async (
  database: LedgerDatabase,
  rows: Awaited<ReturnType<typeof rowsOf>>,
  now: number,
): Promise<ListedExecution[]> => {
  const seen = await outlooks(database, rows, now)
  return rows.map((row) => ({
    id: row.execution_id,
    runId: row.run_id,
    task: row.task_name,
    stage: row.task_stage,
    status: row.execution_status,
    reason: row.end_reason,
    host: row.hostname,
    pid: row.process_id,
    startedAt: timeMs(row.execution_start),
    endedAt: row.execution_end === null ? null : timeMs(row.execution_end),
    lastUpdate: timeMs(row.last_update),
    currentSubtask: row.current_subtask,
    totalSubtasks: row.total_subtasks,
    subtask: row.subtask_name,
    subtaskPercent: row.subtask_percent_complete,
    itemsComplete: row.subtask_items_complete,
    itemsTotal: row.subtask_items_total,
    message: row.subtask_progress_message ?? row.overall_progress_message,
    overallMessage: row.overall_progress_message,
    percent: row.overall_percent_complete,
    error: row.error_message,
    logPath: row.log_path,
    conditions: seen.get(row.run_id)?.conditions ?? [],
    eta: seen.get(row.run_id)?.eta ?? null,
  }))
}

/** Executions of one question of `eachExecution`. */
const AT_ONCE = 1000

/** All executions that the filter wants, at most `limit`, the newest first, in parts: as many as there are, and never all in memory. */
export async function* eachExecution(
  database: LedgerDatabase,
  filter: ListFilter,
  atOnce = AT_ONCE,
): AsyncGenerator<ListedExecution> {
  let { limit, after } = filter
  while (limit > 0) {
    const part = await rowsOf(database, { ...filter, after, limit: Math.min(limit, atOnce) })
    yield* await listed(database, part, filter.now)
    const last = part.at(-1)
    if (!last || part.length < atOnce) return
    // With the microseconds that SQL of one's own writes, and PostgreSQL orders by.
    const start = timeText(timeMs(last.execution_start)) + microsOf(last.execution_start)
    after = { start, id: last.execution_id }
    limit -= part.length
  }
}

/** Those of the executions that somebody asked to stop and that still run. */
export const cancelRequested = async (
  database: LedgerDatabase,
  runIds: readonly string[],
): Promise<string[]> => {
  if (runIds.length === 0) return []
  const rows = await tables(database)
    .selectFrom('executions')
    .select('run_id')
    .where('run_id', 'in', runIds)
    .where('cancel_requested_at', 'is not', null)
    .where(isOpen)
    .execute()
  return rows.map((row) => row.run_id)
}

/** Asks a running execution to stop; `track run` then ends its command. Whether there is one that runs. */
export const requestCancel = async (
  database: LedgerDatabase,
  runId: string,
  at: number,
): Promise<boolean> => {
  const { numUpdatedRows } = await tables(database)
    .updateTable('executions')
    .set({ cancel_requested_at: timeText(at) })
    .where('run_id', '=', runId)
    .where(isOpen)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}
