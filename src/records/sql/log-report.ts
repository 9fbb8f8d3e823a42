import { textIn, type RecordsDatabase, type SqlRow } from './database.ts'
import { asText, firstRows, quoted } from './dialect.ts'
import { LOG_TABLE } from './log-table.ts'

/** What the log says of a task. */
export interface LogReport {
  readonly statuses: Readonly<Record<string, number>>
  readonly codes: Readonly<Record<string, number>>
  readonly rowsWritten: number
  /** Rows by table, of all items that succeeded. */
  readonly tables: Readonly<Record<string, number>>
  readonly first: string | null
  readonly last: string | null
}

export interface FailedItem {
  readonly key: string
  readonly code: string
  readonly reason: string
  readonly retries: number
}

/** Counts by status, code and table. */
export const logReport = async ({ session, dialect }: RecordsDatabase, task: string): Promise<LogReport> => {
  const log = quoted(dialect, LOG_TABLE)
  const groups = await session.rows(
    `SELECT status, code, COUNT(*) AS items, SUM(rows_written) AS written, MIN(started_at) AS first, MAX(processing_time) AS last
       FROM ${log} WHERE task = ? GROUP BY status, code`,
    [task],
  )
  const tables = await session.rows(
    `SELECT tables, COUNT(*) AS items FROM ${log} WHERE task = ? AND status = 'success' GROUP BY tables`,
    [task],
  )
  const count = (name: string): Record<string, number> => {
    const counts: Record<string, number> = {}
    for (const row of groups) {
      const value = textIn(row, name)
      if (value !== null) counts[value] = (counts[value] ?? 0) + Number(row['items'])
    }
    return counts
  }
  const times = (name: string): string[] => groups.flatMap((row) => textIn(row, name) ?? []).sort()
  return {
    statuses: count('status'),
    codes: count('code'),
    rowsWritten: groups.reduce((sum, row) => sum + Number(row['written']), 0),
    tables: summed(tables),
    first: times('first')[0] ?? null,
    last: times('last').at(-1) ?? null,
  }
}

/** The number of the newest line: it changes with each item that is new to the log, not with a retry of one. */
export const logRevision = async ({ session, dialect }: RecordsDatabase): Promise<string> => {
  const [row] = await session.rows(`SELECT MAX(log_id) AS last FROM ${quoted(dialect, LOG_TABLE)}`)
  return String(Number(row?.['last'] ?? 0))
}

const summed = (rows: readonly SqlRow[]): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (const row of rows)
    for (const [name, count] of Object.entries(
      JSON.parse(textIn(row, 'tables') ?? '{}') as Record<string, number>,
    ))
      sums[name] = (sums[name] ?? 0) + count * Number(row['items'])
  return sums
}

/** The failed items of a task, in the order of their keys. */
export const failedItems = async (
  { session, dialect }: RecordsDatabase,
  task: string,
  most: number,
): Promise<FailedItem[]> => {
  const rows = await session.rows(
    firstRows(
      dialect,
      most,
      `${asText(dialect, 'app_id')} AS item, code, failure_reason AS reason, retry_count AS retries
       FROM ${quoted(dialect, LOG_TABLE)} WHERE task = ? AND status = 'failed' ORDER BY app_id`,
    ),
    [task],
  )
  return rows.map((row) => ({
    key: textIn(row, 'item') ?? '',
    code: textIn(row, 'code') ?? '',
    reason: textIn(row, 'reason') ?? '',
    retries: Number(row['retries']),
  }))
}
