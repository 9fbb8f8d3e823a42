import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { timeMs, timeText } from '../../sql/timestamps.ts'
import { tables } from '../ledger/daily-stats.ts'
import type { LedgerSchema } from '../ledger/schema-types.ts'
import { stateOf, wordsOf, type State } from '../ledger/status-words.ts'
import { outlooks } from './outlooks.ts'
import { executionLine, type Line, ms, runAttempt, statesBehind, subtaskLine } from './execution-lines.ts'

export interface ExecutionWish {
  readonly task?: string | undefined
  readonly stage?: string | undefined
  readonly standing?: string | undefined
  readonly host?: string | undefined
  readonly text?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

type Builder = ExpressionBuilder<LedgerSchema, 'executions'>

/** Executions without an end, the newest first. */
export const currentExecutions = async (database: LedgerDatabase, now: number): Promise<Line[]> => {
  const rows = await tables(database)
    .selectFrom('executions')
    .selectAll()
    .where('execution_status', 'in', ['STARTED', 'RUNNING'])
    .orderBy('execution_start', 'desc')
    .limit(500)
    .execute()
  const seen = await outlooks(database, rows, now)
  return rows.map((row) => executionLine(row, now, seen.get(row.run_id)))
}

/** The newest first. `cursor` is the `next` of the part before; a part is found by its key, never by counting rows. */
export const listExecutions = async (database: LedgerDatabase, wish: ExecutionWish, now: number) => {
  const { task, stage, standing, host, text, from, to, limit, cursor } = wish
  let query = tables(database)
    .selectFrom('executions')
    .selectAll()
    .orderBy('execution_start', 'desc')
    .orderBy('execution_id', 'desc')
    .limit(limit + 1)
  if (task) query = query.where('task_name', '=', task)
  if (stage) query = query.where('task_stage', '=', stage)
  if (host) query = query.where('hostname', '=', host)
  if (from !== undefined) query = query.where('execution_start', '>=', timeText(from))
  if (to !== undefined) query = query.where('execution_start', '<', timeText(to))
  if (standing) query = query.where((eb) => standsSo(eb, standing))
  if (text) query = query.where((eb) => mentions(eb, text))
  const after = cursor === undefined ? undefined : readCursor(cursor)
  if (after)
    query = query.where((eb) =>
      eb.or([
        eb('execution_start', '<', timeText(after.start)),
        eb.and([eb('execution_start', '=', timeText(after.start)), eb('execution_id', '<', after.id)]),
      ]),
    )
  const rows = await query.execute()
  const seen = await outlooks(database, rows, now)
  const items = rows.slice(0, limit).map((row) => executionLine(row, now, seen.get(row.run_id)))
  const last = items.at(-1)
  return { items, next: rows.length > limit && last ? `${last.startedAt}-${last.id}` : undefined }
}

/** The moment and number behind a cursor; undefined where it is not one. */
export const readCursor = (cursor: string): { start: number; id: number } | undefined => {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(cursor)
  return match ? { start: Number(match[1]), id: Number(match[2]) } : undefined
}

const standsSo = (eb: Builder, standing: string): Expression<SqlBool> => {
  const live = ['running', 'hung', 'throttled'].includes(standing)
  if (live) return eb('execution_status', 'in', ['STARTED', 'RUNNING'])
  return eb.or(statesBehind(standing).map((state) => isIn(eb, state)))
}

/** A state is two columns; rows of other programs have only the first, and count as the plainest state of it. */
const isIn = (eb: Builder, state: State): Expression<SqlBool> => {
  const { execution, reason } = wordsOf(state)
  const plain = stateOf(execution, null) === state
  const same = eb('end_reason', '=', reason ?? '')
  return eb.and([
    eb('execution_status', '=', execution),
    plain ? eb.or([eb('end_reason', 'is', null), same]) : same,
  ])
}

const mentions = (eb: Builder, text: string): Expression<SqlBool> => {
  const like = `%${text.replace(/[%_\\]/g, '')}%`
  return eb.or([
    eb('task_name', 'like', like),
    eb('error_message', 'like', like),
    eb('overall_progress_message', 'like', like),
    ...(/^[0-9a-f-]{8,36}$/i.test(text) ? [eb('run_id', 'like', `${text.toLowerCase()}%`)] : []),
  ])
}

/** One execution by its number or UUID, with subtasks, events and the runs it did not archive (the first hundred). */
export const oneExecution = async (database: LedgerDatabase, id: string, now: number) => {
  const from = tables(database)
  const byNumber = /^\d{1,15}$/.test(id)
  if (!byNumber && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return undefined
  const row = await from
    .selectFrom('executions')
    .selectAll()
    .where((eb) => (byNumber ? eb('execution_id', '=', Number(id)) : eb('run_id', '=', id.toLowerCase())))
    .executeTakeFirst()
  if (!row) return undefined
  const [parts, events, failed] = await Promise.all([
    from
      .selectFrom('subtasks')
      .selectAll()
      .where('run_id', '=', row.run_id)
      .orderBy('seq')
      .limit(500)
      .execute(),
    from
      .selectFrom('events')
      .selectAll()
      .where('run_id', '=', row.run_id)
      .orderBy('at', 'desc')
      .orderBy('event_id', 'desc')
      .limit(100)
      .execute(),
    from
      .selectFrom('files')
      .selectAll()
      .where('run_id', '=', row.run_id)
      .where('state', '!=', 'done')
      .orderBy('file_id')
      .limit(100)
      .execute(),
  ])
  return {
    ...executionLine(row, now, (await outlooks(database, [row], now)).get(row.run_id)),
    detail: row.error_detail ?? undefined,
    argv: row.argv ?? undefined,
    environment: row.environment ?? undefined,
    invocationId: row.invocation_id ?? undefined,
    commit: row.git_commit ?? undefined,
    logPath: row.log_path ?? undefined,
    parts: parts.map(subtaskLine),
    events: events.map(({ at, kind, detail }) => ({ at: timeMs(at), kind, detail: detail ?? undefined })),
    failedRuns: failed.map((file) => runAttempt(file, row.execution_id)),
  }
}

/** CPU, memory and input and output of an execution, the oldest first. */
export const executionMetrics = async (database: LedgerDatabase, id: number) => {
  const from = tables(database)
  const rows = await from
    .selectFrom('process_metrics')
    .innerJoin('executions', 'executions.run_id', 'process_metrics.run_id')
    .select(['process_metrics.at', 'process_metrics.cpu_percent', 'process_metrics.memory_mb'])
    .select(['process_metrics.read_bytes', 'process_metrics.write_bytes'])
    .where('executions.execution_id', '=', id)
    .orderBy('process_metrics.at', 'desc')
    .limit(2000)
    .execute()
  return rows.reverse().map((row) => ({
    at: timeMs(row.at),
    cpuPercent: row.cpu_percent ?? undefined,
    memoryMb: row.memory_mb ?? undefined,
    readBytes: row.read_bytes ?? undefined,
    writeBytes: row.write_bytes ?? undefined,
  }))
}

/** A text that changes with every write of an execution: the newest of the times and numbers that a write moves. */
export const ledgerRevision = async (database: LedgerDatabase): Promise<string> => {
  const from = tables(database)
  const [open, newest, files] = await Promise.all([
    from
      .selectFrom('executions')
      .select(['execution_id', 'last_update', 'revision', 'execution_status'])
      .where('execution_status', 'in', ['STARTED', 'RUNNING'])
      .orderBy('execution_id')
      .limit(500)
      .execute(),
    from
      .selectFrom('executions')
      .select(['execution_id', 'last_update', 'revision'])
      .orderBy('execution_id', 'desc')
      .limit(1)
      .executeTakeFirst(),
    from
      .selectFrom('files')
      .select(({ fn }) => fn.max('file_id').as('last'))
      .executeTakeFirst(),
  ])
  const seen = [...open, ...(newest ? [newest] : [])]
  return `${seen.map((row) => `${row.execution_id}.${row.revision}.${ms(row.last_update) ?? 0}`).join(',')}/${files?.last ?? 0}`
}
