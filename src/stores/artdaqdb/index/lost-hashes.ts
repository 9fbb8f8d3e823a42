import { HASHES } from '../format/hashed-entities.ts'
import { hasTraces } from '../format/proof.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import { updatedBy } from '../names.ts'
import type { Stored } from '../format/document-reader.ts'

/** A document that counts. */
interface Counting {
  readonly version: string
  readonly entities: readonly string[]
  readonly stored: Stored | undefined
}

/**
 * Whether a run that another program stored has lost its document `hashes`. artdaq's `conftool` and the Python original store one with each run, and
 * only they store the times of a run as an update (`v1`); bulkloader does neither. So a run with an update and without `hashes` has lost it,
 * where other runs of the database have theirs.
 */
export const hasLostHashes = (
  documents: readonly Counting[],
  indexes: readonly CollectionIndex[],
): boolean => {
  if (documents.some(({ entities, stored }) => entities.includes(HASHES) || (stored && hasTraces(stored))))
    return false
  return (
    documents.some(({ version }) => updatedBy(version) !== undefined) &&
    indexes.some((index) => index.list('entities.name', HASHES).items.length > 0)
  )
}
