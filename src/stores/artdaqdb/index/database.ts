import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiverError, errnoOf } from '../../../errors.ts'
import type { HeldIndex } from '../../index-data.ts'
import { RunSet } from '../../../common/run-set.ts'
import { calls } from '../../../platform/fs-calls.ts'
import { makeDurableFolder, syncDirectory } from '../../../platform/atomic-file.ts'
import { Collection, type Counting, INDEX } from './collection.ts'
import { unavailable } from './store-errors.ts'
import { metadataRecord, type Maker } from '../format/system-metadata.ts'
import { COMMIT_MARK } from '../names.ts'
import { placeFiles } from '../write/write-files.ts'
import { indexedRuns } from './run-index.ts'
import { indexOfRun } from './run-lookup.ts'
import type { CollectionIndex } from '../format/search-index.ts'

const METADATA = 'SystemMetadata'
/** Folders that artdaq keeps for itself. */
export const HIDDEN: ReadonlySet<string> = new Set([METADATA, 'system.indexes'])

/** Which runs the indexes of a database know. */
export interface Outline {
  /** `indexesKey` of the indexes that it was made of. */
  readonly key: string
  /** Runs that any index knows; undefined where not all of them were read. */
  readonly knows: RunSet | undefined
  readonly counts: RunSet
}

const keyOf = async (
  collections: readonly Collection[],
  key: (collection: Collection) => Promise<string>,
): Promise<string> =>
  (await Promise.all(collections.map(async (one) => `${one.name} ${await key(one)}`))).join('\n')

const runsIn = async (collection: Collection): Promise<RunSet> =>
  RunSet.of(indexedRuns((await collection.index()).index).keys())

const allRunsIn = async (collections: readonly Collection[]): Promise<RunSet> => {
  let runs = RunSet.EMPTY
  for (const one of collections) runs = runs.union(await runsIn(one))
  return runs
}

/** One artdaqDB on disk: a directory of collections. Nothing is created before something is written. */
export class Database {
  readonly path: string
  readonly #collections = new Map<string, Collection>()
  readonly #made = new Set<string>()
  #wasThere = false
  #outline: Outline | undefined

  constructor(path: string) {
    this.path = path
  }

  /** Its indexes for other threads, read where they are not held; those that are sound. */
  async allHeld(): Promise<readonly HeldIndex[]> {
    const collections = await this.collections()
    for (const one of collections) await one.index()
    return collections.flatMap((one) => one.held ?? [])
  }

  /** Takes over what another thread has read of its collections. */
  hold(indexes: readonly HeldIndex[]): void {
    for (const one of indexes) this.collection(one.name).hold(one)
  }

