import { stat } from 'node:fs/promises'
import { ArchiverError, errnoOf } from '../../../errors.ts'
import type { Collection } from './collection.ts'
import { unavailable } from './store-errors.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import type { Database } from './database.ts'
import { heldOf, newest, newestConfiguration, openInPieces } from './run-documents.ts'
import { COMMIT_MARK } from '../names.ts'
import { readRun } from '../read/read-run.ts'
import { indexedRuns } from './run-index.ts'
import { timeOf } from '../format/timestamp.ts'

/** A file of a collection that no index knows and that does not say whose it is. */
export interface Unknown {
  readonly collection: Collection
  readonly path: string
}

/** By so much the clocks of two writers may differ, and so long may a run have been loaded. */
export const SLACK_MS = 24 * 3_600_000
const AT_ONCE = 16

/**
 * The runs that may lack a document, because one of these files may be theirs, with the file's path: those that were stored no later than
 * it was last changed, unless their manifest shows that nothing is missing. A run that was stored afterwards cannot have left it.
 */
export async function doubtfulRuns(
  database: Database,
  runs: readonly number[],
  unknown: readonly Unknown[],
): Promise<ReadonlyMap<number, string>> {
  const doubts = new Map<number, string>()
  const files = await Promise.all(unknown.map(async ({ path }) => ({ path, changed: await changedAt(path) })))
  const last = files.sort((a, b) => b.changed - a.changed)[0]
  if (!last) return doubts
  const indexes = await indexesOf(database)
  const left = runs.values()
  const work = async (): Promise<void> => {
    for (const run of left)
      if (storedAt(run, indexes) <= last.changed + SLACK_MS && !(await isProvedWhole(database, run, indexes)))
        doubts.set(run, last.path)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return doubts
}

/**
 * The runs of which an index that was made anew from the documents lacks some: their manifest names them. `before`: when it was made, epoch
 * milliseconds; what was stored afterwards cannot lack any. Runs without a manifest are taken by what there is.
 */
export async function runsShortOfManifest(
  database: Database,
  runs: readonly number[],
  before: number,
): Promise<readonly number[]> {
  const short: number[] = []
  const indexes = await indexesOf(database)
  const left = runs.values()
  const work = async (): Promise<void> => {
    for (const run of left)
      if (storedAt(run, indexes) <= before + SLACK_MS && (await standing(database, run, indexes)) === 'short')
        short.push(run)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return short
}

type Indexes = ReadonlyMap<string, CollectionIndex>

const indexesOf = async (database: Database): Promise<Indexes> => {
  const indexes = new Map<string, CollectionIndex>()
  for (const collection of await database.collections())
    indexes.set(collection.name, (await collection.index()).index)
  return indexes
}

/** When the first of a run's documents was stored; 0 where that is not known. */
function storedAt(run: number, indexes: Indexes): number {
  let first: number | undefined
  for (const index of indexes.values())
    for (const name of indexedRuns(index).configurationsOf(run))
      for (const stamp of index.list('configurations.assigned', name).items)
        first = Math.min(first ?? Infinity, timeOf(stamp))
  return first ?? 0
}

/** Whether our manifest says what belongs to the run, and all of it is in the indexes. */
const isProvedWhole = async (database: Database, run: number, indexes: Indexes): Promise<boolean> =>
  (await standing(database, run, indexes)) === 'whole'

/** How the indexes stand to a run's manifest. `unknown`: it has none, or the document that keeps it is damaged. */
async function standing(
  database: Database,
  run: number,
  indexes: Indexes,
): Promise<'whole' | 'short' | 'unknown'> {
  const marks = indexes.get(COMMIT_MARK)
  if (!marks) return 'unknown'
  const configuration = newestConfiguration(indexedRuns(marks).configurationsOf(run), [marks])
  if (configuration === undefined) return 'unknown'
  try {
    const documents = await documentsOf(database.collection(COMMIT_MARK), configuration, marks)
    if (documents === undefined) return 'unknown'
    if (!documents.every((name) => isIndexed(name, configuration, indexes))) return 'short'
    // Of several documents of an entity an older one may be left: then only what they say decides.
    if ([...indexes.values()].some((index) => indexedRuns(index).updates.has(run)))
      await readRun(database, run)
    return 'whole'
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STORE_CORRUPT') return 'short'
    throw error
  }
}

function isIndexed(document: string, configuration: string, indexes: Indexes): boolean {
  const slash = document.indexOf('/')
  const index = indexes.get(document.slice(0, slash))
  const named = index?.list('entities.name', document.slice(slash + 1))
  return index?.list('configurations.name', configuration).items.some((oid) => named?.has(oid)) ?? false
}

/** What a run's manifest lists; undefined where it has none. Kept, for a daemon asks each time that something was stored. */
async function documentsOf(
  collection: Collection,
  configuration: string,
  index: CollectionIndex,
): Promise<readonly string[] | undefined> {
  const known = KNOWN.get(collection) ?? new Map<string, readonly string[] | undefined>()
  KNOWN.set(collection, known)
  const key = [configuration, ...index.list('configurations.name', configuration).items].join(' ')
  if (!known.has(key)) {
    const kept = newest(await heldOf(collection, configuration, openInPieces))?.stored?.kept
    known.set(key, kept?.manifest && kept.documents)
  }
  return known.get(key)
}

const KNOWN = new WeakMap<Collection, Map<string, readonly string[] | undefined>>()

/** When a file was last changed, epoch milliseconds. One that is gone meanwhile is nobody's: -Infinity. Throws STORE_UNAVAILABLE. */
export const changedAt = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return -Infinity
    throw unavailable(path, error)
  }
}
