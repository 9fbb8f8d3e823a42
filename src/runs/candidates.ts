import type { Listing } from '../stores/store.ts'
import { RunSet } from '../common/run-set.ts'
import { runsOfShare, type Share } from '../common/share.ts'

/** `incremental` leaves failed runs to a retry, `full` takes them too, `retry` takes only them. */
export type PassMode = 'incremental' | 'full' | 'retry'

export interface PlanInput {
  readonly mode: PassMode
  /** What the stage reads from. */
  readonly source: RunSet
  /** What the stage writes to. */
  readonly destination: Pick<Listing, 'runs'>
  readonly failed: RunSet
  /** Runs that are stored, but whose source has changed since: they are stored again, beside what is there. */
  readonly changed: RunSet
  /** Runs that the destination lists, while nobody knows whether what it holds was ever compared: a pass was cut short between the two. */
  readonly unproven: RunSet
  /** `--runs`: nothing else is looked at. */
  readonly only?: RunSet | undefined
  /** `--instance-id`: the runs of other instances are theirs. */
  readonly share?: Share | undefined
}

/**
 * The runs that a pass may process: source − destination, by set difference and never by a high-water mark, so that a run
 * that arrives late, below every number ever attempted, is a candidate like any other. A run that is listed and in
 * the failure log is not taken for archived: what is there may be what it failed for (a conflict, a mismatch). It is put again, which compares.
 */
export const candidates = (input: PlanInput): RunSet => {
  const { mode, source, destination, failed, changed, unproven, only, share } = input
  const proven = destination.runs.minus(failed).minus(unproven)
  const all = source.minus(proven).union(changed.intersect(source))
  const missing = runsOfShare(share, all)
  const wanted = only ? missing.intersect(only) : missing
  switch (mode) {
    case 'incremental':
      return only ? wanted : wanted.minus(failed)
    case 'full':
      return wanted
    case 'retry':
      return wanted.intersect(failed)
  }
}

/**
 * How many runs a pass takes at most; Infinity for no limit. As in the Python original, `batch_size` limits an incremental pass,
 * ten times that another, and a retry is not limited. 0 means no limit.
 */
export const passLimit = (mode: PassMode, batchSize: number, limit: number | undefined): number => {
  if (limit !== undefined) return limit
  if (batchSize === 0 || mode === 'retry') return Infinity
  return mode === 'incremental' ? batchSize : batchSize * 10
}
