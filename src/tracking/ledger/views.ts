import { STATES, wordsOf, type State } from './status-words.ts'
import type { DialectName } from '../../sql/database-url.ts'
import { qualified } from './tables.ts'
import { EXECUTION_COLUMNS } from './view-columns.ts'

/** The names of older programs' tables, which their monitoring queries use. */
export const VIEWS = [
  'process_logs',
  'file_processing_logs',
  'batch_processing_logs',
  'processing_log',
  'pipeline_status',
] as const

export type ViewName = (typeof VIEWS)[number]

/** The query of each view. `schema` is where the tables are on PostgreSQL. */
export const viewQuery = (name: ViewName, dialect: DialectName, schema: string | undefined): string =>
  QUERIES[name]((table) => qualified(schema, table), dialect)

/** The words of one older program for a column that holds a state, as SQL: made from the table in tracking/ledger/status-words.ts, so there is one truth. */
const wordOf = (dialect: DialectName, column: string, word: (state: State) => string | null): string => {
  const cases = STATES.map((state) => `WHEN '${state}' THEN ${literal(word(state))}`)
  return asText(`CASE ${column} ${cases.join(' ')} END`, dialect)
}

/** `process_logs.status` from `execution_status` and our reason: rows of other programs have no reason. */
const processWord = (dialect: DialectName, alias: string): string => {
  const exact = STATES.filter((state) => wordsOf(state).reason !== null).map((state) => {
    const { execution, reason, process } = wordsOf(state)
    return `WHEN ${alias}.execution_status = '${execution}' AND ${alias}.end_reason = '${reason}' THEN '${process}'`
  })
  const plain = STATES.filter(
    (state, at) => STATES.findIndex((other) => wordsOf(other).execution === wordsOf(state).execution) === at,
  ).map(
    (state) =>
      `WHEN ${alias}.execution_status = '${wordsOf(state).execution}' THEN '${wordsOf(state).process}'`,
  )
  return asText(`CASE ${[...exact, ...plain].join(' ')} END`, dialect)
}

const literal = (word: string | null): string => (word === null ? 'NULL' : `'${word}'`)

type Query = (table: (name: string) => string, dialect: DialectName) => string

const QUERIES: Readonly<Record<ViewName, Query>> = {
  process_logs: (table, dialect) => `
SELECT e.execution_id AS id,
  COALESCE(e.subject, e.task_name) AS table_name,
  e.task_name AS process_type,
  e.process_id AS process_pid,
  e.execution_start AS start_time,
  e.execution_end AS end_time,
  ${processWord(dialect, 'e')} AS status,
  COALESCE(e.items_total, 0) AS total_files,
  COALESCE(e.items_attempted, 0) AS processed_files,
  ${textOf('e.current_run', dialect)} AS current_file,
  e.current_batch AS current_batch,
  e.replica_lag AS replica_lag,
  e.history_list_length AS hll_value,
  e.error_message AS error_message,
  e.execution_start AS created_at,
  e.last_update AS updated_at
FROM ${table('executions')} e`,

  file_processing_logs: (table, dialect) => `
SELECT f.file_id AS id,
  e.execution_id AS process_log_id,
  f.file_name AS file_name,
  COALESCE(f.file_size, 0) AS file_size,
  f.started_at AS start_time,
  f.ended_at AS end_time,
  ${wordOf(dialect, 'f.state', (state) => wordsOf(state).file)} AS status,
  COALESCE(f.total_batches, 0) AS total_batches,
  COALESCE(f.processed_batches, 0) AS processed_batches,
  COALESCE(f.last_processed_batch, 0) AS last_processed_batch,
  COALESCE(f.records_processed, 0) AS records_processed,
  f.error_message AS error_message,
  f.started_at AS created_at,
  f.updated_at AS updated_at,
  f.stage AS stage
FROM ${table('files')} f JOIN ${table('executions')} e ON e.run_id = f.run_id`,

  // A run is one batch of its own, so that this view and file_processing_logs have the same names and add up.
  batch_processing_logs: (table, dialect) => `
SELECT f.file_id AS id,
  e.execution_id AS process_log_id,
  f.file_name AS file_name,
  1 AS batch_number,
  ${asText(
    `CASE WHEN f.result = 'present' OR f.error_code = 'CONFLICT' THEN '${wordsOf('partial').batch}' ELSE ${wordOf(dialect, 'f.state', (state) => wordsOf(state).batch)} END`,
    dialect,
  )} AS status,
  f.file_name AS first_id,
  f.file_name AS last_id,
  1 AS ids_requested,
  CASE WHEN f.state = 'done' AND COALESCE(f.result, '') <> 'present' THEN 1 ELSE 0 END AS rows_inserted,
  CASE WHEN f.state = 'done' AND f.result = 'present' THEN 1 ELSE 0 END AS already_archived,
  CASE WHEN f.error_code = 'CONFLICT' THEN 1 ELSE 0 END AS conflicts,
  f.duration_ms AS duration_ms,
  f.error_message AS error_message,
  f.started_at AS created_at,
  f.updated_at AS updated_at,
  f.stage AS stage
FROM ${table('files')} f JOIN ${table('executions')} e ON e.run_id = f.run_id`,

  // One row an item, its newest: what a crash left open has none, so that it is taken again.
  processing_log: (table, dialect) => `
SELECT n.run AS app_id,
  ${wordOf(dialect, 'n.state', (state) => wordsOf(state).item)} AS status,
  n.error_message AS failure_reason,
  n.updated_at AS processed_at
FROM (
  SELECT f.run, f.state, f.error_message, f.updated_at,
    ROW_NUMBER() OVER (PARTITION BY f.run ORDER BY f.started_at DESC, f.file_id DESC) AS place
  FROM ${table('files')} f WHERE f.run IS NOT NULL
) n
WHERE n.place = 1 AND ${wordOf(dialect, 'n.state', (state) => wordsOf(state).item)} IS NOT NULL`,

  // Plain columns of one table only: PostgreSQL then lets an older program's own UPDATE and INSERT go through.
  pipeline_status: (table) => `SELECT ${PIPELINE.join(', ')} FROM ${table('executions')}`,
}

const textOf = (column: string, dialect: DialectName): string =>
  asText(`CAST(${column} AS ${dialect === 'mysql' ? 'CHAR' : 'TEXT'})`, dialect)

/**
 * MySQL gives a text that a view computes the collation of the session that made the view, and refuses to compare it with a
 * literal of a session that has another. An explicit collation wins over both.
 */
export const asText = (expression: string, dialect: DialectName): string =>
  dialect === 'mysql' ? `(${expression}) COLLATE utf8mb4_unicode_ci` : expression

/** The columns of `tasker.executions`, their older names, and what we add. */
const PIPELINE = [
  ...EXECUTION_COLUMNS,
  'task_name AS script_name',
  'total_subtasks AS total_tasks',
  'current_subtask AS current_task',
  'subtask_status AS task_status',
  'subtask_percent_complete AS task_percent_complete',
  'subtask_progress_message AS task_progress_message',
  'subtask_items_total AS task_items_total',
  'subtask_items_complete AS task_items_complete',
  'end_reason',
]
