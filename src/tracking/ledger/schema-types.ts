import type { Generated } from 'kysely'
import type { Database } from '../../sql/connection.ts'
import type { ColumnType, TABLES, TableName } from './tables.ts'

type Value<Type extends ColumnType> = Type extends 'id'
  ? Generated<number>
  : Type extends 'int' | 'big' | 'percent' | 'real'
    ? number
    : string

type Column<T extends (typeof TABLES)[TableName], C extends keyof T['columns']> = T['columns'][C] extends 'id'
  ? Generated<number>
  : C extends T['needed'][number]
    ? Value<T['columns'][C] & ColumnType>
    : Value<T['columns'][C] & ColumnType> | null

/** The ledger as the query builder knows it: derived from the tables that the migrations create. */
export type LedgerTables = {
  [N in TableName]: { [C in keyof (typeof TABLES)[N]['columns']]: Column<(typeof TABLES)[N], C> }
}

/** The `process_logs` view, as `history` reads it. */
export interface ProcessLogs {
  id: number
  table_name: string
  process_type: string
  process_pid: number
  start_time: string
  end_time: string | null
  status: string
  total_files: number
  processed_files: number
  current_file: string | null
  current_batch: number | null
  error_message: string | null
}

export interface SchemaVersion {
  version: number
  name: string
  applied_at: string
  applied_by: string
}

export type LedgerSchema = LedgerTables & { process_logs: ProcessLogs; schema_version: SchemaVersion }

/** The open ledger. */
export type LedgerDatabase = Database<LedgerSchema>
