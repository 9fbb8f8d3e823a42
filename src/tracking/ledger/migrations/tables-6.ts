import type { ColumnType } from '../table-types.ts'

const MEASURED = {
  /** Between two signs of life; null: its reporter sends none by itself, or every 15 s. */
  heartbeat_seconds: 'real',
  /** What a move of rows saw last: seconds that a replica is behind, and the history list of the source. */
  replica_lag: 'int',
  history_list_length: 'big',
} as const

/** Columns that version 6 adds. */
export const COLUMNS_6 = {
  executions: MEASURED,
  executions_history: MEASURED,
} as const satisfies Readonly<Record<string, Readonly<Record<string, ColumnType>>>>
