import { unlisted } from './check.ts'
import { keptAs } from './committer.ts'
import type { Collection } from './collection.ts'
import type { CollectionIndex } from './collection-index.ts'
import type { Database } from './database.ts'
import { withDatabaseLock } from './lock.ts'

/** What became of one collection's index. */
export interface Repaired {
  readonly collection: string
  /** Why it was written again; undefined where it was sound and left alone. */
  readonly reason: string | undefined
  /** The plain file in the database that keeps the old index; undefined where none was there or none was needed. */
  readonly keptAs: string | undefined
  readonly documents: number
  /** Files that are no documents, and so are not in the index. */
  readonly unreadable: readonly string[]
}

/**
 * Writes the indexes of a database again from its documents, in place and under its lock, wherever they do not say what
 * the documents say. Old names that no document bears any more go with that, as in artdaq's own rebuild. Documents are
 * never touched, and the old index is kept. A crash leaves the old index or the new one.
 */
export async function repairDatabase(
  database: Database,
  { now, lockWaitSeconds = 60 }: { readonly now: () => number; readonly lockWaitSeconds?: number },
): Promise<readonly Repaired[]> {
  const collections = await database.collections()
  if (collections.length === 0) return []
  return await withDatabaseLock(database.path, lockWaitSeconds, async () => {
    const repaired: Repaired[] = []
    for (const collection of collections) repaired.push(await repair(collection, now()))
    return repaired
  })
}

async function repair(collection: Collection, now: number): Promise<Repaired> {
  const { index, damage } = await collection.index()
  const { index: rebuilt, unreadable } = await collection.rebuilt()
  const reason = damage ?? (await faultOf(collection, index))
  const result = { collection: collection.name, documents: rebuilt.ouid.size, unreadable }
  if (reason === undefined) return { ...result, reason, keptAs: undefined }
  const kept = keptAs(collection, now)
  await collection.writeIndex(rebuilt, kept)
  return { ...result, reason, keptAs: kept }
}

async function faultOf(collection: Collection, index: CollectionIndex): Promise<string | undefined> {
  const { orphans, missing } = await collection.difference()
  if (orphans.length > 0) return `${orphans.length} documents were not in it`
  if (missing.length > 0) return `${missing.length} documents in it are not on disk`
  const { kept } = await collection.documents(index.ouid.items, ({ facts }) => unlisted(index, facts).length)
  const partly = kept.filter((count) => count > 0).length
  return partly > 0 ? `${partly} documents were in it only in part` : undefined
}
