import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../platform/make-folder.ts'
import { calls } from '../../../platform/fs-calls.ts'
import { requireNoLink, corrupt } from './one-document.ts'
import { isOfOneFileOrSector, readFile, readSmallFile } from '../../../platform/read-file.ts'
import { ArchiverError, errnoOf } from '../../../errors.ts'
import { KeptReading } from '../../../common/kept-reading.ts'
import { copyDurably, createFile, step, syncDirectory } from '../../../platform/atomic-file.ts'
import { CollectionIndex } from '../format/search-index.ts'
import { sharedIndexData } from '../format/shared-index.ts'
import { EMPTY_INDEX, parseIndex } from '../format/index-codec.ts'
import { indexText } from '../format/index-text.ts'
import { placeFiles } from '../write/write-files.ts'
import type { HeldIndex } from '../../index-data.ts'
import { readMany, type Unreadable } from '../read/many-documents.ts'
import { isLarge, LARGE, readInPieces } from '../read/large-document.ts'
import { COMMIT_MARK } from '../names.ts'
import { timeOf } from '../format/timestamp.ts'
import { readStored, type Stored } from '../format/document-reader.ts'
import { shownName } from '../format/index-names.ts'
import { type Difference, differenceOf } from './files-and-index.ts'
import { keyOfStatus, sameBytes, statKey, unavailable } from './store-errors.ts'

/** An index as it is used: read from its file, or rebuilt in memory because that was missing or damaged. */
export interface LoadedIndex {
  readonly index: CollectionIndex
  /** Why the index was rebuilt; undefined where the file is sound. */
  readonly damage: string | undefined
}

/** The versions of which a `schema` is there: of others, documents of ours never counted. Undefined where that is not known. */
export type Counting = ReadonlySet<string> | undefined

export const INDEX = 'index.json'

/**
 * One collection of a database: a directory of documents and their index. Reading never creates anything. What was read of
 * the index is kept, and read again when the file is another (a foreign writer came), which one `stat` shows.
 */
export class Collection {
  readonly name: string
  readonly path: string
  readonly #database: string
  readonly #counting: () => Promise<Counting>
  readonly #index = new KeptReading<LoadedIndex>()
  readonly #difference = new KeptReading<Difference>()
  /** The index that is held, as other threads were given it. */
  #shared: HeldIndex | undefined

  /** `counting`: asked where the index has to be made of the documents. */
  constructor(database: string, name: string, counting: () => Promise<Counting>) {
    this.#database = database
    this.#counting = counting
    this.name = name
    this.path = join(database, name)
  }

  /** How many documents the index knows, where it was read. */
  get indexed(): number {
    return this.#index.kept?.value.index.ouid.size ?? 0
  }

  async index(): Promise<LoadedIndex> {
    const key = await this.indexKey()
    return this.#index.of(key, () => this.#load(key))
  }

  /** Changes when the index is replaced; empty where there is none. One stat. */
  indexKey(): Promise<string> {
    return statKey(join(this.path, INDEX))
  }

  /** The index that is held, for other threads, and from now on in memory that they share; undefined where none is, or the file is damaged. */
  get held(): HeldIndex | undefined {
    const { kept } = this.#index
    if (!kept || kept.value.damage !== undefined) return undefined
    if (this.#shared?.key !== kept.key)
      this.hold({ name: this.name, key: kept.key, data: sharedIndexData(kept.value.index.data) })
    return this.#shared
  }

  /** Takes over what another thread has read of the index; it counts while the file is the same. */
  hold(held: HeldIndex): void {
    if (this.#shared?.key === held.key && this.heldKey === held.key) return
    this.#shared = held
    this.#index.keep(held.key, { index: CollectionIndex.ofData(held.data), damage: undefined })
  }

  /** Of the index that is held, where one is. */
  get heldKey(): string | undefined {
    return this.#index.kept?.key
  }

  /** Has the index read again, or rebuilt, when it is asked for. */
  forget(): void {
    this.#index.forget()
    this.#shared = undefined
  }

  /** Compares the directory with the index; the directory is read only when it or the index has changed since. */
  async difference(): Promise<Difference> {
    const key = await this.fingerprint()
    return this.#difference.of(key, async () => {
      const [{ index }, oids] = await Promise.all([this.index(), this.oids()])
      return differenceOf(index, oids)
    })
  }

  /** Changes when a document or the index comes, goes or is replaced. Two stats. */
  async fingerprint(): Promise<string> {
    return `${await statKey(this.path)} ${await this.indexKey()}`
  }

