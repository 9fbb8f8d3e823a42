import type { ConflictRecord, Counts } from './batch.ts'
import type { Hold } from './gate.ts'

/** What happens while rows are moved: for the screen, the text log and the ledger. No listener throws. */
export type RowsEvent =
  | { readonly type: 'started'; readonly id: number; readonly table: string; readonly files: number }
  | { readonly type: 'closed-dead'; readonly pid: number; readonly word: string }
  | {
      readonly type: 'file-started'
      readonly file: string
      readonly size: number
      readonly ids: number
      readonly batches: number
      /** Whether an earlier run has finished some of its batches: then `file-resumed` follows, before the first one that is not. */
      readonly isResumed: boolean
    }
  /** `batch` is the first that is not finished. */
  | { readonly type: 'file-resumed'; readonly file: string; readonly batch: number; readonly records: number }
  | { readonly type: 'file-skipped'; readonly file: string }
  | { readonly type: 'batch-skipped'; readonly file: string; readonly batch: number }
  | {
      readonly type: 'batch-started'
      readonly file: string
      readonly batch: number
      readonly batches: number
      readonly first: string
      readonly last: string
      readonly ids: number
    }
  | {
      readonly type: 'batch-done'
      readonly file: string
      readonly batch: number
      readonly status: string
      readonly counts: Counts
      readonly conflicts: readonly ConflictRecord[]
      /** The history list of the source before the batch; -1: not known. */
      readonly hll: number
      /** Seconds that a replica was behind before the batch; -1: not known. */
      readonly lag: number
      readonly milliseconds: number
    }
  | {
      readonly type: 'batch-retry'
      readonly file: string
      readonly batch: number
      readonly attempt: number
      readonly error: Error
    }
  | { readonly type: 'batch-failed'; readonly file: string; readonly batch: number; readonly error: Error }
  /** The next batch waits, and why. Comes again when the reason changes; `throttled` says when it is over. */
  | ({ readonly type: 'held-back' } & Hold)
  | {
      readonly type: 'throttled'
      readonly reason: string
      readonly cause: string
      readonly milliseconds: number
    }
  | { readonly type: 'file-done'; readonly file: string; readonly records: number }
  | { readonly type: 'file-failed'; readonly file: string; readonly error: Error }
  /** A signal came, and the batch in hand is finished or rolled back. */
  | { readonly type: 'stopping'; readonly signal: string; readonly pid: number }
  /** The end after a signal. */
  | { readonly type: 'killed'; readonly signal: string }
  | {
      readonly type: 'ended'
      readonly status: string
      readonly counts: Counts
      /** Conflicts of the files that no one has resolved; undefined where the run ended before they were counted. */
      readonly openConflicts: number | undefined
      readonly error: Error | undefined
    }

export type RowsListener = (event: RowsEvent) => void
