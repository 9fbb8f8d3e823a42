import type { Listing } from '../stores/store.ts'
import type { Archiver } from './archiver.ts'
import { passListing } from './listing-cache.ts'
import type { Plan } from './plan.ts'
import type { RunOutcome } from './run-backlog.ts'

/** What became of a stage, as far as it says whether the next pass may be idle. */
interface Ended {
  readonly plan: Plan | undefined
  readonly outcome: RunOutcome | undefined
}

/**
 * Lists the stores once more after a pass that stored runs and left none of them to the next, so that this one finds that nothing is to be done without
 * reading an index or the archive's names: the indexes are in memory now, and of the archive only a few folders have changed. Does nothing after any
 * other pass, nor for a store that cannot say later whether its listing is still true.
 */
export const keepListings = async (
  { cache, artdaq, archive }: Archiver,
  reports: readonly Ended[],
  stop: AbortSignal,
): Promise<void> => {
  if (!reports.every(isDone) || !reports.some(hasStored)) return
  if (!stop.aborted) await cache.keep<Listing>('artdaq', passListing(artdaq))
  const hasMigrated = reports.some(({ plan }) => plan?.stage === 'migrate')
  if (hasMigrated && !stop.aborted) await cache.keep<Listing>('archive', archive)
}

const isDone = ({ plan, outcome }: Ended): boolean =>
  plan?.beyond === 0 &&
  outcome?.pending.isEmpty === true &&
  outcome.stopped === undefined &&
  outcome.error === undefined

const hasStored = ({ outcome }: Ended): boolean => outcome?.succeeded.isEmpty === false
