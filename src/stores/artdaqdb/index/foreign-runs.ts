import { RunSet } from '../../../common/run-set.ts'
import { COMMIT_MARK } from '../names.ts'
import type { Collection } from './collection.ts'
import { indexedRuns } from './run-index.ts'

/**
 * Runs that another program may have stored, from the indexes alone. We give all documents of a put one stamp, other programs take the clock for each
 * of them: a configuration with one stamp for several documents is ours. Whose the others are (updated runs of ours are among them) stands in their documents.
 */
export async function maybeForeign(collections: readonly Collection[]): Promise<RunSet> {
  const found: number[] = []
  for (const collection of collections) {
    if (collection.name === COMMIT_MARK) continue
    const { index } = await collection.index()
    for (const [run, names] of indexedRuns(index))
      if (names.some((name) => !isOneStamp(index.list('configurations.assigned', name).items)))
        found.push(run)
      else if (names.every((name) => index.list('configurations.name', name).size < 2)) found.push(run)
  }
  return RunSet.of(found)
}

/** artdaq's `conftool` gives every document the same fixed stamp. */
const isOneStamp = (stamps: readonly string[]): boolean =>
  stamps.length === 1 && stamps[0] !== '2017-07-18T12:48:10.123-0500'
