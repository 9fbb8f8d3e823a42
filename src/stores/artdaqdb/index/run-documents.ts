import type { Collection } from './collection.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import { timeOf } from '../format/timestamp.ts'
import type { Stored } from '../format/document-reader.ts'

/** A document that a database holds for a run. */
export interface Held {
  readonly collection: Collection
  readonly oid: string
  readonly version: string
  readonly entities: readonly string[]
  /** Missing: the index knows it, and no file is there. */
  readonly stored: Stored | undefined
  /** False for an orphan: on disk, and not in the index. */
  readonly indexed: boolean
}

/** The entities under which an index knows a document. */
const entitiesOf = (index: CollectionIndex, oid: string): readonly string[] => {
  const number = index.documents.find(oid)
  return number === undefined ? [] : entityTable(index).of(number)
}

const entityTable = (index: CollectionIndex): EntityTable => {
  const table = TABLES.get(index) ?? new EntityTable(index)
  TABLES.set(index, table)
  return table
}

const TABLES = new WeakMap<CollectionIndex, EntityTable>()

/** The entities of all documents, made once for an index. Most have one: four bytes for each. */
class EntityTable {
  readonly #names: readonly string[]
  /** By document: the place of its first entity in `#names`, and one more. */
  readonly #first: Uint32Array
  readonly #more = new Map<number, string[]>()

  constructor(index: CollectionIndex) {
    const lists = [...index.section('entities.name')]
    this.#names = lists.map(([name]) => name)
    this.#first = new Uint32Array(index.documents.size)
    for (const [place, [name, { numbers }]] of lists.entries())
      for (const number of numbers)
        if (this.#first[number] === 0) this.#first[number] = place + 1
        else this.#more.set(number, [...(this.#more.get(number) ?? []), name])
  }

  of(number: number): readonly string[] {
    const first = this.#names[(this.#first[number] ?? 0) - 1]
    return first === undefined ? [] : [first, ...(this.#more.get(number) ?? [])]
  }
}

/** The version under which an index knows a document. A look at every version: for documents that cannot say it themselves. */
function versionOf(index: CollectionIndex, oid: string): string {
  let greatest = ''
  for (const [version, list] of index.section('version'))
    if (version > greatest && list.has(oid)) greatest = version
  return greatest
}

/**
 * The document that a reader is given of several: the one of the greatest version, compared as text; of equal versions
 * the one with the smallest oid.
 */
export function newest<T extends { readonly version: string; readonly oid: string }>(
  documents: Iterable<T>,
): T | undefined {
  let best: T | undefined
  for (const document of documents)
    if (
      !best ||
      document.version > best.version ||
      (document.version === best.version && document.oid < best.oid)
    )
      best = document
  return best
}

/** Opens a document; undefined where no file is there. */
export type Open = (collection: Collection, oid: string) => Promise<Stored | undefined>

/** A large one in pieces, so that of its files and itself only the files are ever there in whole. For who only reads. */
export const openInPieces: Open = (collection, oid) => collection.openInPieces(oid)

const inWhole: Open = (collection, oid) => collection.find(oid)

/** What an index gives a configuration, read from disk; documents that are gone are there without their content. `known`: what the index says of the run. */
export async function heldOf(
  collection: Collection,
  configuration: string,
  open = inWhole,
  known?: CollectionIndex,
): Promise<readonly Held[]> {
  const index = known ?? (await collection.index()).index
  const { items } = index.list('configurations.name', configuration)
  if (items.length === 0) return []
  return await Promise.all(
    items.map(async (oid) => {
      const stored = await open(collection, oid)
      const version = countingVersion(index, oid, stored?.facts.version)
      return { collection, oid, version, entities: entitiesOf(index, oid), stored, indexed: true }
    }),
  )
}

/**
 * The greater of the versions that a document and the index say: where another document stands in the place of an update, the run must not be read as
 * it was before, and the proof of what stands there fails.
 */
function countingVersion(index: CollectionIndex, oid: string, said = ''): string {
  if (index.list('version', said).has(oid)) return said
  const indexed = versionOf(index, oid)
  return indexed > said ? indexed : said
}

/** An orphan, or a document that this process has not committed yet, by what it says of itself. */
export const heldAs = (collection: Collection, stored: Stored, indexed: boolean): Held => ({
  collection,
  oid: stored.facts.oid,
  version: stored.facts.version,
  entities: stored.facts.entities,
  stored,
  indexed,
})

/** The configuration that counts where a run has several: the one assigned last, by its newest stamp. */
export function newestConfiguration(
  configurations: Iterable<string>,
  indexes: readonly CollectionIndex[],
): string | undefined {
  let best: { name: string; time: number } | undefined
  for (const name of [...configurations].sort()) {
    const stamps = indexes.flatMap((index) => index.list('configurations.assigned', name).items)
    const time = Math.max(0, ...stamps.map(timeOf))
    if (!best || time > best.time) best = { name, time }
  }
  return best?.name
}
