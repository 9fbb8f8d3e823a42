import type { Redact } from '../common/redact.ts'
import type { ArchiveFiles } from './archive-files/archive-folder.ts'
import type { BatchMode, Counts } from './batch.ts'
import type { ThisHost } from './dead-runs.ts'
import type { RowsListener } from './events.ts'
import type { Gate } from './gate.ts'
import type { IdListOptions } from './id-list.ts'
import type { Self } from './log/rows-log.ts'
import type { ChildOptions } from './preflight/children.ts'
import type { Forceable } from './preflight/problem.ts'
import type { Places } from './server.ts'

/** Everything a run is given; nothing of it is looked up elsewhere. Times in milliseconds. */
export interface RowsOptions {
  readonly places: Places
  readonly table: string
  /** Empty where the archive is a folder of files. */
  readonly archiveTable: string
  readonly archiveFiles?: ArchiveFiles | undefined
  /** Paths, in the order in which they are done. */
  readonly files: readonly string[]
  /** Rows for which this SQL holds, in place of files. */
  readonly where: string | undefined
  /** Tables whose rows refer to those of `table`, and go with them. */
  readonly children: readonly ChildOptions[]
  readonly list: Omit<IdListOptions, 'key'>
  /** How long nobody must have written to a file whose last line has no end, before that line counts as whole. */
  readonly quietMs: number
  readonly batchSize: number | 'auto'
  readonly mode: BatchMode
  readonly onBatchError: 'stop' | 'continue'
  readonly runTimeMs: number | undefined
  readonly limitBatches: number | undefined
  readonly sleepMs: number
  readonly graceMs: number
  readonly forced: ReadonlySet<Forceable>
  readonly gate: Gate
  readonly listener: RowsListener
  readonly warn: (message: string) => void
  readonly redact: Redact
  readonly signal: AbortSignal
  readonly monotonic: () => number
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly self: Self
  readonly here: ThisHost
  readonly runId: string
}

export type RowsStatus = 'COMPLETED' | 'PARTIAL' | 'FAILED' | 'KILLED'

/** How a run ended. */
export interface RowsOutcome {
  readonly status: RowsStatus
  readonly counts: Counts
  readonly failedBatches: number
  readonly failedFiles: number
  /** Rows of these files that differ from their archived version, found now or earlier, and are not settled. */
  readonly openConflicts: number
  /** Why it ended before its end, where it did. */
  readonly reason: string | undefined
  readonly error: Error | undefined
  /** Partitions of the live table that had rows before, and none afterwards. */
  readonly emptiedPartitions: readonly string[]
  readonly milliseconds: number
}

/** What the log tables and the screen say of a run that a signal ended. */
export const terminatedText = (signal: string, pid: number): string =>
  `Process terminated by ${signal} signal (PID: ${pid})`

/** Waits, or returns at once when the signal comes. */
export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true || ms <= 0) {
      resolve()
      return
    }
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
