/** What a column holds, whatever the engine calls it. */
export type ColumnType =
  'id' | 'uuid' | 'word' | 'name' | 'path' | 'text' | 'int' | 'big' | 'percent' | 'real' | 'time' | 'json'

export interface Table {
  readonly columns: Readonly<Record<string, ColumnType>>
  /** Columns that are never null. */
  readonly needed: readonly string[]
  /** The natural key: two writes of one key are one row. */
  readonly key: readonly string[]
  readonly checks?: readonly string[]
  readonly indexes?: Readonly<Record<string, string>>
  /** PostgreSQL: a column whose ranges are partitions. */
  readonly partitionBy?: string
  /** Columns with a default that the database gives. */
  readonly defaults?: Readonly<Record<string, string>>
}

/** A table's or view's name in SQL. Names come from the code or are checked (`schemaName`), so they need no quotes. */
export const qualified = (schema: string | undefined, name: string): string =>
  schema === undefined ? name : `${schema}.${name}`
