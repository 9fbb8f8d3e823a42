import type { RunSet } from '../common/run-set.ts'

/** What a destination says it holds. Listing never creates or changes anything. */
export interface Listing {
  /** Runs that are there whole. */
  readonly runs: RunSet
  /** Runs of which only a part is there: a killed insert, a lost index entry, a document that is gone (D2). */
  readonly incomplete: RunSet
  /** How often a run was stored again after its record had changed. A run that is not named here never was. */
  readonly updates: ReadonlyMap<number, number>
  /** What a person should know: orphans, duplicates, keys that are no run. One sentence each. */
  readonly notes: readonly string[]
}

/** What the source directory holds. */
export interface SourceListing {
  /** Every run with exactly one directory, whether its record is ready or not. */
  readonly runs: RunSet
  /** Runs that two or more directories claim (`123` and `000123`): none of them is read. */
  readonly ambiguous: RunSet
  /** Entries that are no run records, with the reason. */
  readonly ignored: readonly { readonly name: string; readonly reason: string }[]
}
