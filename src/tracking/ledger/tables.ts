import { COLUMNS_2, TABLES_2 } from './migrations/tables-2.ts'
import { COLUMNS_3 } from './migrations/tables-3.ts'
import { COLUMNS_6 } from './migrations/tables-6.ts'
import { TABLES_1 } from './migrations/tables-1.ts'

/** Every table as it is after all migrations. */
export const TABLES = {
  ...TABLES_1,
  ...TABLES_2,
  executions: {
    ...TABLES_1.executions,
    columns: {
      ...TABLES_1.executions.columns,
      ...COLUMNS_2.executions,
      ...COLUMNS_3.executions,
      ...COLUMNS_6.executions,
    },
  },
  executions_history: {
    ...TABLES_2.executions_history,
    columns: {
      ...TABLES_2.executions_history.columns,
      ...COLUMNS_3.executions_history,
      ...COLUMNS_6.executions_history,
    },
  },
  process_metrics: {
    ...TABLES_1.process_metrics,
    columns: { ...TABLES_1.process_metrics.columns, ...COLUMNS_2.process_metrics },
  },
} as const

export type TableName = keyof typeof TABLES

export { qualified, type ColumnType, type Table } from './table-types.ts'