  /** The oids of all documents in the directory, in no particular order. Empty where the collection does not exist. */
  async oids(): Promise<readonly string[]> {
    const names = await calls.list(this.path).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return []
      throw unavailable(this.path, error)
    })
    return names.filter((name) => name !== INDEX && name.endsWith('.json')).map((name) => name.slice(0, -5))
  }

  /** Opens a document. Throws STORE_CORRUPT where it is missing or is none, naming the file. */
  async document(oid: string): Promise<Stored> {
    return (await this.find(oid)) ?? this.#missing(oid)
  }

  #missing(oid: string): never {
    throw new ArchiverError('STORE_CORRUPT', `${this.documentPath(oid)} is in the index and not on disk`)
  }

  /** As `document`; undefined where no file is there. */
  async find(oid: string): Promise<Stored | undefined> {
    const path = this.documentPath(oid)
    const bytes = await this.#reading(path, () => readFile(path))
    return bytes === undefined ? undefined : readStored(bytes, oid, path)
  }

  /** As `find`, of a large one without its attachments (`readInPieces`). */
  async openInPieces(oid: string): Promise<Stored | undefined> {
    const path = this.documentPath(oid)
    const bytes = await this.#reading(path, () => readSmallFile(path, LARGE))
    if (bytes === 'large') return (await readInPieces(path, oid)) ?? (await this.find(oid))
    return bytes === undefined ? undefined : readStored(bytes, oid, path)
  }

  /** What reading a document gives; undefined where no file is there. Throws STORE_CORRUPT where it cannot be read. */
  async #reading<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT')
        throw isOfOneFileOrSector(error) ? corrupt(path, error) : unavailable(path, error)
      await requireNoLink(path)
      return undefined
    }
  }

  documentPath(oid: string): string {
    return `${this.path}/${shownName(oid)}.json`
  }

  /** Makes the directory, and the empty index that says that nothing in it counts yet. One with documents is left alone. */
  async create(): Promise<void> {
    await makeFolder(this.path)
    if ((await this.indexKey()) !== '' || (await this.oids()).length > 0) return
    await placeFiles(this.#database, [{ path: join(this.path, INDEX), text: () => [EMPTY_INDEX] }])
    await syncDirectory(this.path)
  }

  /**
   * Replaces the index whole, for the holder of the database's lock. The old one is kept under `keepAs`, a plain file in the database, where that is given.
   * The new index stays in memory, unless another program has replaced the file by the end.
   */
  async writeIndex(index: CollectionIndex, keepAs?: string): Promise<void> {
    const path = join(this.path, INDEX)
    // A copy, so that there is an index at every instant: artdaq's tools would make an empty one of none. Where there is none, an empty file
    // remembers that the index was made anew.
    if (keepAs !== undefined)
      await copyDurably(path, join(this.#database, keepAs)).catch(async (error: unknown) => {
        if (errnoOf(error) !== 'ENOENT') throw error
        await createFile(join(this.#database, keepAs), '')
        await syncDirectory(this.#database)
      })
    step('artdaq-index: before it is written')
    const like = await stat(path).catch(() => undefined)
    let ours: BigIntStats | undefined
    const written = (status: BigIntStats): void => void (ours = status)
    await placeFiles(this.#database, [{ path, text: () => indexText(index), like, written }])
    step('artdaq-index: renamed')
    await syncDirectory(this.path)
    step('artdaq-index: directory synced')
    const found = await calls.statPath(path).catch(() => undefined)
    // artdaq's tools know of no lock: what they have put in its place since is read when it is asked for.
    const isOurs = found !== undefined && ours !== undefined && sameBytes(found, ours)
    if (isOurs) this.#index.keep(keyOfStatus(found), { index, damage: undefined })
    else this.#index.forget()
  }

  /** An index made from the documents alone, in the order in which they were made, without what never counted; and what could not be read. */
  async rebuilt(
    counting?: Counting,
  ): Promise<{ readonly index: CollectionIndex; readonly unreadable: readonly Unreadable[] }> {
    const { kept, unreadable } = await this.documents(await this.oids(), (document) => ({
      facts: document.facts,
      time: timeOf(document.created),
      counts: (counting?.has(document.facts.version) ?? true) || document.originals.text === undefined,
    }))
    const inOrder = kept
      .filter(({ counts }) => counts)
      .toSorted((a, b) => a.time - b.time || (a.facts.oid < b.facts.oid ? -1 : 1))
    return { index: CollectionIndex.EMPTY.plus(inOrder.map(({ facts }) => facts)), unreadable }
  }

  /** Reads many documents to their end and keeps of each what is asked for. Damaged ones are reported, not thrown. */
  documents<T>(
    oids: readonly string[],
    keep: (document: Stored) => T,
  ): Promise<{ readonly kept: readonly T[]; readonly unreadable: readonly Unreadable[] }> {
    return readMany(oids, keep, {
      // Only there do documents carry files; elsewhere the look at their size is saved.
      isLarge: async (oid) => this.name === COMMIT_MARK && (await isLarge(this.documentPath(oid))),
      open: (oid) => this.document(oid),
      openLarge: async (oid) => (await this.openInPieces(oid)) ?? this.#missing(oid),
    })
  }

  async #load(key: string): Promise<LoadedIndex> {
    const path = join(this.path, INDEX)
    if (key !== '') {
      try {
        return { index: parseIndex(await readFile(path), path), damage: undefined }
      } catch (error) {
        if (!(error instanceof ArchiverError)) throw unavailable(path, error)
        return await this.#rebuiltBecause(error.message)
      }
    }
    if ((await this.oids()).length === 0) return { index: CollectionIndex.EMPTY, damage: undefined }
    return await this.#rebuiltBecause(`${path} is missing`)
  }

  async #rebuiltBecause(problem: string): Promise<LoadedIndex> {
    const { index, unreadable } = await this.rebuilt(await this.#counting())
    return { index, damage: [problem, ...unreadable.map(({ message }) => message)].join('; ') }
  }
}
