import { access, constants } from 'node:fs/promises'
import { artdaqStamp } from './format/timestamp.ts'
import { ArchiverError, type Code, errnoOf } from '../../errors.ts'
import type { Listing, DocumentStore, NewRun, NewRunPlace } from '../store.ts'
import type { RecordManifest, RunDocuments, StoredRun } from '../run-record.ts'
import { RunSet } from '../../common/run-set.ts'
import { diskRoom, type DiskRoom } from '../../platform/disk-room.ts'
import { Committer } from './write/index-committer.ts'
import { asStoreError, unavailable } from './index/collection.ts'
import { Database } from './index/database.ts'
import { type DatabaseListing, listDatabase } from './index/list-runs.ts'
import type { Maker } from './format/system-metadata.ts'
import { COMMIT_MARK, oidOf } from './names.ts'
import { knowsOf, type PutContext, putRun } from './write/put-run.ts'
import { documentsSize } from './read/documents-size.ts'
import { readManifest, readRun } from './read/read-run.ts'
import { mendRun } from './write/mend-run.ts'

export interface FileSystemDbOptions {
  /** Directories of the databases. All are read as one; the last one is written. */
  readonly paths: readonly [string, ...string[]]
  /** Epoch milliseconds. */
  readonly now: () => number
  /** A random UUID for each document. */
  readonly newUuid: () => string
  /** Who stands in the record of a database that has to be made. */
  readonly maker: Maker
  /** How long a commit waits for another process that is committing. */
  readonly lockWaitSeconds?: number
  /** Runs were stored before: a database that is gone or empty is a disk that is not mounted. Of several, the last may be yet to be made. */
  readonly expectExisting?: boolean | undefined
}

/**
 * artdaq_database's FileSystemDB, read and written natively, byte-compatible with its own tools in both directions.
 * `put` makes documents durable; `commit` makes them count, with one rewrite of each index however many runs it covers.
 * A kill between the two leaves documents that no index knows: their run lists as incomplete, and the next `put` takes
 * them over. Several puts may run at once, of different runs.
 */
export class FileSystemDb implements DocumentStore {
  readonly #databases: readonly Database[]
  readonly #writer: Database
  readonly #options: FileSystemDbOptions
  readonly #committer: Committer
  /** What the last listing found that a put must know. */
  #found: Promise<Found> | undefined

  constructor(options: FileSystemDbOptions) {
    this.#databases = options.paths.map((path) => new Database(path))
    this.#writer = this.#databases.at(-1) ?? new Database(options.paths[0])
    this.#options = options
    this.#committer = new Committer(this.#writer, options)
  }

  /** The databases, oldest first; the last one is written. For checks and queries. */
  get databases(): readonly Database[] {
    return this.#databases
  }

