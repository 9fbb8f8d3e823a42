import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { timeMs } from '../../sql/timestamps.ts'
import { findExecution } from '../ledger/find-execution.ts'
import { tables } from '../ledger/ledger-tables.ts'
import { isOpen } from '../ledger/open-executions.ts'
import { outlooks } from './outlooks.ts'
import { executionLine, type Line, ms, runAttempt, subtaskLine } from './execution-lines.ts'

/** Executions without an end, the newest first. */
export const currentExecutions = async (database: LedgerDatabase, now: number): Promise<Line[]> => {
  const rows = await tables(database)
    .selectFrom('executions')
    .selectAll()
    .where(isOpen)
    .orderBy('execution_start', 'desc')
    .limit(500)
    .execute()
  const seen = await outlooks(database, rows, now)
  return rows.map((row) => executionLine(row, seen.get(row.run_id)))
}

/** One execution by its number or UUID, with subtasks, events and the runs it did not archive (the first hundred). */
export const oneExecution = async (database: LedgerDatabase, id: string, now: number) => {
  const row = await findExecution(database, id)
  if (!row) return undefined
  const from = tables(database)
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
    ...executionLine(row, (await outlooks(database, [row], now)).get(row.run_id)),
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
    .select(['net_rx_bytes', 'net_tx_bytes', 'db_connections', 'rows_processed', 'open_files', 'threads'])
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
    receivedBytes: row.net_rx_bytes ?? undefined,
    sentBytes: row.net_tx_bytes ?? undefined,
    databaseConnections: row.db_connections ?? undefined,
    rowsProcessed: row.rows_processed ?? undefined,
    openFiles: row.open_files ?? undefined,
    threads: row.threads ?? undefined,
  }))
}

/** A text that changes with every write of an execution: the newest of the times and numbers that a write moves. */
export const ledgerRevision = async (database: LedgerDatabase): Promise<string> => {
  const from = tables(database)
  const [open, newest, files] = await Promise.all([
    from
      .selectFrom('executions')
      .select(['execution_id', 'last_update', 'revision', 'execution_status'])
      .where(isOpen)
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
