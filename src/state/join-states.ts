import { RunSet } from '../common/run-set.ts'
import type { StageRuns } from './rebuild-state.ts'
import type { Remembered } from './stage-state.ts'

/** What several instances remember together. */
export interface JoinedState {
  readonly failed: RunSet
  readonly attemptedUpTo: number
}

/**
 * Joins what instances that split the runs remember. A run that one of them failed is failed unless the destination holds it.
 * `attemptedUpTo` is the highest run that any attempted, but below every run that is neither stored nor failed: so what is at or below it
 * was archived or is in the failure log.
 */
export const joinStates = (
  remembered: readonly Pick<Remembered, 'state' | 'failed'>[],
  { source, stored }: Pick<StageRuns, 'source' | 'stored'>,
): JoinedState => {
  const failed = remembered.reduce((all, one) => all.union(one.failed), RunSet.EMPTY).minus(stored)
  const highest = Math.max(0, ...remembered.map(({ state }) => state.lastAttemptedRun))
  const open = source.upTo(highest).minus(stored).minus(failed)
  return { failed, attemptedUpTo: open.first === undefined ? highest : open.first - 1 }
}
