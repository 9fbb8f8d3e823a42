import { sql, type Selectable, type SqlBool } from 'kysely'
import { timeMs } from '../../sql/timestamps.ts'
import { SILENT_AFTER, type Latest } from '../graph/conditions.ts'
import { outlookOf, type Outlook } from '../graph/outlook.ts'
import { blockedSql } from '../ledger/display-status.ts'
import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase, LedgerSchema } from '../ledger/schema-types.ts'
import { stateOf } from '../ledger/status-words.ts'
import { pastOfTasks } from './newest-of-tasks.ts'

type ExecutionRow = Selectable<LedgerSchema['executions']>

const NONE: ReadonlySet<string> = new Set()

/** The run ids among executions that wait for a task that theirs depends on. Only those that have reported nothing but their start are asked for. */
export const blockedAmong = async (
  database: LedgerDatabase,
  rows: readonly Pick<ExecutionRow, 'run_id' | 'execution_status'>[],
): Promise<ReadonlySet<string>> => {
  const ids = rows.flatMap((row) => (row.execution_status === 'STARTED' ? row.run_id : []))
  if (ids.length === 0) return NONE
  const blocked = sql<SqlBool>`${sql.raw(blockedSql(database.dialect, database.schema, 'executions'))}`
  const found = await tables(database)
    .selectFrom('executions')
    .select('run_id')
    .where('run_id', 'in', ids)
    .where(blocked)
    .execute()
  return new Set(found.map(({ run_id }) => run_id))
}

/** A row as the rules look at it. `blocked` are the run ids of those that wait for another task. */
export const latestOf = (row: ExecutionRow, now: number, blocked = NONE): Latest => {
  const startedAt = timeMs(row.execution_start)
  const updatedAt = timeMs(row.last_update)
  const hasHeart = row.heartbeat_at !== null
  const isSilent = Math.abs(now - updatedAt) > SILENT_AFTER
  const progressAt = row.progress_at === null ? undefined : timeMs(row.progress_at)
  const done = row.items_attempted ?? 0
  return {
    runId: row.run_id,
    state: stateOf(row.execution_status, row.end_reason),
    startedAt,
    endedAt: row.execution_end === null ? undefined : timeMs(row.execution_end),
    // A program that writes SQL itself has no heartbeat: it is given an hour for one step, and is never called hung.
    heartbeatAt: hasHeart ? timeMs(row.heartbeat_at ?? '') : isSilent ? updatedAt : now,
    heartbeatEvery: row.heartbeat_seconds === null ? undefined : row.heartbeat_seconds * 1000,
    progressAt: hasHeart ? progressAt : now,
    subState: row.sub_state || (blocked.has(row.run_id) ? 'BLOCKED' : undefined),
    itemMs: done > 0 && progressAt !== undefined ? (progressAt - startedAt) / done : undefined,
  }
}

/** How executions that run will go on, by run id. The past of a task is read once. */
export const outlooks = async (
  database: LedgerDatabase,
  rows: readonly ExecutionRow[],
  now: number,
): Promise<ReadonlyMap<string, Outlook>> => {
  const open = rows.filter(({ execution_status: word }) => word === 'STARTED' || word === 'RUNNING')
  const past = await pastOfTasks(
    database,
    open.map(({ task_name: name }) => name),
  )
  const blocked = await blockedAmong(database, open)
  return new Map(
    open.map((row) => {
      const [at, low, high] = [row.eta_at, row.eta_low, row.eta_high].map((text) =>
        text === null ? undefined : timeMs(text),
      )
      const byItems = at === undefined ? undefined : { at, low: low ?? at, high: high ?? at }
      const latest = latestOf(row, now, blocked)
      const isLastSubtask = (row.current_subtask ?? 1) >= (row.total_subtasks ?? 1)
      const pastOfTask = past.get(row.task_name) ?? []
      return [row.run_id, outlookOf({ latest, byItems, isLastSubtask, past: pastOfTask, now })]
    }),
  )
}
