import type { RunSet } from '../common/run-set.ts'
import type { InHand } from '../state/in-flight-runs.ts'
import type { Plan } from './plan.ts'

/** Throws LOCK_LOST where this process may no longer write. */
interface Holder {
  assertHeld(): void
}

/**
 * Writes down, before a migration begins, the runs of which its state alone would say after a kill that they were compared: those in hand at
 * or below the number, those that the number is about to pass because artdaqDB does not hold them now, and those that an earlier pass left.
 * Durable when it returns the set. Throws STATE_UNWRITABLE and LOCK_LOST.
 */
export const noteDoubt = async (
  inHand: InHand,
  { runs, unproven, uncomparable }: Plan,
  lastAttemptedRun: number,
  holder: Holder,
): Promise<RunSet> => {
  const known = await inHand.read()
  const doubt = known.union(runs.union(unproven).upTo(lastAttemptedRun)).union(uncomparable)
  await change(inHand, known, doubt, holder)
  return doubt
}

/**
 * Writes down, before an import begins, the runs that it stores again: once artdaqDB has the update, nothing else says that the archive's blob of that
 * update, where it has one already, was made of another content (artdaqDB restored from an older copy). A migration takes them. Durable when it
 * returns. Throws STATE_UNWRITABLE and LOCK_LOST.
 */
export const noteUpdates = async (inHand: InHand, { runs, stored }: Plan, holder: Holder): Promise<void> => {
  const known = await inHand.read()
  await change(inHand, known, known.union(runs.intersect(stored)), holder)
}

/** Only a run that the pass has taken was compared, or is in the failure log: the others stay in doubt for a later one. */
export const resolveDoubt = (
  inHand: InHand,
  doubt: RunSet,
  attempted: RunSet,
  holder: Holder,
): Promise<void> => change(inHand, doubt, doubt.minus(attempted), holder)

const change = async (inHand: InHand, from: RunSet, to: RunSet, holder: Holder): Promise<void> => {
  if (to.equals(from)) return
  holder.assertHeld()
  await inHand.write(to)
}