  async list(): Promise<Listing> {
    let runs = RunSet.EMPTY
    let seen = RunSet.EMPTY
    let foreign = RunSet.EMPTY
    const updates = new Map<number, number>()
    const notes: string[] = []
    await this.#requireThere()
    for (const database of this.#databases) {
      const listing = await listDatabase(database, this.#committer.unfinished)
      for (const [run, count] of listing.updates) updates.set(run, count)
      const twice = runs.intersect(listing.runs)
      if (!twice.isEmpty)
        notes.push(`runs ${twice.toString()} are in ${database.path} and in an older database too`)
      runs = runs.union(listing.runs)
      foreign = foreign.union(listing.foreign ?? RunSet.EMPTY)
      seen = seen.union(listing.runs).union(listing.incomplete)
      notes.push(...listing.notes)
      if (database === this.#writer) this.#found = Promise.resolve(listing)
    }
    return { runs, foreign, incomplete: seen.minus(runs), updates, notes }
  }

  async put(documents: RunDocuments, signal: AbortSignal): Promise<'stored' | 'present' | 'updated'> {
    signal.throwIfAborted()
    const { now, newUuid, maker } = this.#options
    return this.#putting(documents.run, (known) =>
      putRun(documents, { ...known, writer: this.#writer, now, newUuid, maker, signal }),
    )
  }

  async putNew(
    run: number,
    write: (place: NewRunPlace) => Promise<NewRun>,
    signal: AbortSignal,
  ): Promise<NewRun | undefined> {
    signal.throwIfAborted()
    return this.#putting(run, async (known) => {
      if (await knowsOf(run, known)) return undefined
      const { now, newUuid, maker } = this.#options
      const time = now()
      await this.#writer.create(COLLECTIONS, () => oidOf(newUuid()), artdaqStamp(time), maker)
      const written = await write({ database: this.#writer.path, time })
      this.#committer.add({ ...written, setAside: [], seen: NOTHING })
      return written
    })
  }

  commitDue(): boolean {
    return this.#committer.due()
  }

  async commit(): Promise<void> {
    try {
      await this.#committer.commit()
    } catch (error) {
      this.#found = undefined // so are the documents that it was about
      throw asStoreError(this.#writer.path, error)
    }
  }

  async read(run: number, signal: AbortSignal): Promise<StoredRun> {
    signal.throwIfAborted()
    return await readRun(await this.holding(run), run)
  }

  async mend(run: number): Promise<readonly string[]> {
    const { now, lockWaitSeconds } = this.#options
    return await mendRun(await this.holding(run), run, { now, lockWaitSeconds })
  }

  async sizeOf(run: number): Promise<number> {
    for (const database of this.#databases.toReversed())
      if (await database.knows(run)) return await documentsSize(database, run)
    return 0
  }

  room(): Promise<DiskRoom | undefined> {
    return diskRoom(this.#writer.path)
  }

  async manifest(run: number): Promise<RecordManifest | undefined> {
    return await readManifest(await this.holding(run), run)
  }

  async fingerprint(): Promise<string> {
    const parts: string[] = []
    for (const database of this.#databases) parts.push(database.path, await database.fingerprint())
    return parts.join('\n')
  }

  async trail(): Promise<readonly string[]> {
    return (await Promise.all(this.#databases.map((database) => database.trail()))).flat()
  }

  /** Whether the newest database can be read and written, or be made. */
  async probe(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#requireThere()
    for (const database of this.#databases) {
      const rights = constants.R_OK | constants.X_OK | (database === this.#writer ? constants.W_OK : 0)
      for (const path of [
        database.path,
        ...(await database.collections()).map((collection) => collection.path),
      ])
        await access(path, rights).catch((error: unknown) => {
          if (!isMissing(error) || database !== this.#writer) throw unavailable(path, error)
        })
    }
  }

  /** The newest database that knows the run. Throws NOT_FOUND, and STORE_UNAVAILABLE where one is there no longer. */
  async holding(run: number): Promise<Database> {
    for (const database of this.#databases.toReversed()) if (await database.knows(run)) return database
    for (const database of this.#databases) await database.requireStillThere()
    const paths = this.#databases.map(({ path }) => path).join(', ')
    throw new ArchiverError('NOT_FOUND', `run ${run} is not in artdaqDB ${paths}`, { run })
  }

  async #putting<T>(
    run: number,
    work: (known: Pick<PutContext, 'databases' | 'committer' | 'orphans' | 'doubt'>) => Promise<T>,
  ): Promise<T> {
    if (!this.#found) await this.#requireThere()
    const found = await this.#lastFound()
    const [orphans, doubt] = [found.orphans.get(run) ?? [], found.doubts.get(run)]
    try {
      return await work({ databases: this.#databases, committer: this.#committer, orphans, doubt })
    } catch (error) {
      if (mayHaveWritten(error)) this.#found = undefined // what it had written so far is an orphan now
      throw asStoreError(this.#writer.path, error)
    }
  }

  async #requireThere(): Promise<void> {
    if (this.#options.expectExisting !== true) return
    const expected = this.#databases.length > 1 ? this.#databases.slice(0, -1) : this.#databases
    for (const database of expected) await database.requireThere()
  }

  #lastFound(): Promise<Found> {
    return (this.#found ??= listDatabase(this.#writer, this.#committer.unfinished).catch((error: unknown) => {
      this.#found = undefined
      throw error
    }))
  }
}

/** Errors of the record, and of what is there of the run: they come before anything is written. To look at the whole database after each is dear. */
const BEFORE_WRITING: ReadonlySet<Code> = new Set([
  'RECORD_INVALID',
  'RECORD_CHANGING',
  'SOURCE_UNAVAILABLE',
  'FHICL_INVALID',
  'NOT_FOUND',
  'CONFLICT',
  'STORE_CORRUPT',
  'STORE_REFUSED',
])

const mayHaveWritten = (error: unknown): boolean =>
  !(error instanceof ArchiverError && BEFORE_WRITING.has(error.code))

type Found = Pick<DatabaseListing, 'orphans' | 'doubts'>

const NOTHING: ReadonlySet<string> = new Set()

/** Those that the documents of a run stand in. */
const COLLECTIONS = ['RunHistory', COMMIT_MARK]

const isMissing = (error: unknown): boolean => errnoOf(error) === 'ENOENT'
