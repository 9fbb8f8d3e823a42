import type { Migration } from '../../../sql/migrate.ts'
import { createStatements, SQL_TYPES } from '../ddl.ts'
import { qualified } from '../table-types.ts'
import { TABLES_1 } from './tables-1.ts'
import { COLUMNS_2, TABLES_2 } from './tables-2.ts'

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
    columns: (dialect) =>
      Object.fromEntries(
        Object.entries(COLUMNS_2).map(([table, columns]) => [
          table,
          Object.fromEntries(
            Object.entries(columns).map(([column, type]) => [column, SQL_TYPES[type][dialect]]),
          ),
        ]),
      ),
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
]
