import { ArchiverError, type Code, errnoOf, messageOf } from '../../../errors.ts'
import { asStoreError, mayChangeUnseen } from '../index/store-errors.ts'
import type { Database } from '../index/database.ts'
import { type DatabaseListing, listDatabase, type Orphan } from '../index/list-runs.ts'
import { Committer, type CommitterOptions } from './index-committer.ts'

/** What a put of a run must know of the database that it writes to. */
export interface Written {
  readonly database: Database
  readonly committer: Committer
  /** Documents of this run that no index knows. */
  readonly orphans: readonly Orphan[]
  /** A file that cannot be read and may be of this run. */
  readonly doubt: string | undefined
}

/** One database as it is written to: what waits for its place in the indexes, and what the last listing found lying about. */
export class WrittenDatabase {
  readonly database: Database
  readonly committer: Committer
  readonly #now: () => number
  #found: Promise<Pick<DatabaseListing, 'orphans' | 'doubts'>> | undefined

  constructor(database: Database, options: CommitterOptions) {
    this.database = database
    this.committer = new Committer(database, options)
    this.#now = options.now
  }

  /** Whether it was listed, and nothing has gone wrong since. */
  get wasListed(): boolean {
    return this.#found !== undefined
  }

  /** As `DocumentStore.fingerprint`. */
  async fingerprint(): Promise<string | undefined> {
    const text = await this.database.fingerprint()
    return mayChangeUnseen(text, this.#now()) ? undefined : text
  }

  /** As `listDatabase`; what a put must know of it is kept. */
  async list(): Promise<DatabaseListing> {
    const listing = await listDatabase(this.database, this.committer.unfinished)
    this.#found = Promise.resolve(listing)
    return listing
  }

  /**
   * Works on a run in this database. Errors of the system become those of the store, STORE_UNAVAILABLE; of an older database that may not be
   * written, STORE_REFUSED, which is of this run alone: sites take the rights from those, and new runs do not depend on them.
   */
  async putting<T>(run: number, isOlder: boolean, work: (written: Written) => Promise<T>): Promise<T> {
    const { orphans, doubts } = await this.#lastFound()
    const { database, committer } = this
    try {
      return await work({
        ...{ database, committer },
        orphans: orphans.get(run) ?? [],
        doubt: doubts.get(run),
      })
    } catch (error) {
      if (mayHaveWritten(error)) this.#found = undefined // what it had written so far is an orphan now
      throw isOlder && NO_RIGHT.has(errnoOf(error) ?? '')
        ? refused(run, database.path, error)
        : asStoreError(database.path, error)
    }
  }

  /** As the committer's. */
  async commit(): Promise<void> {
    try {
      await this.committer.commit()
    } catch (error) {
      this.#found = undefined // so are the documents that it was about
      throw asStoreError(this.database.path, error)
    }
  }

  #lastFound(): Promise<Pick<DatabaseListing, 'orphans' | 'doubts'>> {
    return (this.#found ??= listDatabase(this.database, this.committer.unfinished).catch((error: unknown) => {
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

const NO_RIGHT: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS'])

const refused = (run: number, database: string, cause: unknown): ArchiverError =>
  new ArchiverError(
    'STORE_REFUSED',
    `run ${run} is in ${database}, which may not be written: ${messageOf(cause)}`,
    { run, cause, hint: 'its record has changed since: let the archiver write there, then retry the run' },
  )
