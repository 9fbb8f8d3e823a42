import type { KeyType } from '../mapping/model.ts'
import type { Cell } from '../values/convert.ts'
import { keyCell } from '../map/map-record.ts'
import { timeMs } from '../../sql/timestamps.ts'
import { textIn, type Insert, type RecordsDatabase, type Session, type SqlRow } from './database.ts'
import type { RecordsDialect } from './records-url.ts'
import { classOf } from './classify-error.ts'
import { asText, quoted } from './dialect.ts'
import { LOG_TABLE } from './log-table.ts'
import { mssqlLogInsert } from './mssql-log.ts'

/** What one attempt says of an item. `reason` and `detail` hold no values of the payload. */
export interface LogEntry {
  readonly key: Cell
  readonly status: 'success' | 'failed'
  readonly reason: string | null
  readonly stage: string | null
  readonly code: string | null
  readonly detail: string | null
  readonly warnings: string | null
  readonly result: 'stored' | 'present' | null
  readonly rowsWritten: number
  /** JSON of row counts by table: every row of the item, whether it was written now or was there. */
  readonly tables: string
  readonly payloadSha256: string | null
  readonly payloadBytes: number | null
  /** UTC, as text. */
  readonly startedAt: string
  readonly finishedAt: string
  readonly durationMs: number
}

/** Who writes the log. */
export interface LogWriter {
  readonly task: string
  readonly keyType: KeyType
  readonly sessionId: string
  readonly instanceId: number | null
  readonly instanceCount: number | null
  readonly rangeStart: string | null
  readonly rangeEnd: string | null
  readonly mappingSha256: string
}

const NAMES = [
  'app_id',
  'status',
  'failure_reason',
  'processing_time',
  'session_id',
  'app_id_start',
  'app_id_end',
  'task',
  'instance_id',
  'instance_count',
  'stage',
  'code',
  'detail',
  'warnings',
  'result',
  'rows_written',
  'tables',
  'payload_sha256',
  'payload_bytes',
  'mapping_sha256',
  'started_at',
  'duration_ms',
] as const

const valuesOf = (entry: LogEntry, writer: LogWriter): unknown[] => [
  entry.key,
  entry.status,
  entry.reason,
  entry.finishedAt,
  writer.sessionId,
  writer.rangeStart,
  writer.rangeEnd,
  writer.task,
  writer.instanceId,
  writer.instanceCount,
  entry.stage,
  entry.code,
  entry.detail,
  entry.warnings,
  entry.result,
  entry.rowsWritten,
  entry.tables,
  entry.payloadSha256,
  entry.payloadBytes,
  writer.mappingSha256,
  entry.startedAt,
  entry.durationMs,
]

interface LogSql {
  readonly insert: string
  /** Over a failed row, and over a success in no case: it then changes nothing. */
  readonly upsert: string
  /** As `upsert`; it fails with a division by zero where there is a success. Not for MySQL, where a plain INSERT fails for any row. */
  readonly upsertOrFail: string
  readonly update: string
}

const CHANGED = NAMES.filter((name) => name !== 'task' && name !== 'app_id')

const logSql = (dialect: RecordsDialect): LogSql => {
  const table = quoted(dialect, LOG_TABLE)
  const insert = `INSERT INTO ${table} (${NAMES.join(', ')}) VALUES (${NAMES.map(() => '?').join(', ')})`
  const set = CHANGED.map((name) => `${name} = excluded.${name}`).join(', ')
  const replace = `ON CONFLICT (task, app_id) DO UPDATE SET ${set}, epoch = ${table}.epoch + 1, retry_count = ${table}.retry_count + 1`
  const given = CHANGED.map((name) => `${name} = ?`).join(', ')
  return {
    insert,
    upsert: `${insert} ${replace} WHERE ${table}.status <> 'success'`,
    upsertOrFail: `${insert} ${replace} / (CASE WHEN ${table}.status = 'success' THEN 0 ELSE 1 END)`,
    update: `UPDATE ${table} SET ${given}, epoch = epoch + 1, retry_count = retry_count + 1 WHERE task = ? AND app_id = ? AND status <> 'success'`,
  }
}

const LOG_SQL: Readonly<Record<RecordsDialect, LogSql>> = {
  sqlite: logSql('sqlite'),
  postgres: logSql('postgres'),
  mysql: logSql('mysql'),
  mssql: { ...logSql('mssql'), insert: mssqlLogInsert(NAMES) },
}

