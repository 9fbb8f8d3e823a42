import type { IndexFacts } from '../store.ts'
import { unlisted } from './index/index-differences.ts'
import { keptAs } from './index/damaged-index-backup.ts'
import type { Collection, Counting } from './index/collection.ts'
import type { CollectionIndex } from './format/search-index.ts'
import type { Section } from '../index-data.ts'
import type { Database } from './index/database.ts'
import { withDatabaseLock } from './index/lock.ts'
import { mendDocument } from './write/mend-run.ts'
import { ArchiverError } from '../../errors.ts'

/** What became of one collection's index. */
export interface Repaired {
  readonly collection: string
  /** Why it was written again; undefined where it was sound and left alone. */
  readonly reason: string | undefined
  /** The plain file in the database that keeps the old index; undefined where none was there or none was needed. */
  readonly keptAs: string | undefined
  readonly documents: number
  /** A sentence for each damaged document that was written again, as its seal proves it was stored. */
  readonly mended: readonly string[]
  /** Files that cannot be read. The index says of each what it said before: nothing, where it did not know it. */
  readonly unreadable: readonly string[]
}

/**
 * Writes the indexes of a database again from its documents, in place and under its lock, wherever they do not say what
 * the documents say, and before that the damaged documents whose seal proves what they were. What a pass was killed over before its run's `schema` was written never counted, and stays out. Old names that no document bears any more go with that, as in artdaq's own rebuild. The
 * old index is kept, as is each damaged document. A crash leaves the old index or the new one.
 */
export async function repairDatabase(
  database: Database,
  { now, lockWaitSeconds = 60 }: { readonly now: () => number; readonly lockWaitSeconds?: number },
): Promise<readonly Repaired[]> {
  const collections = await database.collections()
  if (collections.length === 0) return []
  return await withDatabaseLock(database.path, lockWaitSeconds, async () => {
    const repaired: Repaired[] = []
    const mended = new Map<Collection, readonly string[]>()
    for (const collection of collections) mended.set(collection, await mendAll(database, collection, now()))
    const counting = await database.written()
    for (const collection of collections)
      repaired.push({ ...(await repair(collection, counting, now())), mended: mended.get(collection) ?? [] })
    return repaired
  })
}

async function mendAll(database: Database, collection: Collection, now: number): Promise<readonly string[]> {
  const sentences: string[] = []
  const { unreadable } = await collection.documents(await collection.oids(), () => undefined)
  for (const { oid } of unreadable) {
    const sentence = await mendDocument(database, collection, oid, now).catch((error: unknown) => {
      if (error instanceof ArchiverError && error.code === 'STORE_CORRUPT') return undefined
      throw error
    })
    if (sentence !== undefined) sentences.push(sentence)
  }
  return sentences
}

async function repair(
  collection: Collection,
  counting: Counting,
  now: number,
): Promise<Omit<Repaired, 'mended'>> {
  const { index, damage } = await collection.index()
  const { index: readable, unreadable } = await collection.rebuilt(counting)
  const rebuilt = readable.plus(unreadable.flatMap(({ oid }) => saidOf(index, oid)))
  const reason = damage ?? (await faultOf(collection, index, rebuilt))
  const result = {
    collection: collection.name,
    documents: rebuilt.ouid.size,
    unreadable: unreadable.map(({ message }) => message),
  }
  if (reason === undefined) return { ...result, reason, keptAs: undefined }
  const kept = keptAs(collection, now)
  await collection.writeIndex(rebuilt, kept)
  return { ...result, reason, keptAs: kept }
}

/** What an index says of a document that cannot say it itself: to leave it out would make its run whole without it. */
function saidOf(index: CollectionIndex, oid: string): readonly IndexFacts[] {
  if (!index.ouid.has(oid)) return []
  const namesOf = (section: Section): string[] =>
    [...index.section(section)].flatMap(([name, list]) => (list.has(oid) ? [name] : []))
  const configurations = namesOf('configurations.name').flatMap((name) =>
    index.list('configurations.assigned', name).items.map((assigned) => ({ name, assigned })),
  )
  const [entities, aliases] = [namesOf('entities.name'), namesOf('aliases.active.name')]
  const facts = { oid, configurations, entities, aliases, runs: namesOf('runs.name') }
  return namesOf('version').map((version) => ({ ...facts, version }))
}

async function faultOf(
  collection: Collection,
  index: CollectionIndex,
  rebuilt: CollectionIndex,
): Promise<string | undefined> {
  const { orphans: all, missing } = await collection.difference()
  const orphans = all.filter((oid) => rebuilt.ouid.has(oid))
  if (orphans.length > 0) return `${orphans.length} documents were not in it`
  if (missing.length > 0) return `${missing.length} documents in it are not on disk`
  const { kept } = await collection.documents(index.ouid.items, ({ facts }) => unlisted(index, facts).length)
  const partly = kept.filter((count) => count > 0).length
  return partly > 0 ? `${partly} documents were in it only in part` : undefined
}
