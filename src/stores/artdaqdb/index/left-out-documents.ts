import { readFile } from '../../../platform/read-file.ts'
import type { IndexFacts } from '../../store.ts'
import { KeptReading } from '../../../common/kept-reading.ts'
import { ArchiverError } from '../../../errors.ts'
import { CollectionIndex } from '../format/search-index.ts'
import { runNumber, runOf } from '../names.ts'
import type { Collection } from './collection.ts'
import { rebuiltAt } from './damaged-index-backup.ts'
import type { Database } from './database.ts'
import { unlisted } from './index-differences.ts'
import type { Held } from './run-documents.ts'

/**
 * Refuses a run of which a damaged document may be left out of an index that was made anew from the documents: without it, the version before it
 * would be read as the newest. Throws STORE_CORRUPT, naming the file. Where no index was made anew, it looks at nothing.
 */
export async function requireNoneLeftOut(database: Database, run: number): Promise<void> {
  for (const collection of await rebuiltCollections(database)) {
    const path = (await leftOut(collection)).paths.get(run)
    if (path === undefined) continue
    throw new ArchiverError(
      'STORE_CORRUPT',
      `run ${run}: ${path} names it, cannot be read, and is not in the index, which was made anew from the documents`,
      { run, hint: 'run-archiver artdaq repair writes the document again where its seal proves what was stored. Otherwise put the file back from a backup, or move it out of the collection to read what was stored before it.' }, // prettier-ignore
    )
  }
}

/** All collections, where an index was made anew from the documents or is damaged now; otherwise none. */
export async function rebuiltCollections(database: Database): Promise<readonly Collection[]> {
  const collections = await database.collections()
  const damages = await Promise.all(collections.map(async (one) => (await one.index()).damage))
  const isSound = damages.every((damage) => damage === undefined)
  return isSound && (await rebuiltAt(database)) === undefined ? [] : collections
}

/**
 * Refuses a run of whose documents the indexes say only a part: with a bit of an index lost, a document is no longer taken for what it is, and the
 * version before it would be read. Throws STORE_CORRUPT.
 */
export async function requireListed(held: readonly Held[], run: number): Promise<void> {
  const indexes = new Map<Collection, CollectionIndex>()
  for (const { collection } of held)
    if (!indexes.has(collection)) indexes.set(collection, (await collection.index()).index)
  for (const { collection, oid, stored, version, entities } of held) {
    const index = indexes.get(collection) ?? CollectionIndex.EMPTY
    const lost = stored
      ? unlisted(index, stored.facts)
      : [...(version === '' ? ['version'] : []), ...(entities.length === 0 ? ['entity'] : [])]
    if (lost.length === 0) continue
    throw new ArchiverError(
      'STORE_CORRUPT',
      `run ${run}: the index of ${collection.name} lacks of ${collection.documentPath(oid)} its ${lost.join(', its ')}`,
      { run, hint: 'run-archiver artdaq repair writes the index again from the documents' },
    )
  }
}

/** Damaged documents that an index does not know. */
interface LeftOut {
  /** Their paths, by the runs that they name anywhere. */
  readonly paths: ReadonlyMap<number, string>
  /** The paths of those that name none. */
  readonly nobodys: readonly string[]
}

/** The damaged documents of a collection that its index does not know. Kept while the collection does not change. */
export async function leftOut(collection: Collection): Promise<LeftOut> {
  const known = KNOWN.get(collection) ?? new KeptReading()
  KNOWN.set(collection, known)
  return known.of(await collection.fingerprint(), () => findLeftOut(collection))
}

const KNOWN = new WeakMap<Collection, KeptReading<LeftOut>>()

const findLeftOut = async (collection: Collection): Promise<LeftOut> => {
  const paths = new Map<number, string>()
  const nobodys: string[] = []
  const { orphans } = await collection.difference()
  const { unreadable } = await collection.documents(orphans, () => undefined)
  for (const { oid, facts } of unreadable) {
    const path = collection.documentPath(oid)
    const runs = facts ? runsSaid(facts) : await runsWritten(path)
    for (const run of runs) paths.set(run, path)
    if (runs.length === 0) nobodys.push(path)
  }
  return { paths, nobodys }
}

const runsSaid = ({ runs, configurations }: IndexFacts): readonly number[] =>
  [...runs.map(runNumber), ...configurations.map(({ name }) => runOf(name))].filter(
    (run) => run !== undefined,
  )

/** The runs of all strings in a file that look like a run's configuration: a document says its own five times. */
async function runsWritten(path: string): Promise<readonly number[]> {
  const bytes = await readFile(path).catch(() => undefined)
  const text = bytes?.toString('latin1') ?? ''
  return [...new Set([...text.matchAll(/"([1-9]\d{0,14})\/[^"]*"/g)].map(([, run]) => Number(run)))]
}
