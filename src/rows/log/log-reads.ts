import type { LogDatabase } from './log-database.ts'

type Cells = Readonly<Record<string, string | null>>

/** Processes, files, batches and conflicts that a look shows at most. */
const PROCESSES = 20
const FILES = 200
const BATCHES = 2000
const CONFLICTS = 100
const SINCE_HOURS = 3

const STANDINGS: Readonly<Record<string, string>> = {
  RUNNING: 'running',
  PROCESSING: 'running',
  COMPLETED: 'ok',
  PARTIAL: 'partial',
  FAILED: 'failed',
  KILLED: 'killed',
  TERMINATED: 'terminated',
  SYSTEM_REBOOT: 'reboot',
}
type LogStanding = 'running' | 'ok' | 'partial' | 'failed' | 'killed' | 'terminated' | 'reboot' | 'throttled'

const standingOf = (status: string | null): LogStanding =>
  (STANDINGS[status ?? ''] ?? 'failed') as LogStanding

const number = (row: Cells, name: string): number => Number(row[name] ?? 0)
const text = (row: Cells, name: string): string | undefined => row[name] ?? undefined
const time = (row: Cells, name: string): number | undefined =>
  row[name] === null || row[name] === undefined ? undefined : Math.round(Number(row[name]) * 1000)

/**
 * The log tables as a page shows them: the newest processes, the files and batches of the newest one, and conflicts that are open. Every
 * time is by the server's clock, whatever its zone.
 */
export const rowsOverview = async (log: LogDatabase) => {
  const isMysql = log.session.dialect === 'mysql'
  // A DATETIME of MySQL holds the server's zone: its age does not.
  const at = (column: string): string =>
    isMysql
      ? `(UNIX_TIMESTAMP(NOW(6)) - TIMESTAMPDIFF(MICROSECOND, ${column}, {now}) / 1000000)`
      : `extract(epoch FROM ${column})`
  const stamp = (column: string): string =>
    isMysql ? `UNIX_TIMESTAMP(${column})` : `extract(epoch FROM ${column})`
  const clock = isMysql ? 'UNIX_TIMESTAMP(NOW(6))' : 'extract(epoch FROM clock_timestamp())'
  const [clockRow = {}] = (await log.run(`SELECT ${clock} AS now_s`)).rows
  const { rows: processes } = await log.run(
    `SELECT p.*, ${at('p.start_time')} AS started_s, ${at('p.end_time')} AS ended_s,
       (SELECT COALESCE(SUM(f.records_processed), 0) FROM {file_processing_logs} f WHERE f.process_log_id = p.id) AS records_n
     FROM {process_logs} p ORDER BY p.id DESC LIMIT ${PROCESSES}`,
  )
  const newest = processes[0] ? number(processes[0], 'id') : undefined
  const of = newest === undefined ? [] : [newest]
  const read = async (sql: string): Promise<readonly Cells[]> =>
    newest === undefined ? [] : (await log.run(sql, of)).rows
  const files = await read(
    `SELECT * FROM {file_processing_logs} WHERE process_log_id = ? ORDER BY id LIMIT ${FILES}`,
  )
  const odd = await read(
    `SELECT file_name, batch_number, status FROM {batch_processing_logs} WHERE process_log_id = ? AND status IN ('COMPLETED_WITH_DUPLICATES', 'FAILED') ORDER BY id LIMIT ${BATCHES}`,
  )
  const batches = await read(
    `SELECT ids_requested, duration_ms, replica_lag, hll_value, throttled_ms, ${stamp('created_at')} AS at_s FROM {batch_processing_logs}
     WHERE process_log_id = ? AND created_at > ${isMysql ? `DATE_SUB(NOW(), INTERVAL ${SINCE_HOURS} HOUR)` : `now() - INTERVAL '${SINCE_HOURS} hours'`}
     ORDER BY id DESC LIMIT ${BATCHES}`,
  )
  const { rows: conflicts } = await log.run(
    `SELECT c.*, ${await log.selection('process_logs', ['source_name'], 'p')}, ${at('c.found_at')} AS found_s
     FROM {row_conflicts} c LEFT JOIN {process_logs} p ON p.id = c.process_log_id WHERE c.resolution IS NULL ORDER BY c.id DESC LIMIT ${CONFLICTS}`,
  )
  const own = log.notOfOthers('process_log_id')
  const { rows: ofThis } = await log.run(
    `SELECT COUNT(*) AS n FROM {row_conflicts} WHERE resolution IS NULL${own.sql}`,
    own.values,
  )
  const { rows: open } = await log.run('SELECT COUNT(*) AS n FROM {row_conflicts} WHERE resolution IS NULL')
  const oddOf = (file: string | null, status: string): number[] =>
    odd
      .filter((row) => row['file_name'] === file && row['status'] === status)
      .map((row) => number(row, 'batch_number'))
  return {
    now: time(clockRow, 'now_s') ?? 0,
    processes: processes.map(processOf),
    files: files.map((row) => ({
      name: row['file_name'] ?? '',
      status: row['status'] ?? '',
      standing: standingOf(row['status'] ?? null),
      bytes: number(row, 'file_size'),
      batches: number(row, 'total_batches'),
      batchesDone: number(row, 'processed_batches'),
      records: number(row, 'records_processed'),
      conflicts: number(row, 'conflicts'),
      error: text(row, 'error_message'),
      duplicates: oddOf(row['file_name'] ?? null, 'COMPLETED_WITH_DUPLICATES'),
      failed: oddOf(row['file_name'] ?? null, 'FAILED'),
    })),
    batches: batches
      .map((row) => ({
        at: time(row, 'at_s') ?? 0,
        ids: number(row, 'ids_requested'),
        tookMs: number(row, 'duration_ms'),
        lag: number(row, 'replica_lag'),
        historyList: number(row, 'hll_value'),
        throttledMs: number(row, 'throttled_ms'),
      }))
      .reverse(),
    conflicts: conflicts.map((row) => ({
      table: row['table_name'] ?? '',
      source: text(row, 'source_name'),
      key: row['row_key'] ?? '',
      file: row['file_name'] ?? '',
      batch: number(row, 'batch_number'),
      foundAt: time(row, 'found_s') ?? 0,
      differs: differences(row),
    })),
    openConflicts: number(open[0] ?? {}, 'n'),
    conflictsOfOthers: number(open[0] ?? {}, 'n') - number(ofThis[0] ?? {}, 'n'),
  }
}

