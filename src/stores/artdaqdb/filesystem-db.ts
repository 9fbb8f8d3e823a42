import type { Warn } from '../../common/warnings.ts'
import { access, constants } from 'node:fs/promises'
import { artdaqStamp } from './format/timestamp.ts'
import { ArchiverError, errnoOf } from '../../errors.ts'
import type { RunPlace } from '../index-data.ts'
import type { Completing, DocumentStore, Listing, NewRun, NewRunPlace, Remember } from '../store.ts'
import type { RecordManifest, RunDocuments, StoredRun } from '../run-record.ts'
import { RunSet } from '../../common/run-set.ts'
import { diskRoom, type DiskRoom } from '../../platform/disk-room.ts'
import { unavailable } from './index/store-errors.ts'
import { DatabaseList } from './database-list.ts'
import { Database } from './index/database.ts'
import type { Maker } from './format/system-metadata.ts'
import { COMMIT_MARK, oidOf } from './names.ts'
import { knowsOf, putRun } from './write/put-run.ts'
import { allDocumentsSize, documentsSize } from './read/documents-size.ts'
import { requireNoneHidden } from './index/hidden-updates.ts'
import { readManifest, readRun } from './read/read-run.ts'
import { moveInto, type MovedRuns } from './write/move-into.ts'
import { mendRun } from './write/mend-run.ts'
import { WrittenDatabase } from './write/written-database.ts'

export interface FileSystemDbOptions {
  /** Directories of the databases, oldest first. All are read as one; new runs go into the last one, a changed run stays where it is. */
  readonly paths: readonly [string, ...string[]]
  /** Epoch milliseconds. */
  readonly now: () => number
  /** A random UUID for each document. */
  readonly newUuid: () => string
  /** Who stands in the record of a database that has to be made. */
  readonly maker: Maker
  /** How long a commit waits for another process that is committing. */
  readonly lockWaitSeconds?: number
  /** Remembers listings, each by its name while its fingerprint is the same (`ListingCache`). */
  readonly remember?: Remember | undefined
  /** Runs were stored before: a database that is gone or empty is a disk that is not mounted. Of several, the last may be yet to be made. */
  readonly expectExisting?: boolean | undefined
  /** Hears what is set aside or written again. */
  readonly warn?: Warn | undefined
}

/**
 * artdaq_database's FileSystemDB, read and written natively, byte-compatible with its own tools in both directions.
 * `put` makes documents durable; `commit` makes them count, with one rewrite of each index however many runs it covers.
 * A kill between the two leaves documents that no index knows: their run lists as incomplete, and the next `put` takes
 * them over. Several puts may run at once, of different runs.
 */
export class FileSystemDb implements DocumentStore {
  readonly #all: readonly WrittenDatabase[]
  readonly #newest: WrittenDatabase
  readonly #options: FileSystemDbOptions
  readonly #databaseList: DatabaseList

  constructor(options: FileSystemDbOptions) {
    this.#all = options.paths.map((path) => new WrittenDatabase(new Database(path), options))
    this.#newest = this.#all.at(-1) ?? new WrittenDatabase(new Database(options.paths[0]), options)
    this.#options = options
    this.#databaseList = new DatabaseList(this.#all, options.remember)
  }

  /** The databases, oldest first. For checks and queries. */
  get databases(): readonly Database[] {
    return this.#all.map(({ database }) => database)
  }

  list(): Promise<Listing> {
    return this.#listing((one) => one.list())
  }

  /** As `list`; of the older databases what is remembered of them counts, while nothing in them has changed. */
  listRemembered(): Promise<Listing> {
    return this.#listing((one) => (one === this.#newest ? one.list() : this.#databaseList.remembered(one)))
  }

