import type { Listing, SourceListing } from '../core/listing.ts'
import type { Readiness, RecordManifest, RunDocuments, RunRecord, StoredRun } from '../core/run-record.ts'
import type { RunSet } from '../core/run-set.ts'

export type StageName = 'import' | 'migrate'

/** What became of one run, for the report and the ledger. Sizes in bytes. */
export interface Processed {
  /** `stored`: written and compared. `present`: the same content was there already. `updated`: stored beside an older one. */
  readonly result: 'stored' | 'present' | 'updated'
  readonly bytes: number
  readonly documents: number
  /** What a person should be told of this run: links left out, a record archived incomplete. */
  readonly notes: readonly string[]
}

/**
 * Work that can be listed, is done one run at a time, and may be done twice without harm. `process` may leave its result
 * uncommitted where the stage has a `commit`: only what a later `commit` has returned from is durable and may be recorded.
 */
export interface Stage {
  readonly name: StageName
  process(run: number, signal: AbortSignal): Promise<Processed>
  /** Whether it is time to commit, so that what a commit costs stays small against what it saves. */
  commitDue?(): boolean
  /** Makes everything that was processed durable. When it throws, all of it is unknown and stays pending. */
  commit?(): Promise<void>
}

/** What the engine tells while it works. Ledger, alerts, metrics, progress bar and sd_notify listen; none can stop it. */
export type EngineEvent =
  | {
      readonly type: 'pass-started'
      readonly stage: StageName
      readonly mode: string
      readonly total: number
      readonly waiting: number
    }
  | {
      readonly type: 'run-started'
      readonly stage: StageName
      readonly run: number
      readonly attempt: number
      readonly attempts: number
    }
  | {
      readonly type: 'run-retry'
      readonly stage: StageName
      readonly run: number
      readonly attempt: number
      readonly attempts: number
      readonly error: Error
    }
  | {
      readonly type: 'run-done'
      readonly stage: StageName
      readonly run: number
      readonly processed: Processed
      readonly milliseconds: number
    }
  | {
      readonly type: 'run-failed'
      readonly stage: StageName
      readonly run: number
      readonly error: Error
      readonly milliseconds: number
    }
  /** A group of runs became durable together and was recorded. `batch` counts from 1 in a pass. */
  | {
      readonly type: 'batch-committed'
      readonly stage: StageName
      readonly batch: number
      readonly runs: RunSet
      readonly failed: RunSet
      readonly milliseconds: number
    }
  | {
      readonly type: 'pass-stopped'
      readonly stage: StageName
      readonly reason: 'signal' | 'unavailable' | 'lock-lost'
      readonly error: Error | undefined
    }
  | { readonly type: 'pass-finished'; readonly stage: StageName; readonly outcome: StageOutcome }

export type Listener = (event: EngineEvent) => void

/** What a pass of one stage came to. */
export interface StageOutcome {
  readonly stage: StageName
  readonly attempted: RunSet
  readonly succeeded: RunSet
  readonly failed: RunSet
  /** Runs that were to be done and were left: not ready, stopped, or the destination went away. */
  readonly pending: RunSet
  readonly bytes: number
  readonly milliseconds: number
  readonly stopped: 'signal' | 'unavailable' | 'lock-lost' | undefined
  readonly error: Error | undefined
}

/** What the import stage needs of the run record directory. */
export interface RecordSource {
  /** Throws SOURCE_UNAVAILABLE when the directory is missing or cannot be read: never an empty listing instead. */
  list(): Promise<SourceListing>
  readiness(run: number): Promise<Readiness>
  /** Reads a record whole. Throws RECORD_CHANGING when it moved meanwhile, RECORD_INVALID with the path when it cannot be read. */
  read(run: number, signal: AbortSignal): Promise<RunRecord>
  /** Equal texts mean that no entry came or went in between. One stat. */
  fingerprint(): Promise<string>
}

/** What both stages need of artdaqDB. Nothing that `put` was given counts as stored before `commit` has returned. */
export interface DocumentStore {
  list(): Promise<Listing>
  /**
   * Writes a run's documents. `present`: all of it is there with the same content. `updated`: the run was there, its
   * record has changed since, and the change was stored beside it. Completes what is there in part. Never overwrites.
   */
  put(documents: RunDocuments, signal: AbortSignal): Promise<'stored' | 'present' | 'updated'>
  commitDue(): boolean
  commit(): Promise<void>
  /** Throws NOT_FOUND, or STORE_CORRUPT when a document of the run is missing or damaged. */
  read(run: number, signal: AbortSignal): Promise<StoredRun>
  /** The newest manifest of a run; undefined for runs that other programs stored. */
  manifest(run: number): Promise<RecordManifest | undefined>
  /** Equal texts mean that nothing was stored or taken away in between; undefined where that cannot be told cheaply. */
  fingerprint(): Promise<string | undefined>
  probe(signal: AbortSignal): Promise<void>
}

/** What the migrate stage needs of the long-term archive: one object, a blob for each key, nothing ever overwritten. */
export interface Archive {
  list(): Promise<Listing>
  /**
   * Puts a blob under the run's key (`update` 0) or beside it (`update` n), durably, and compares what the archive holds
   * with it. `present`: the same record, apart from the times of packing, is there. Throws CONFLICT when another is.
   */
  put(run: number, update: number, blob: Buffer, signal: AbortSignal): Promise<'stored' | 'present'>
  /** The newest blob of a run, or the one of an update. Throws NOT_FOUND; STORE_CORRUPT when its checksum does not fit. */
  get(run: number, update: number | 'newest', signal: AbortSignal): Promise<Buffer>
  fingerprint(): Promise<string | undefined>
  probe(signal: AbortSignal): Promise<void>
}
