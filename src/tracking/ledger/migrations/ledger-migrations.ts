import type { Migration } from '../../../sql/migrate.ts'
import { createStatements, SQL_TYPES } from '../ddl.ts'
import type { DialectName } from '../../../sql/database-url.ts'
import { type ColumnType, qualified } from '../table-types.ts'
import { TABLES_1 } from './tables-1.ts'
import { COLUMNS_2, TABLES_2 } from './tables-2.ts'
import { COLUMNS_3 } from './tables-3.ts'
import { COLUMNS_6 } from './tables-6.ts'

type Index = readonly [name: string, table: string, columns: string, where?: string]
type Columns = Readonly<Record<string, Readonly<Record<string, ColumnType>>>>

const typesOf = (tables: Columns, dialect: DialectName): Record<string, Record<string, string>> =>
  Object.fromEntries(
    Object.entries(tables).map(([table, columns]) => [
      table,
      Object.fromEntries(Object.entries(columns).map(([column, type]) => [column, SQL_TYPES[type][dialect]])),
    ]),
  )

/** The ledger's migrations, in order. A released one never changes: a new one follows it. */
export const LEDGER_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'executions, their steps, files and batches',
    statements: (dialect, schema) => createStatements(TABLES_1, dialect, schema),
  },
  {
    version: 2,
    name: 'tasks, stages, failures by day, alerts, archived executions',
    columns: (dialect) => typesOf(COLUMNS_2, dialect),
    statements: (dialect, schema) => [
      ...createStatements(TABLES_2, dialect, schema),
      // What runs now, and for how long: found without reading what has ended.
      ...(dialect === 'mysql'
        ? []
        : [
            `CREATE INDEX IF NOT EXISTS idx_executions_open ON ${qualified(schema, 'executions')} (execution_start)
              WHERE execution_status IN ('STARTED', 'RUNNING')`,
          ]),
    ],
  },
  {
    version: 3,
    name: 'claims of instances',
    columns: (dialect) => typesOf(COLUMNS_3, dialect),
    statements: () => [],
  },
  {
    version: 4,
    name: 'indexes of what the page asks for',
    // MySQL has no CREATE INDEX IF NOT EXISTS; it goes without.
    statements: (dialect, schema) => (dialect === 'mysql' ? [] : indexes(READ_INDEXES, schema)),
  },
  {
    version: 5,
    name: 'what ended badly, by when it ended',
    statements: (dialect, schema) => (dialect === 'mysql' ? [] : indexes(ENDS, schema)),
  },
  {
    version: 6,
    name: 'how often an execution shows that it lives, and what its servers said',
    columns: (dialect) => typesOf(COLUMNS_6, dialect),
    statements: () => [],
  },
]

/**
 * Each filter of the lists, in the order in which they are shown. What is rare has an index of its own: one that held all would be taken for questions
 * about the newest of a task, too, by engines that have no statistics.
 */
const READ_INDEXES: readonly Index[] = [
  ['idx_executions_bad', 'executions', 'execution_status, end_reason, execution_start', "end_reason <> 'ok'"],
  ['idx_executions_no_reason', 'executions', 'execution_status, execution_start', 'end_reason IS NULL'],
  ['idx_executions_stage_start', 'executions', 'task_stage, execution_start'],
  ['idx_executions_host_start', 'executions', 'hostname, execution_start'],
  ['idx_daily_stats_day', 'daily_stats', 'day, task_name'],
  ['idx_files_state_started', 'files', 'state, started_at'],
]

/** For the alerts: how often a task was killed, or disappeared, in the last 24 hours. */
const ENDS: readonly Index[] = [
  ['idx_executions_bad_end', 'executions', 'execution_end, task_name, end_reason', "end_reason <> 'ok'"],
]

const indexes = (all: readonly Index[], schema: string | undefined): string[] =>
  all.map(
    ([name, table, columns, where]) =>
      `CREATE INDEX IF NOT EXISTS ${name} ON ${qualified(schema, table)} (${columns})${where === undefined ? '' : ` WHERE ${where}`}`,
  )