/** A text that changes with each batch, conflict and step of the newest process: three rows by their keys. */
export const rowsRevision = async (log: LogDatabase): Promise<string> => {
  const newest = (table: string): string => `(SELECT MAX(id) FROM {${table}})`
  const { rows } = await log.run(
    `SELECT p.*, ${newest('batch_processing_logs')} AS last_batch, ${newest('row_conflicts')} AS last_conflict
     FROM {process_logs} p ORDER BY p.id DESC LIMIT 1`,
  )
  return JSON.stringify(rows[0] ?? null)
}

const processOf = (row: Cells) => {
  const running = row['status'] === 'RUNNING'
  const heldBack = running ? text(row, 'throttle_reason') : undefined
  return {
    id: number(row, 'id'),
    table: row['table_name'] ?? '',
    source: text(row, 'source_name'),
    archive: text(row, 'archive_name'),
    status: row['status'] ?? '',
    standing: heldBack === undefined ? standingOf(row['status'] ?? null) : ('throttled' as const),
    pid: row['process_pid'] === null ? undefined : number(row, 'process_pid'),
    host: text(row, 'hostname'),
    startedAt: time(row, 'started_s') ?? 0,
    endedAt: time(row, 'ended_s'),
    files: number(row, 'total_files'),
    filesDone: number(row, 'processed_files'),
    currentFile: text(row, 'current_file'),
    currentBatch: row['current_batch'] === null ? undefined : number(row, 'current_batch'),
    records: number(row, 'records_n'),
    conflicts: number(row, 'conflicts'),
    lag: number(row, 'replica_lag'),
    historyList: number(row, 'hll_value'),
    throttledMs: number(row, 'throttled_ms'),
    heldBack,
    control: text(row, 'control'),
    error: text(row, 'error_message'),
  }
}

/** Characters of a value that are shown. */
const SHOWN = 80

const differences = (row: Cells) => {
  const [live, archive] = [cellsOf(row['src_row']), cellsOf(row['dst_row'])]
  const columns = namesOf(row['differing_columns'])
  return columns.map((column) => ({
    column,
    live: valueText(live?.[column]),
    archive: valueText(archive?.[column]),
  }))
}

const cellsOf = (json: string | null | undefined): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(json ?? 'null')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const namesOf = (names: string | null | undefined): string[] =>
  (names ?? '')
    .split(', ')
    .map((name) => name.trim())
    .filter((name) => name !== '')

const valueText = (value: unknown): string => {
  if (value === undefined) return '–'
  const whole = typeof value === 'string' ? value : JSON.stringify(value)
  return whole.length > SHOWN ? `${whole.slice(0, SHOWN)}…` : whole
}