  async #listing(list: (one: WrittenDatabase) => Promise<Listing>): Promise<Listing> {
    let runs = RunSet.EMPTY
    let seen = RunSet.EMPTY
    let foreign = RunSet.EMPTY
    const updates = new Map<number, number>()
    const notes: string[] = []
    await this.#requireThere()
    for (const one of this.#all) {
      const listing = await list(one)
      for (const [run, count] of listing.updates) updates.set(run, count)
      const twice = runs.intersect(listing.runs)
      if (!twice.isEmpty)
        notes.push(`runs ${twice.toString()} are in ${one.database.path} and in an older database too`)
      runs = runs.union(listing.runs)
      foreign = foreign.union(listing.foreign ?? RunSet.EMPTY)
      seen = seen.union(listing.runs).union(listing.incomplete)
      notes.push(...listing.notes)
      await this.#databaseList.using(one)
    }
    return { runs, foreign, incomplete: seen.minus(runs), updates, notes }
  }

  async put(documents: RunDocuments, signal: AbortSignal, completing?: Completing) {
    signal.throwIfAborted()
    const { now, newUuid, maker } = this.#options
    const holding = await this.#writtenOf(documents.run)
    return holding.putting(documents.run, holding !== this.#newest, (written) =>
      putRun(documents, { ...written, now, newUuid, maker, signal, completing }),
    )
  }

  async putNew(
    run: number,
    write: (place: NewRunPlace) => Promise<NewRun>,
    signal: AbortSignal,
  ): Promise<NewRun | undefined> {
    signal.throwIfAborted()
    if ((await this.#writtenOf(run)) !== this.#newest) return undefined
    return this.#newest.putting(run, false, async (written) => {
      if (await knowsOf(run, written)) return undefined
      const { now, newUuid, maker } = this.#options
      const time = now()
      const { database, committer } = written
      await database.create(COLLECTIONS, () => oidOf(newUuid()), artdaqStamp(time), maker)
      const stored = await write({ database: database.path, time })
      committer.add({ ...stored, setAside: [], seen: NOTHING })
      return stored
    })
  }

  commitDue(): boolean {
    return this.#all.some(({ committer }) => committer.due())
  }

  /** Of each database, the newest last. When it throws, those before are committed: their runs are there, and the next put finds them. */
  async commit(): Promise<void> {
    for (const one of this.#all) await one.commit()
  }

  async read(run: number, signal: AbortSignal): Promise<StoredRun> {
    signal.throwIfAborted()
    return await readRun(await this.holding(run), run)
  }

  async requireNewest({ run, manifest }: StoredRun): Promise<void> {
    await requireNoneHidden(await this.holding(run), run, manifest !== undefined)
  }

  async mend(run: number): Promise<readonly string[]> {
    const { now, lockWaitSeconds } = this.#options
    return await mendRun(await this.holding(run), run, { now, lockWaitSeconds })
  }

  async sizeOf(run: number): Promise<number> {
    const found = await this.#databaseList.holding(run)
    return found ? await documentsSize(found.database, run) : 0
  }

  async bytesOf(run: number): Promise<number> {
    const found = await this.#databaseList.holding(run)
    return found ? await allDocumentsSize(found.database, run) : 0
  }

  placeOf(run: number): Promise<RunPlace | undefined> {
    return this.#databaseList.placeOf(run, this.#options.now())
  }

  /** While the index files are those that the other thread read; where one is another by now, it is read. */
  knowing<T>(run: number, place: RunPlace, work: () => Promise<T>): Promise<T> {
    return this.#databaseList.knowing(run, place, work)
  }

  room(): Promise<DiskRoom | undefined> {
    return diskRoom(this.#newest.database.path)
  }

  async manifest(run: number): Promise<RecordManifest | undefined> {
    return await readManifest(await this.holding(run), run)
  }

  async manifestAlone(run: number): Promise<RecordManifest | undefined> {
    const found = await this.#databaseList.lookUp(run)
    if (!found) return await this.#requireHeld(run)
    return await readManifest(found.database, run, found.index)
  }

  async fingerprint(): Promise<string | undefined> {
    const texts: (string | undefined)[] = []
    for (const one of this.#all) texts.push(one.database.path, await one.fingerprint())
    return texts.includes(undefined) ? undefined : texts.join('\n')
  }

  async trail(): Promise<readonly string[]> {
    return (await Promise.all(this.databases.map((database) => database.trail()))).flat()
  }

  /** Whether the newest database can be read and written, or be made. */
  async probe(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#requireThere()
    for (const database of this.databases) {
      const isNewest = database === this.#newest.database
      const rights = constants.R_OK | constants.X_OK | (isNewest ? constants.W_OK : 0)
      const collections = await database.collections()
      for (const path of [database.path, ...collections.map((collection) => collection.path)])
        await access(path, rights).catch((error: unknown) => {
          if (!isNewest || errnoOf(error) !== 'ENOENT') throw unavailable(path, error)
        })
    }
  }

  /** As `moveInto`. */
  async moveTo(path: string, asked: RunSet, signal: AbortSignal): Promise<MovedRuns> {
    return await moveInto(this.databases, path, asked, { ...this.#options, signal })
  }

  /** The newest database in which the run counts, else the newest that knows it. Throws NOT_FOUND, and STORE_UNAVAILABLE where one is there no longer. */
  async holding(run: number): Promise<Database> {
    const found = await this.#databaseList.holding(run)
    return found ? found.database : await this.#requireHeld(run)
  }

  async #requireHeld(run: number): Promise<never> {
    for (const database of this.databases) await database.requireStillThere()
    const where = this.databases.map(({ path }) => path).join(', ')
    throw new ArchiverError('NOT_FOUND', `run ${run} is not in artdaqDB ${where}`, { run })
  }

  /** The database that holds the run, else the newest. */
  async #writtenOf(run: number): Promise<WrittenDatabase> {
    if (!this.#newest.wasListed) await this.#requireThere()
    return (this.#all.length > 1 ? await this.#databaseList.holding(run) : undefined) ?? this.#newest
  }

  async #requireThere(): Promise<void> {
    if (this.#options.expectExisting !== true) return
    for (const database of this.#all.length > 1 ? this.databases.slice(0, -1) : this.databases)
      await database.requireThere()
  }
}

const NOTHING: ReadonlySet<string> = new Set()

/** Those that the documents of a run stand in. */
const COLLECTIONS = ['RunHistory', COMMIT_MARK]
