import type { Listing } from './listing.ts'
import { RunSet } from './run-set.ts'

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
  /** `--runs`: nothing else is looked at. */
  readonly only?: RunSet | undefined
}

/**
 * The runs that a pass may process: source − destination, by set difference and never by a high-water mark, so that a run
 * that arrives late, below every number ever attempted, is a candidate like any other (DESIGN section 3, I1; D6).
 */
export const candidates = ({ mode, source, destination, failed, changed, only }: PlanInput): RunSet => {
  const missing = source.minus(destination.runs).union(changed.intersect(source))
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
 * ten times that another, and a retry is not limited (spec/RUN_RECORDS.md 7.1, 7.6). 0 means no limit.
 */
export const passLimit = (mode: PassMode, batchSize: number, limit: number | undefined): number => {
  if (limit !== undefined) return limit
  if (batchSize === 0 || mode === 'retry') return Infinity
  return mode === 'incremental' ? batchSize : batchSize * 10
}

/** What a retry may strike from the failure log without work: failed runs that the destination holds, and has compared, by now. */
export const settledFailures = (failed: RunSet, destination: Pick<Listing, 'runs'>): RunSet =>
  failed.intersect(destination.runs)

/**
 * How far `last_attempted_run` may go: the highest attempted run below everything that is still in flight (I3). Runs that were
 * handed out come in ascending order, but late arrivals and retries may be far below what was attempted before.
 */
export const attemptedUpTo = (
  before: number,
  finished: Iterable<number>,
  inFlight: Iterable<number>,
): number => {
  let lowest = Infinity
  for (const run of inFlight) lowest = Math.min(lowest, run)
  let highest = before
  for (const run of finished) if (run < lowest) highest = Math.max(highest, run)
  return highest
}
