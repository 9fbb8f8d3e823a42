import type { Collection } from './collection.ts'
import type { CollectionIndex } from './collection-index.ts'
import { updatedBy } from './names.ts'
import { timeOf } from './stamp.ts'
import type { Stored } from './stored-document.ts'

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

/** The version and the entities under which an index knows some documents. */
export function indexed(
  index: CollectionIndex,
  oids: readonly string[],
  versions: Iterable<string>,
): readonly Pick<Held, 'oid' | 'version' | 'entities'>[] {
  const namesOf = (section: 'version' | 'entities.name', among: Iterable<string>): Map<string, string[]> => {
    const found = new Map<string, string[]>(oids.map((oid) => [oid, []]))
    for (const name of among) {
      const list = index.list(section, name)
      for (const oid of oids) if (list.has(oid)) found.get(oid)?.push(name)
    }
    return found
  }
  const entities = namesOf('entities.name', index.section('entities.name').keys())
  const byVersion = namesOf('version', versions)
  return oids.map((oid) => ({
    oid,
    version: byVersion.get(oid)?.at(-1) ?? '',
    entities: entities.get(oid) ?? [],
  }))
}

/** The versions of an index that belong to a configuration: its own name, and its updates. */
export const versionsOf = (index: CollectionIndex, configuration: string): readonly string[] => {
  let versions = VERSIONS.get(index)
  if (!versions) {
    versions = versionsByConfiguration(index)
    VERSIONS.set(index, versions)
  }
  return versions.get(configuration) ?? []
}

/** Derived once for each index, which never changes: to look through all versions for each run would be quadratic. */
const VERSIONS = new WeakMap<CollectionIndex, ReadonlyMap<string, readonly string[]>>()

function versionsByConfiguration(index: CollectionIndex): ReadonlyMap<string, readonly string[]> {
  const versions = new Map<string, string[]>()
  const add = (configuration: string, version: string): void => {
    const known = versions.get(configuration)
    if (known) known.push(version)
    else versions.set(configuration, [version])
  }
  for (const version of index.section('version').keys()) {
    add(version, version)
    const configuration = updatedBy(version)
    if (configuration !== undefined) add(configuration, version)
  }
  return versions
}

/**
 * The document that a reader is given of several: the one of the greatest version, compared as text; of equal versions
 * the one with the smallest oid (spec section 3.3).
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

/** What an index gives a configuration, read from disk; documents that are gone are there without their content. */
export async function heldOf(collection: Collection, configuration: string): Promise<readonly Held[]> {
  const { index } = await collection.index()
  const { items } = index.list('configurations.name', configuration)
  if (items.length === 0) return []
  const named = indexed(index, items, versionsOf(index, configuration))
  return await Promise.all(
    named.map(async (one) => ({ ...one, collection, stored: await collection.find(one.oid), indexed: true })),
  )
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

/** The configuration that counts where a run has several (D52): the one assigned last, by its newest stamp. */
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
