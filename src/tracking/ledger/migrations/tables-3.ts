import type { ColumnType } from '../table-types.ts'

/** What a worker on a shared backlog counted: items that it was given, results that were refused, items that it took from the dead. */
const CLAIMS = { claims: 'big', claims_fenced: 'big', claims_recovered: 'big' } as const

/** Columns that version 3 adds. */
export const COLUMNS_3 = {
  executions: CLAIMS,
  executions_history: CLAIMS,
} as const satisfies Readonly<Record<string, Readonly<Record<string, ColumnType>>>>
