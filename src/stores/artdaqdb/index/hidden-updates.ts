import { ArchiverError } from '../../../errors.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import { timeOf } from '../format/timestamp.ts'
import { COMMIT_MARK } from '../names.ts'
import type { Database } from './database.ts'
import { leftOut, rebuiltCollections } from './left-out-documents.ts'
import { indexedRuns } from './run-index.ts'
import { changedAt, SLACK_MS } from './unattributed-files.ts'

/**
 * Refuses to give a run away where a file may be its newest update, and nobody can know: no index has the file, and it says nothing of itself (zeros, a bad
 * sector). Only files count that were last changed after the run was stored. They are looked for among the marks; for a run without a manifest of ours in
 * all collections. Throws STORE_CORRUPT, naming the file. Where no index was made anew, it looks at nothing: a sound index names all that counts.
 */
export async function requireNoneHidden(database: Database, run: number, isOurs: boolean): Promise<void> {
  const rebuilt = await rebuiltCollections(database)
  if (rebuilt.length === 0) return
  const indexes = await Promise.all(rebuilt.map(async (one) => (await one.index()).index))
  const stored = lastStored(run, indexes)
  for (const collection of rebuilt) {
    if (isOurs && collection.name !== COMMIT_MARK) continue
    for (const path of (await leftOut(collection)).nobodys) {
      if ((await changedAt(path)) + SLACK_MS < stored) continue
      throw new ArchiverError(
        'STORE_CORRUPT',
        `run ${run}: ${path} cannot be read and is not in the index, which was made anew from the documents: it may be an update of this run`,
        { run, hint: 'Put the file back from a backup and run run-archiver artdaq repair. Or move it out of the collection: then the run is read as it is without it.' }, // prettier-ignore
      )
    }
  }
}

/** When the newest of a run's documents was stored, epoch milliseconds; 0 where that is not known. */
const lastStored = (run: number, indexes: readonly CollectionIndex[]): number =>
  Math.max(
    0,
    ...indexes.flatMap((index) =>
      [...indexedRuns(index).configurationsOf(run)].flatMap((name) =>
        index.list('configurations.assigned', name).items.map(timeOf),
      ),
    ),
  )
