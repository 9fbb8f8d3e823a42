import type { CollectionIndex } from '../format/search-index.ts'
import type { Section } from '../../index-data.ts'
import { newest, newestConfiguration } from './run-documents.ts'
import { runNumber, runOf } from '../names.ts'
import { indexedRuns } from './run-index.ts'

/**
 * The runs that cannot be read because of documents of an index that are not on disk: where the one that is gone is what a reader is given,
 * the newest of its entity in the configuration that counts. One behind it is history. `indexes`: those of all collections.
 */
export function runsLacking(
  index: CollectionIndex,
  missing: ReadonlySet<string>,
  indexes: readonly CollectionIndex[],
): ReadonlySet<number> {
  const runs = new Set<number>()
  if (missing.size === 0) return runs
  const named = new Set<string>()
  const hit: { readonly run: number; readonly oids: readonly string[] }[] = []
  for (const [name, { items }] of index.section('configurations.name')) {
    const run = runOf(name)
    if (run === undefined || !items.some((oid) => missing.has(oid))) continue
    for (const oid of items) named.add(oid)
    if (countingConfiguration(run, indexes) === name) hit.push({ run, oids: items })
  }
  for (const [name, { items }] of index.section('runs.name')) {
    const run = runNumber(name)
    // Of a document without a configuration it is not known whether it counts.
    if (run !== undefined && items.some((oid) => missing.has(oid) && !named.has(oid))) runs.add(run)
  }
  const versions = namesOf(index, 'version', named)
  const entities = namesOf(index, 'entities.name', named)
  for (const { run, oids } of hit) {
    const documents = oids.map((oid) => ({ oid, version: versions.get(oid)?.toSorted().at(-1) ?? '' }))
    const newestOf = (entity: string): string | undefined =>
      newest(documents.filter(({ oid }) => entities.get(oid)?.includes(entity)))?.oid
    const isLacking = (oid: string): boolean =>
      missing.has(oid) && (entities.get(oid)?.some((entity) => newestOf(entity) === oid) ?? true)
    if (oids.some(isLacking)) runs.add(run)
  }
  return runs
}

const countingConfiguration = (run: number, indexes: readonly CollectionIndex[]): string | undefined =>
  newestConfiguration(new Set(indexes.flatMap((index) => indexedRuns(index).configurationsOf(run))), indexes)

/** The names under which a section has each of some documents. One walk over the section, however many they are. */
function namesOf(
  index: CollectionIndex,
  section: Section,
  oids: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const [name, { items }] of index.section(section))
    for (const oid of items) if (oids.has(oid)) found.set(oid, [...(found.get(oid) ?? []), name])
  return found
}
