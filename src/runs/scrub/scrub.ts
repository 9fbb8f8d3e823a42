import { RunSet } from '../../common/run-set.ts'
import type { Listing } from '../../stores/store.ts'
import { behind } from '../unlisted-blobs.ts'
import { compareOneByOne, compareRuns } from '../verify/compare-runs.ts'
import type { Archiver } from '../archiver.ts'
import type { Proven } from './proven.ts'

export interface ScrubOptions {
  /** How long it may take, milliseconds; a run that was begun is finished. */
  readonly budget: number
  /** So many runs are compared at least, where there are so many. */
  readonly least: number
  /** The runs to choose from: archived, and nothing to be done for them. */
  readonly held: RunSet
  readonly signal: AbortSignal
  /** Milliseconds, never jumping. */
  readonly monotonic: () => number
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Several runs are compared at once: so many more than the budget has room for may be begun. Otherwise one after the other. */
  readonly severalAtOnce?: boolean
  /** Called with each run that was compared; the reason where it is damaged. */
  readonly compared?: (run: number, damage: string | undefined) => void
}

export interface Scrubbed {
  readonly compared: number
  readonly damaged: ReadonlyMap<number, string>
}

/**
 * Compares archived runs with one another's copies: record, artdaqDB and archive, first what was found damaged, then what was never compared, then
 * what was compared longest ago. Changes nothing but `proven`, which the caller saves. Throws where a store is away.
 */
export const scrub = async (archiver: Archiver, proven: Proven, options: ScrubOptions): Promise<Scrubbed> => {
  const { budget, least, held, signal, monotonic, now } = options
  const began = monotonic()
  const damaged = new Map<number, string>()
  let compared = 0
  let begun = 0
  function* turns(): Generator<number> {
    for (const run of proven.order(held)) {
      if (signal.aborted || (begun >= least && monotonic() - began >= budget)) return
      begun++
      yield run
    }
  }
  const comparisons = options.severalAtOnce
    ? compareRuns(archiver, turns(), signal)
    : compareOneByOne(archiver, turns(), signal)
  for await (const { run, differences, changed, recordDamage } of comparisons) {
    compared++
    const damage = changed ? undefined : differences[0]
    if (differences.length === 0) proven.noteRecord(run, recordDamage)
    options.compared?.(run, damage)
    if (damage === undefined) {
      if (!changed) proven.good(RunSet.of([run]), now())
      continue
    }
    proven.bad(run, damage)
    damaged.set(run, damage)
  }
  return { compared, damaged }
}

/**
 * The runs that both stores say are archived, and that wait for nothing: neither for the migration of an update, nor in the failure log, for what
 * stands at the key of a failed run is what it failed for.
 */
export const provable = (documents: Listing, blobs: Listing, failed: RunSet): RunSet => {
  return blobs.runs.minus(behind(documents, blobs)).minus(documents.incomplete).minus(failed)
}
