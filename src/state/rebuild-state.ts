import { RunSet } from '../common/run-set.ts'
import type { StageState } from './state-format.ts'

/** What a stage reads from and writes to: the runs of each. */
export interface StageRuns {
  readonly source: RunSet
  /** Runs that the destination holds whole. */
  readonly stored: RunSet
  /** Runs on the source that no pass can have tried, as their record is not ready. */
  readonly notReady?: RunSet | undefined
}

/** What `--recover-import-state` and `--recover-migrate-state` write. */
export interface Rebuilt {
  readonly state: StageState
  /** Source without destination, up to the last attempted run; what lies beyond is new, and what is not ready is pending. */
  readonly failed: RunSet
}

/** A stage's state and failure log from the two stores alone. An empty destination gives zeros and nothing. */
export const rebuild = ({ source, stored, notReady = RunSet.EMPTY }: StageRuns): Rebuilt => {
  const lastAttemptedRun = stored.last ?? 0
  return {
    state: { lastContiguousRun: stored.lastContiguous, lastAttemptedRun },
    failed: source.minus(stored).upTo(lastAttemptedRun).minus(notReady),
  }
}

/**
 * Only the state file is damaged, the failure log is not: the two numbers from the destination and the log. Runs that never
 * were attempted stay pending, so that the pass that goes on from here archives them.
 */
export const rebuildNumbers = (stored: RunSet, failed: RunSet): StageState => ({
  lastContiguousRun: stored.lastContiguous,
  lastAttemptedRun: Math.max(stored.last ?? 0, failed.last ?? 0),
})
