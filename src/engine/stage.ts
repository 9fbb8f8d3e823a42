import type { RunSet } from '../common/run-set.ts'

export type StageName = 'import' | 'migrate'

/** What became of one run, for the report and the ledger. Sizes in bytes. */
export interface Processed {
  /** `stored`: written and compared. `present`: the same content was there already. `updated`: stored beside an older one. */
  readonly result: 'stored' | 'present' | 'updated'
  readonly bytes: number
  readonly documents: number
  /** What a person should be told of this run: links left out, a record archived incomplete. */
  readonly notes: readonly string[]
  /** Milliseconds that reading the run from artdaqDB took, where that is part of the work. */
  readonly exported?: number
}

/**
 * Work that can be listed, is done one run at a time, and may be done twice without harm. `process` may leave its result
 * uncommitted where the stage has a `commit`: only what a later `commit` has returned from is durable and may be recorded.
 */
export interface Stage {
  readonly name: StageName
  /** How many runs wait for the destination's disk, on top of those that are worked on, so that work goes on meanwhile; as many again: 1. */
  readonly waits?: number
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

/** What a pass of one stage is given to do. */
export interface PassWork {
  readonly runs: RunSet
  /** Runs that are not ready: they stay pending and are only counted here. */
  readonly waiting: number
  /** What the destination held whole before the pass: `last_contiguous_run` is read off it and what is added. */
  readonly stored: RunSet
  /** Of these, what was perhaps never compared and is not among `runs` either: `last_attempted_run` stays below. */
  readonly unproven: RunSet
  readonly lastAttempted: number
}

/** What one stage remembers between processes, as far as the engine is concerned (state/memory.ts keeps it). */
export interface Recorder {
  /**
   * Makes failure entries durable, then strikes resolved ones, then moves the state on, in this order (I2). Throws
   * STATE_UNWRITABLE, or LOCK_LOST when this process no longer holds the lock: nothing may be written from then on.
   */
  checkpoint(progress: {
    readonly failed: RunSet
    readonly resolved: RunSet
    /** The highest run such that nothing at or below it is still in hand (I3). */
    readonly attemptedUpTo: number
    readonly lastContiguous: number
  }): Promise<void>
}
