import { readFile } from '../../../platform/read-file.ts'
import { join } from 'node:path'
import type { IndexFacts } from '../../store.ts'
import { ArchiverError, errnoOf } from '../../../errors.ts'
import type { Database } from '../index/database.ts'
import { heldOf, newest } from '../index/run-documents.ts'
import { isAlike } from './put-plan.ts'
import { indexedRuns } from '../index/run-index.ts'
import { readStored, type Stored } from '../format/document-reader.ts'

interface Document {
  readonly collection: string
  readonly facts: IndexFacts
}

/** What waits for a commit, as far as it matters here. */
interface Put {
  readonly run: number
  readonly documents: readonly Document[]
  readonly seen: ReadonlySet<string>
}

/** What is to become of what waits for a commit. */
interface SortedOut<T> {
  /** To be given its place in the indexes. */
  readonly ours: readonly T[]
  /** Documents of runs that another process has stored just so: they are not needed. */
  readonly theirs: readonly { readonly collection: string; readonly oid: string }[]
  /** Runs that another process has stored otherwise, or has moved, or whose documents it has set aside. */
  readonly lost: readonly number[]
}

/** The name, in the database's directory, of a document that was set aside. */
export const asideName = (collection: string, oid: string): string => `${collection}-${oid}.json.uncommitted`

/**
 * Divides what waits for a commit by what other processes have done with the same runs since it was put. Only under the database's lock is
 * the answer worth anything. `names`: what stands in the database's directory.
 */
export async function sortOut<T extends Put>(
  database: Database,
  waiting: readonly T[],
  names: ReadonlySet<string>,
): Promise<SortedOut<T>> {
  const touched = new Set<number>()
  const mine = new Set(waiting.flatMap(({ documents }) => documents.map(({ facts }) => facts.oid)))
  const collections = await database.collections()
  const indexes = await Promise.all(collections.map(async (one) => (await one.index()).index))
  for (const index of indexes)
    for (const { run, seen } of waiting)
      for (const name of indexedRuns(index).configurationsOf(run))
        if (index.list('configurations.name', name).items.some((oid) => !seen.has(oid) && !mine.has(oid)))
          touched.add(run)
  for (const { run, documents, seen } of waiting) {
    const isSetAside = documents.some(({ collection, facts }) => names.has(asideName(collection, facts.oid)))
    // Its run has been moved to another database: an update alone must not count here.
    const isMoved = [...seen].some((oid) => !indexes.some(({ ouid }) => ouid.has(oid)))
    if (isSetAside || isMoved) touched.add(run)
  }
  const theirs: { collection: string; oid: string }[] = []
  const lost: number[] = []
  for (const run of touched) {
    const documents = waiting.filter((one) => one.run === run).flatMap((one) => one.documents)
    if (await areStored(database, documents, mine))
      theirs.push(...documents.map(({ collection, facts }) => ({ collection, oid: facts.oid })))
    else lost.push(run)
  }
  return { ours: waiting.filter(({ run }) => !touched.has(run)), theirs, lost }
}

/** Whether the indexes name, for each of these documents, one that says the same. */
async function areStored(
  database: Database,
  documents: readonly Document[],
  mine: ReadonlySet<string>,
): Promise<boolean> {
  try {
    for (const { collection: name, facts } of documents) {
      const collection = database.collection(name)
      const [configuration] = facts.configurations
      const held = configuration ? await heldOf(collection, configuration.name) : []
      const ofIt = held.filter((one) => facts.entities.every((entity) => one.entities.includes(entity)))
      const others = ofIt.filter((one) => !mine.has(one.oid))
      // One of ours may be named because the other process took it over; not where the index was made of what stands there.
      const isRebuilt = (await collection.index()).damage !== undefined
      const counts = newest(others.length > 0 || isRebuilt ? others : ofIt)?.stored
      const document = await documentOf(database, name, facts.oid)
      counts?.checkWhole()
      if (!counts || !document) return false
      if (!mine.has(counts.facts.oid) && !isAlike(document, counts)) return false
    }
    return true
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STORE_CORRUPT') return false
    throw error
  }
}

/** A document of ours, where it was put or where another process has set it aside. */
async function documentOf(database: Database, collection: string, oid: string): Promise<Stored | undefined> {
  const found = await database.collection(collection).find(oid)
  if (found) return found
  const path = join(database.path, asideName(collection, oid))
  const bytes = await readFile(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  })
  return bytes && readStored(bytes, oid, path)
}