/** The INSERT of an item's log row that fails where the item is done already, so that all that goes with it fails as well. */
export const logInsert = (dialect: RecordsDialect, entry: LogEntry, writer: LogWriter): Insert => {
  const { insert, upsertOrFail } = LOG_SQL[dialect]
  return { sql: dialect === 'mysql' ? insert : upsertOrFail, values: valuesOf(entry, writer) }
}

/**
 * Writes an item's one log row, over a failed one but never over a success. False: the item is done already, by this process or another.
 * Where another transaction holds the row, this waits for its end.
 */
export const writeLogRow = async (
  session: Session,
  dialect: RecordsDialect,
  entry: LogEntry,
  writer: LogWriter,
): Promise<boolean> => {
  const values = valuesOf(entry, writer)
  const { insert, upsert, update } = LOG_SQL[dialect]
  if (dialect === 'sqlite' || dialect === 'postgres') return (await session.change(upsert, values)) > 0
  if (dialect === 'mssql') {
    if ((await session.change(insert, [...values, writer.task, entry.key])) > 0) return true
  } else
    try {
      await session.change(insert, values)
      return true
    } catch (error) {
      // A statement that fails on a duplicate key leaves the transaction as it was.
      if (classOf(error) !== 'duplicate') throw error
    }
  const given = NAMES.flatMap((name, index) => (name === 'task' || name === 'app_id' ? [] : [values[index]]))
  return (await session.change(update, [...given, writer.task, entry.key])) > 0
}

/** Puts into an item's log row what was known only after its rows were compared, in the same transaction. */
export const correctLogRow = async (
  session: Session,
  dialect: RecordsDialect,
  key: Cell,
  { result, rowsWritten }: { readonly result: 'stored' | 'present'; readonly rowsWritten: number },
  { task }: LogWriter,
): Promise<void> => {
  const sql = `UPDATE ${quoted(dialect, LOG_TABLE)} SET result = ?, rows_written = ? WHERE task = ? AND app_id = ?`
  await session.change(sql, [result, rowsWritten, task, key])
}

/** What the log says of items, by key as text. Items without a row are pending. */
export interface LogState {
  readonly status: string
  readonly code: string | null
  readonly retryCount: number
  readonly sessionId: string | null
  readonly payloadSha256: string | null
  readonly rowsWritten: number
  /** Epoch milliseconds; undefined in a log that was taken over. */
  readonly startedAt: number | undefined
}

/** What the log says of keys, as the source writes them. A key that the log's column cannot hold has no row. */
export const logStates = async (
  { session, dialect }: RecordsDatabase,
  { task, keyType }: Pick<LogWriter, 'task' | 'keyType'>,
  sourceKeys: readonly string[],
): Promise<ReadonlyMap<string, LogState>> => {
  const states = new Map<string, LogState>()
  const cells = sourceKeys.map((key) => keyCell(key, keyType))
  const keys = [
    ...new Set(cells.flatMap((cell) => (cell === undefined || cell === null ? [] : String(cell)))),
  ]
  for (let at = 0; at < keys.length; at += 1000) {
    const part = keys.slice(at, at + 1000)
    const rows = await session.rows(
      `SELECT ${asText(dialect, 'app_id')} AS item, status, code, retry_count AS retries, session_id AS session, payload_sha256 AS sha, rows_written AS written, started_at AS started
         FROM ${quoted(dialect, LOG_TABLE)} WHERE task = ? AND app_id IN (${part.map(() => '?').join(', ')})`,
      [task, ...part],
    )
    for (const row of rows)
      states.set(String(row['item']), {
        status: String(row['status']),
        code: textIn(row, 'code'),
        retryCount: Number(row['retries']),
        sessionId: textIn(row, 'session'),
        payloadSha256: textIn(row, 'sha'),
        rowsWritten: Number(row['written']),
        startedAt: momentIn(row, 'started'),
      })
  }
  return new Map(
    sourceKeys.flatMap((key, index) => {
      const state = states.get(String(cells[index]))
      return state ? [[key, state] as const] : []
    }),
  )
}

/** A moment of the log, which is UTC. */
const momentIn = (row: SqlRow, name: string): number | undefined => {
  const text = textIn(row, name)
  return text === null ? undefined : timeMs(text)
}
