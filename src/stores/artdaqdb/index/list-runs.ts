import type { IndexFacts, Listing } from '../../store.ts'
import { RunSet } from '../../../common/run-set.ts'
import type { Collection } from './collection.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import type { Database } from './database.ts'
import { maybeForeign } from './foreign-runs.ts'
import { doubtfulRuns, runsShortOfManifest, type Unknown } from './unattributed-files.ts'
import { rebuiltAt } from './damaged-index-backup.ts'
import { runsLacking } from './missing-documents.ts'
import { COMMIT_MARK, runNumber, runOf } from '../names.ts'
import { indexedRuns } from './run-index.ts'
import { updatesOf } from './run-updates.ts'

/** A document on disk that no index knows. */
export interface Orphan {
  readonly collection: Collection
  readonly oid: string
}

export interface DatabaseListing extends Listing {
  readonly orphans: ReadonlyMap<number, readonly Orphan[]>
  /** Runs that may lack a document, as a file that cannot be read may be theirs: its path for each. */
  readonly doubts: ReadonlyMap<number, string>
}

/**
 * Lists a database without creating anything. A run is whole when its `schema` is in the index of SystemLayout, the newest
 * document of each entity that an index gives it is on disk, none of its documents is left out of the index, and no file that cannot be read
 * may be one of them. `unfinished` are documents of this process that wait for their commit. Throws STORE_UNAVAILABLE where the disk does not answer.
 */
export async function listDatabase(
  database: Database,
  unfinished: ReadonlySet<string>,
): Promise<DatabaseListing> {
  const marked: number[] = []
  const seen: number[] = []
  const rest = new Set<number>()
  const broken = new Set<number>()
  const updates = await updatesOf(database.collection(COMMIT_MARK))
  const orphans = new Map<number, Orphan[]>()
  const unknown: Unknown[] = []
  const notes: string[] = []
  let damaged = false
  const collections = await database.collections()
  // Directories and indexes are read side by side; at hundreds of thousands of documents each takes its time.
  const indexes = await Promise.all(collections.map(async (collection) => (await collection.index()).index))
  const differences = await Promise.all(collections.map((collection) => collection.difference()))
  for (const [position, collection] of collections.entries()) {
    const { index, damage } = await collection.index()
    if (damage !== undefined) {
      damaged = true
      notes.push(`${damage}: read from the documents instead`)
    }
    const runs = indexedRuns(index)
    for (const run of runs.keys()) {
      seen.push(run)
      if (collection.name === COMMIT_MARK) marked.push(run)
      else rest.add(run)
    }
    notes.push(...namesToKnow(collection, index))
    const difference = differences[position] ?? (await collection.difference())
    const missing = new Set(difference.missing)
    for (const run of runsLacking(index, missing, indexes)) broken.add(run)
    if (missing.size > 0)
      notes.push(`${collection.path}: ${missing.size} documents of the index are not on disk`)
    const left = difference.orphans.filter((oid) => !unfinished.has(oid))
    if (left.length > 0) notes.push(`${collection.path}: ${left.length} documents are not in the index`)
    const { known, nobodys } = await ownersOf(collection, left, notes)
    // A run that counts has its schema: one that cannot be read is of a run that does not count.
    if (collection.name !== COMMIT_MARK) unknown.push(...nobodys)
    for (const [run, oid] of known) {
      seen.push(run)
      broken.add(run)
      orphans.set(run, [...(orphans.get(run) ?? []), { collection, oid }])
    }
  }
  for (const run of marked)
    if (!rest.has(run) && !(await schemaSuffices(database.collection(COMMIT_MARK), run))) broken.add(run)
  // An index that is as it was written names all that counts: only where one was damaged can a document of a run be left out of it.
  const rebuilt = damaged ? Infinity : await rebuiltAt(database)
  if (rebuilt !== undefined) {
    const sound = marked.filter((run) => !broken.has(run))
    for (const run of await runsShortOfManifest(database, sound, rebuilt)) broken.add(run)
  }
  const sound = marked.filter((run) => !broken.has(run))
  const doubts = await doubtfulRuns(database, sound, rebuilt === undefined ? [] : unknown)
  const whole = RunSet.of(marked).minus(RunSet.of(broken)).minus(RunSet.of(doubts.keys()))
  const foreign = (await maybeForeign(collections)).intersect(whole)
  return { runs: whole, foreign, incomplete: RunSet.of(seen).minus(whole), updates, notes, orphans, doubts }
}

/** The runs of documents that no index knows, by what these say; and those that cannot be read so far. */
async function ownersOf(
  collection: Collection,
  oids: readonly string[],
  notes: string[],
): Promise<{
  readonly known: readonly (readonly [run: number, oid: string])[]
  readonly nobodys: readonly Unknown[]
}> {
  const { kept, unreadable } = await collection.documents(oids, ({ facts }) => namedRuns(facts))
  notes.push(...unreadable.map(({ message }) => message))
  const named = unreadable.map(({ oid, facts }) => ({ oid, runs: facts ? namedRuns(facts) : [] }))
  const nobodys = named.filter(({ runs }) => runs.length === 0)
  return {
    known: [...kept.flat(), ...named.flatMap(({ runs }) => runs)],
    nobodys: nobodys.map(({ oid }) => ({ collection, path: collection.documentPath(oid) })),
  }
}

const namedRuns = ({ oid, runs, configurations }: IndexFacts): (readonly [run: number, oid: string])[] => {
  const named = runs.map(runNumber).concat(configurations.map(({ name }) => runOf(name)))
  return [...new Set(named)].flatMap((run) => (run === undefined ? [] : [[run, oid] as const]))
}

/** A record may consist of nothing but its schema; only our manifest distinguishes that from a load that was cut short. */
async function schemaSuffices(collection: Collection, run: number): Promise<boolean> {
  const { index } = await collection.index()
  const configurations = indexedRuns(index).configurationsOf(run)
  const oids = configurations.flatMap((name) => index.list('configurations.name', name).items)
  const { kept } = await collection.documents(oids, ({ kept: { manifest, documents } }) => ({
    manifest,
    documents,
  }))
  return kept.some(
    ({ manifest, documents }) => manifest && documents.every((name) => name.startsWith(`${COMMIT_MARK}/`)),
  )
}

function namesToKnow(collection: Collection, index: CollectionIndex): readonly string[] {
  const notes: string[] = []
  const runs = indexedRuns(index)
  const { others } = runs
  if (others.length > 0) notes.push(`${collection.path}: ${some(others)}: configurations that are no run's`)
  for (const [run, names] of runs)
    if (names.length > 1)
      notes.push(
        `run ${run} has ${names.length} configurations, ${some(names)}: the one assigned last counts`,
      )
  if (collection.name === COMMIT_MARK)
    for (const [version, { size }] of index.section('version'))
      if (size > 1)
        notes.push(`${version} was loaded ${size} times: the documents with the smallest oid count`)
  return notes
}

const some = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
