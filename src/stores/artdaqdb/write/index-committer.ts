import { counted } from '../../../common/counted.ts'
import type { Warn } from '../../../common/warnings.ts'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiverError, errnoOf } from '../../../errors.ts'
import { step, syncDirectory } from '../../../platform/atomic-file.ts'
import type { Collection } from '../index/collection.ts'
import type { IndexFacts } from '../../store.ts'
import type { Database } from '../index/database.ts'
import { COMMIT_MARK } from '../names.ts'
import { keptAs } from '../index/damaged-index-backup.ts'
import { withDatabaseLock } from '../index/lock.ts'
import { asideName, sortOut } from './concurrent-writers.ts'
import { sweep } from './write-files.ts'

/** Documents of a run that are on disk and wait for their place in the index. */
export interface Waiting {
  readonly run: number
  readonly documents: readonly { readonly collection: string; readonly facts: IndexFacts }[]
  /** Documents of ours that never counted, to be moved out of the collection before an index is rebuilt from them. */
  readonly setAside: readonly Aside[]
  /** Documents of the run that the indexes gave it when this was put: whatever else they give it by now, another process has stored meanwhile. */
  readonly seen: ReadonlySet<string>
}

interface Aside {
  readonly collection: string
  readonly oid: string
}

export interface CommitterOptions {
  readonly now: () => number
  readonly lockWaitSeconds?: number
  /** Hears what is set aside or written again. */
  readonly warn?: Warn | undefined
}

/** A commit is worth its cost when the work since the last one took nine times as long: then it is a tenth of the time. */
const SHARE = 9
const SHORTEST_MS = 250
/** What the first commit may cost, for each document in the indexes. */
const DOCUMENT_MS = 0.001
const LONGEST_MS = 120_000
/** What waits is kept in memory, about a kilobyte a document: so many are committed whatever it costs. */
const MOST_DOCUMENTS = 50_000

/**
 * Gathers what was written and gives it its place in the indexes, all at once, under the database's lock: whatever the
 * number of runs, each index is read at most once (if somebody else wrote it) and written once. SystemLayout comes
 * last, because a run counts once its `schema` stands in that index: a crash in between leaves runs incomplete, never wrong.
 * What another process stored of the same run meanwhile counts, ours does not: a run is never there twice.
 */
export class Committer {
  readonly #database: Database
  readonly #options: CommitterOptions
  readonly #unfinished = new Set<string>()
  #waiting: Waiting[] = []
  /** How many documents `#waiting` has. */
  #documents = 0
  #since: number | undefined
  #cost: number | undefined