  /** Every collection there is, in byte order of the names. None where the database does not exist. */
  async collections(): Promise<readonly Collection[]> {
    const entries = await calls.entries(this.path).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return []
      throw unavailable(this.path, error)
    })
    const collections = entries
      .filter((entry) => entry.isDirectory() && !HIDDEN.has(entry.name))
      .map((entry) => this.collection(entry.name))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    this.#wasThere ||= collections.length > 0
    return collections
  }

  /** Throws STORE_UNAVAILABLE where this process has seen a database and there is none any more, or nothing in it. */
  async requireStillThere(): Promise<void> {
    if (this.#wasThere) await this.requireThere()
  }

  /** Throws STORE_UNAVAILABLE where there is none, or nothing in it: for whoever knows that there must be one. */
  async requireThere(): Promise<void> {
    if ((await this.collections()).length > 0) return
    throw new ArchiverError('STORE_UNAVAILABLE', `artdaqDB ${this.path} is not there, or is empty`, {
      hint: 'a disk that is not mounted, or a slip in artdaq_db.database_uri; where the database is to begin anew, move importer_state.json and migrator_state.json away',
    })
  }

  /** How many documents the indexes that were read so far know. */
  get indexed(): number {
    return [...this.#collections.values()].reduce((sum, { indexed }) => sum + indexed, 0)
  }

  collection(name: string): Collection {
    const known = this.#collections.get(name)
    if (known) return known
    const collection = new Collection(this.path, name, () => this.#countingFor(name))
    this.#collections.set(name, collection)
    return collection
  }

  /** The versions of which a `schema` can be read on disk, committed or not. */
  async written(): Promise<Counting> {
    const { index, unreadable } = await this.collection(COMMIT_MARK).rebuilt()
    return unreadable.length > 0 ? undefined : new Set(index.section('version').keys())
  }

  async #countingFor(collection: string): Promise<Counting> {
    if (collection === COMMIT_MARK) return undefined
    const { index, damage } = await this.collection(COMMIT_MARK).index()
    return damage === undefined ? new Set(index.section('version').keys()) : await this.written()
  }

  /** Whether any index of this database knows the run. Throws STORE_UNAVAILABLE where the database was there, and is not any more. */
  async knows(run: number): Promise<boolean> {
    const collections = await this.collections()
    if (collections.length === 0) await this.requireStillThere()
    const outline = await this.#validOutline(collections)
    if (outline?.knows) return outline.knows.has(run)
    for (const collection of collections)
      if (indexedRuns((await collection.index()).index).has(run)) return true
    return false
  }

  /** As `counts`, by the index as it is now. */
  async counting(): Promise<(run: number) => boolean> {
    const runs = indexedRuns((await this.collection(COMMIT_MARK).index()).index)
    return (run) => runs.has(run)
  }

  /** Whether the index of SystemLayout names a schema of the run. */
  async counts(run: number): Promise<boolean> {
    const outline = await this.#validOutline(await this.collections())
    if (outline) return outline.counts.has(run)
    const { index } = await this.collection(COMMIT_MARK).index()
    return indexedRuns(index).has(run)
  }

  /** What the index of SystemLayout says of a run that counts, without the others being read (`indexOfRun`); undefined where it does not. */
  async lookUp(run: number): Promise<CollectionIndex | undefined> {
    const outline = await this.#validOutline(await this.collections())
    if (outline && !outline.counts.has(run)) return undefined
    const index = await indexOfRun(this.collection(COMMIT_MARK), run)
    return indexedRuns(index).has(run) ? index : undefined
  }

  /** Whether its indexes are held, or what they know is. */
  get isKnown(): boolean {
    return this.#outline !== undefined || this.indexed > 0
  }

  /** Changes when one of the indexes does. */
  async indexesKey(): Promise<string> {
    return await keyOf(await this.collections(), (one) => one.indexKey())
  }

  /** Takes over what a listing said of the runs that the indexes know. */
  outline(outline: Outline): void {
    this.#outline = outline
  }

  /**
   * Lets go of the indexes, and remembers which runs they know. Does nothing where that is not known: where neither the index that says which runs
   * count is held, nor an outline of it.
   */
  async condense(): Promise<void> {
    const collections = await this.collections()
    const key = await keyOf(collections, (one) => Promise.resolve(one.heldKey ?? one.indexKey()))
    if (this.#outline?.key !== key) {
      const marked = collections.find(({ name }) => name === COMMIT_MARK)
      if (marked?.heldKey === undefined) return
      const counts = await runsIn(marked)
      const areAllHeld = collections.every(({ heldKey }) => heldKey !== undefined)
      this.#outline = { key, counts, knows: areAllHeld ? await allRunsIn(collections) : undefined }
    }
    for (const collection of collections) collection.forget()
  }

  /** What is remembered, while the indexes are those that it was made of. */
  async #validOutline(collections: readonly Collection[]): Promise<Outline | undefined> {
    if (!this.#outline) return undefined
    const key = await keyOf(collections, (one) => one.indexKey())
    return key === this.#outline.key ? this.#outline : undefined
  }

  async fingerprint(): Promise<string> {
    const parts: string[] = []
    for (const collection of await this.collections())
      parts.push(`${collection.name} ${await collection.fingerprint()}`)
    return parts.join('\n')
  }

  /** The directories and indexes whose times show every change. */
  async trail(): Promise<readonly string[]> {
    const collections = await this.collections()
    return [this.path, ...collections.flatMap(({ path }) => [path, join(path, INDEX)])]
  }

  /** Makes the directories of a database, with its record about itself, durably, where they are missing; once in a process. */
  async create(
    collections: readonly string[],
    oid: () => string,
    created: string,
    maker: Maker,
  ): Promise<void> {
    if (collections.every((name) => this.#made.has(name))) return
    await makeDurableFolder(this.path)
    const made = await mkdir(join(this.path, METADATA)).then(
      () => true,
      (error: unknown) => {
        if (errnoOf(error) === 'EEXIST') return false
        throw unavailable(this.path, error)
      },
    )
    if (made) {
      const id = oid()
      const text = metadataRecord(this.path, id, created, maker)
      const path = join(this.path, METADATA, `${id}.json`)
      await placeFiles(this.path, [{ path, text: () => [Buffer.from(text)] }])
      await syncDirectory(join(this.path, METADATA))
    }
    for (const name of collections) await this.collection(name).create()
    await syncDirectory(this.path)
    for (const name of collections) this.#made.add(name)
  }
}
