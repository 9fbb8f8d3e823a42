import type { TableName } from './tables.ts'

export type Cell = string | number | null

/**
 * One row as it is written: the whole of what its writer knows, under its natural key. Writing it twice, late or out of order
 * changes nothing: `revision` counts up in each execution, and an older one never replaces a newer one.
 */
export interface Row {
  readonly table: TableName
  readonly cells: Readonly<Record<string, Cell>>
  /** What may be left out when the spool is full: how far something was, never that it began or ended. */
  readonly transient: boolean
}

/** What makes a row this one and no other. */
export const keyOf = (row: Row, columns: readonly string[]): string =>
  JSON.stringify([row.table, ...columns.map((column) => row.cells[column] ?? null)])
