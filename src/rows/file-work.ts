import type { ArchiveFolder } from './archive-files/archive-folder.ts'
import type { Counts } from './batch.ts'
import type { BatchRunner } from './batch-runner.ts'
import type { BatchSize } from './batch-size.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { RowsOptions } from './options.ts'
import type { RunConnections } from './run-connections.ts'
import type { Pair } from './table.ts'

/** What a run has come to so far. */
export interface Progress {
  counts: Counts
  batches: number
  failedBatches: number
  failedFiles: number
  /** Those of earlier runs among them. */
  finishedFiles: number
  /** sha256 of each file, as the log has it. */
  readonly versions: string[]
  /** Why it ends before its end. */
  reason: string | undefined
  /** What was wrong with the first file or batch that failed, where the run went on. */
  failure: Error | undefined
}

export interface FileWork {
  readonly options: RowsOptions
  readonly connections: RunConnections
  readonly runner: BatchRunner
  readonly dialect: Dialect
  readonly pair: Pair
  readonly size: BatchSize
  readonly began: number
  readonly type: string
  /** Where the archive is a folder of files. */
  readonly folder: ArchiveFolder | undefined
}
