import type { Standing } from '../standing.ts'

/** One `rows run`, as its log tables say. Times in epoch milliseconds. */
export interface RowsProcess {
  readonly id: number
  readonly table: string
  /** The server and database of the table, where several may share the log tables; undefined: the log tables are in that database. */
  readonly source: string | undefined
  readonly archive: string | undefined
  /** The word of the log table. */
  readonly status: string
  readonly standing: Standing
  readonly pid: number | undefined
  readonly host: string | undefined
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly files: number
  readonly filesDone: number
  readonly currentFile: string | undefined
  readonly currentBatch: number | undefined
  /** Ids of all its finished batches. */
  readonly records: number
  readonly conflicts: number
  /** Seconds that the slowest replica was behind, at the last batch. */
  readonly lag: number
  readonly historyList: number
  readonly throttledMs: number
  /** Why the next batch is held back; undefined where it is not. */
  readonly heldBack: string | undefined
  readonly control: string | undefined
  readonly error: string | undefined
}

export interface RowsFile {
  readonly name: string
  readonly status: string
  readonly standing: Standing
  readonly bytes: number
  readonly batches: number
  readonly batchesDone: number
  readonly records: number
  readonly conflicts: number
  readonly error: string | undefined
  /** Numbers of batches with rows that were archived already or differ. */
  readonly duplicates: readonly number[]
  readonly failed: readonly number[]
}

/** What one finished batch measured. */
export interface RowsBatch {
  readonly at: number
  readonly ids: number
  readonly tookMs: number
  readonly lag: number
  readonly historyList: number
  readonly throttledMs: number
}

export interface RowsConflict {
  readonly table: string
  /** As that of its process. */
  readonly source: string | undefined
  readonly key: string
  readonly file: string
  readonly batch: number
  readonly foundAt: number
  /** Columns that differ, with both values as text. */
  readonly differs: readonly { readonly column: string; readonly live: string; readonly archive: string }[]
}

export interface RowsFacts {
  /** Milliseconds by the server's clock. */
  readonly now: number
  /** The newest first. */
  readonly processes: readonly RowsProcess[]
  /** Of the newest process. */
  readonly files: readonly RowsFile[]
  /** Batches of the newest process in the last three hours, the oldest first. */
  readonly batches: readonly RowsBatch[]
  readonly conflicts: readonly RowsConflict[]
  readonly openConflicts: number
  /** Conflicts that are open of other sources than that of the configuration. */
  readonly conflictsOfOthers: number
  /** Limits of the configuration. */
  readonly maxLag: number | undefined
  readonly maxHistoryList: number | undefined
}

/** Undefined: the log tables are not there, nothing was moved yet. */
export type RowsReads = () => Promise<RowsFacts | undefined>
