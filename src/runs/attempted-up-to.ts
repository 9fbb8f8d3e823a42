import type { RunSet } from '../common/run-set.ts'

/**
 * How far `last_attempted_run` may go: the highest run below everything that is still open, in flight or unknown, that was attempted: it
 * failed, or it is stored, whoever did it. Runs are handed out in ascending order, but late arrivals and retries may be far below what was
 * attempted before.
 */
export const attemptedUpTo = (
  before: number,
  failed: Iterable<number>,
  stored: RunSet,
  open: Iterable<number>,
): number => {
  let lowest = Infinity
  for (const run of open) lowest = Math.min(lowest, run)
  let highest = Math.max(before, stored.upTo(lowest - 1).last ?? 0)
  for (const run of failed) if (run < lowest) highest = Math.max(highest, run)
  return highest
}