  #warn(message: string): void {
    this.#options.warn?.(message)
  }

  constructor(database: Database, options: CommitterOptions) {
    this.#database = database
    this.#options = options
  }

  /** Oids that this process has written, or is writing, and has not committed. */
  get unfinished(): ReadonlySet<string> {
    return this.#unfinished
  }

  begin(oid: string): void {
    this.#unfinished.add(oid)
  }

  /** What a failed put has written is an orphan like any other. */
  abandon(oids: Iterable<string>): void {
    for (const oid of oids) this.#unfinished.delete(oid)
  }

  add(waiting: Waiting): void {
    this.#since ??= this.#options.now()
    this.#waiting.push(waiting)
    this.#documents += waiting.documents.length
    for (const { facts } of waiting.documents) this.#unfinished.add(facts.oid)
  }

  waiting(run: number): readonly Waiting[] {
    return this.#waiting.filter((one) => one.run === run)
  }

  /** True when another commit costs little against the work that it makes durable, so that indexes stay a tenth of the time; or when much waits. */
  due(): boolean {
    if (this.#since === undefined) return false
    if (this.#documents >= MOST_DOCUMENTS) return true
    const cost = this.#cost ?? DOCUMENT_MS * this.#database.indexed
    const wait = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, SHARE * cost))
    return this.#options.now() - this.#since >= wait
  }

  /** Makes all that was added count. When it throws, nothing is known of it, and the documents are taken over by the next put. */
  async commit(): Promise<void> {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    this.#documents = 0
    this.#since = undefined
    const began = this.#options.now()
    try {
      await withDatabaseLock(this.#database.path, this.#options.lockWaitSeconds ?? 60, () =>
        this.#write(waiting),
      )
    } finally {
      for (const { documents } of waiting)
        for (const { facts } of documents) this.#unfinished.delete(facts.oid)
      this.#cost = Math.max(0, this.#options.now() - began)
    }
  }

  async #write(waiting: readonly Waiting[]): Promise<void> {
    const names = await sweep(this.#database.path, this.#options.now())
    const { ours, theirs, lost } = await sortOut(this.#database, waiting, new Set(names))
    await this.#moveAside([...ours.flatMap(({ setAside }) => setAside), ...theirs])
    await this.#writeIndexes(ours)
    if (lost.length > 0)
      throw new ArchiverError(
        'STORE_UNAVAILABLE',
        `another process has stored run ${lost.join(', ')} in ${this.#database.path} meanwhile, and not as it was read here, or has moved it`,
        { hint: 'the next pass compares what is there; one archiver for each database is enough' },
      )
  }

  async #writeIndexes(waiting: readonly Waiting[]): Promise<void> {
    const additions = new Map<string, IndexFacts[]>()
    for (const { collection, facts } of waiting.flatMap(({ documents }) => documents)) {
      const known = additions.get(collection)
      if (known) known.push(facts)
      else additions.set(collection, [facts])
    }
    const collections = (await this.#database.collections()).toSorted(markLast)
    for (const name of additions.keys())
      if (!collections.some((one) => one.name === name)) throw goneAway(this.#database.path, name)
    // The documents' names first, in every collection: an index may only name what a power cut cannot take away.
    for (const { name, path } of collections) if (additions.has(name)) await syncDirectory(path)
    step('artdaq-commit: documents durable')
    for (const collection of collections) {
      const { index, damage } = await collection.index()
      const added = additions.get(collection.name)
      if (!added && damage === undefined) continue
      const kept = damage === undefined ? undefined : keptAs(collection, this.#options.now())
      await collection.writeIndex(index.plus(added ?? []), kept)
      step('artdaq-commit: index written')
      if (kept !== undefined)
        this.#warn(
          `the index of ${collection.path} was damaged (${damage ?? ''}): it is kept as ${join(this.#database.path, kept)}, and written again from the documents`,
        )
    }
  }

  /** Another process may have taken a document over, so that the index names it now, or have moved it itself. */
  async #moveAside(documents: readonly Aside[]): Promise<void> {
    const moved: string[] = []
    for (const { collection: name, oid } of documents) {
      const collection = this.#database.collection(name)
      const { index, damage } = await collection.index()
      if (damage === undefined && index.ouid.has(oid)) continue
      const aside = asideName(name, oid)
      try {
        await rename(collection.documentPath(oid), join(this.#database.path, aside))
        moved.push(aside)
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
      }
      if (damage !== undefined) collection.forget() // it was rebuilt from what stood there
    }
    if (moved.length > 0)
      this.#warn(
        `${this.#database.path}: ${counted(moved.length, 'document')} of no version of its run, as a killed pass leaves them: kept there as ${moved.slice(0, 3).join(', ')}${moved.length > 3 ? ' ...' : ''}`,
      )
  }
}

const goneAway = (database: string, collection: string): ArchiverError =>
  new ArchiverError(
    'STORE_UNAVAILABLE',
    `artdaqDB ${database}: the collection ${collection} is no longer there`,
    {
      hint: 'a disk that is not mounted any more? What was to be committed counts as not stored.',
    },
  )

const markLast = (a: Collection, b: Collection): number =>
  Number(a.name === COMMIT_MARK) - Number(b.name === COMMIT_MARK)
