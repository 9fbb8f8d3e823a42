import { judge, wordsOf, type HostFacts, type OpenExecution } from './status-words.ts'
import { failuresOf } from './daily-failures.ts'
import { daysOf } from './daily-stats.ts'
import { tables } from './ledger-tables.ts'
import { isOpen } from './open-executions.ts'
import type { LedgerDatabase } from './schema-types.ts'
import { dayOf, timeMs, timeText } from '../../sql/timestamps.ts'
import { writeRows } from './upsert.ts'

/** What of this host is the same for every execution, and how a pid is looked up. */
export interface Host extends Omit<HostFacts, 'startTicks'> {
  readonly startTicksOf: (pid: number) => number | undefined
}

/** An execution that was found to have disappeared. */
export interface Closed {
  readonly runId: string
  readonly task: string
  readonly pid: number
  readonly host: string
  /** In the words of `process_logs`. */
  readonly status: 'TERMINATED' | 'SYSTEM_REBOOT'
  readonly reason: string
  readonly startedAt: number
  /** Its last sign of life, which stands as its end. */
  readonly endedAt: number
  readonly attempted: number
}

const OPEN = ['started', 'running']

/**
 * Judges every execution that the ledger has as running, except `self` where one is named, and closes those that are not: with their steps, runs
 * and batches. Safe by several programs at once; an end that was written meanwhile stays (`tracking/ledger/status-words.ts` decides).
 */
export const closeOpen = async (database: LedgerDatabase, host: Host, self?: string): Promise<Closed[]> => {
  let query = tables(database)
    .selectFrom('executions')
    .select(['run_id', 'task_name', 'hostname', 'process_id', 'boot_id', 'process_start_ticks'])
    .select(['execution_start', 'heartbeat_at', 'last_update', 'items_attempted', 'end_reason'])
    .where(isOpen)
  if (self !== undefined) query = query.where('run_id', '!=', self)
  const open = await query.execute()
  const closed: Closed[] = []
  for (const row of open) {
    const execution: OpenExecution = {
      host: row.hostname,
      pid: row.process_id,
      bootId: row.boot_id,
      startTicks: row.process_start_ticks,
      startedAt: timeMs(row.execution_start),
      // Of a reporter without a heartbeat each report is a sign of life.
      heartbeatAt: timeMs(row.heartbeat_at ?? row.last_update),
    }
    const verdict = judge(execution, { ...host, startTicks: host.startTicksOf(row.process_id) })
    if (verdict.verdict !== 'terminated' && verdict.verdict !== 'system_reboot') continue
    const end: Closed = {
      runId: row.run_id,
      task: row.task_name,
      pid: row.process_id,
      host: row.hostname,
      status: verdict.verdict === 'terminated' ? 'TERMINATED' : 'SYSTEM_REBOOT',
      reason: verdict.reason,
      startedAt: execution.startedAt,
      endedAt: Math.max(execution.startedAt, execution.heartbeatAt ?? 0, timeMs(row.last_update)),
      attempted: row.items_attempted ?? 0,
    }
    if (await close(database, end, host.now)) closed.push(end)
  }
  const days = closed.map(({ task, startedAt }) => ({ task, day: dayOf(startedAt) }))
  const counted = [...(await daysOf(database, days)), ...(await failuresOf(database, days))]
  await writeRows(database.kysely, counted, database.dialect, database.schema)
  return closed
}

/** Whether this process was the one that closed it. */
const close = (database: LedgerDatabase, end: Closed, now: number): Promise<boolean> =>
  database.kysely.transaction().execute(async (transaction) => {
    const within = tables({ ...database, kysely: transaction })
    const state = end.status === 'TERMINATED' ? 'terminated' : 'system_reboot'
    const { execution, reason } = wordsOf(state)
    const at = timeText(end.endedAt)
    const changed = await within
      .updateTable('executions')
      .set({ execution_status: execution, end_reason: reason, execution_end: at, last_update: timeText(now) })
      .set({ error_message: `Marked as ${end.status}: ${end.reason}`, subtask_status: 'FAILED' })
      .where('run_id', '=', end.runId)
      .where(isOpen)
      .executeTakeFirst()
    if (changed.numUpdatedRows === 0n) return false
    for (const table of ['subtasks', 'files', 'batches'] as const)
      await within
        .updateTable(table)
        .set({ state, ended_at: at, updated_at: timeText(now), error_message: end.reason })
        .where('run_id', '=', end.runId)
        .where('state', 'in', OPEN)
        .execute()
    const detail = JSON.stringify({ status: end.status, reason: end.reason })
    await within
      .insertInto('events')
      // Below every number that the execution itself gives its events.
      .values({ run_id: end.runId, seq: -1 - now, at: timeText(now), kind: 'judged', detail })
      .execute()
    return true
  })

/** How the last execution of a task's stage stood when it was stopped, for the lines about resuming. */
export interface Interrupted {
  readonly stage: string
  readonly status: string
  /** The batch that was begun and not finished, or would have been next. */
  readonly batch: number
  /** Runs that it had done. */
  readonly done: number
}

/** The newest step of a stage, when it was killed, terminated or rebooted away; undefined when it ended by itself. */
export const interrupted = async (
  database: LedgerDatabase,
  stage: string,
  self: string,
): Promise<Interrupted | undefined> => {
  const from = tables(database)
  const last = await from
    .selectFrom('subtasks')
    .select(['run_id', 'state', 'items_complete'])
    .where('name', '=', stage)
    .where('run_id', '!=', self)
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!last || !['killed', 'terminated', 'system_reboot'].includes(last.state)) return undefined
  const batch = await from
    .selectFrom('batches')
    .select(({ fn }) => fn.max('batch_number').as('newest'))
    .where('run_id', '=', last.run_id)
    .where('stage', '=', stage)
    .where('state', 'in', ['done', 'partial', 'failed'])
    .where('error_message', 'is', null)
    .executeTakeFirst()
  return { stage, status: last.state, batch: (batch?.newest ?? 0) + 1, done: last.items_complete ?? 0 }
}
