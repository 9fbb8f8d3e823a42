import { ArchiverError } from '../../../errors.ts'
import type { IndexFacts } from '../../store.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import { prove } from '../format/proof.ts'
import type { Collection } from '../index/collection.ts'
import type { Database } from '../index/database.ts'
import { asIndexed } from '../index/index-differences.ts'
import { indexedRuns } from '../index/run-index.ts'
import { runOf } from '../names.ts'
import { readRun } from '../read/read-run.ts'

/** A run that stays where it is. */
export interface Left {
  readonly run: number
  readonly reason: string
}

/** A document of a run that is moved, as its index names it. */
export interface Moving {
  readonly run: number
  readonly collection: string
  readonly facts: IndexFacts
}

/** All documents of runs that their indexes name, each proved; and the runs of which one is damaged, or is another run's too. */
export async function provedDocuments(
  source: Database,
  runs: readonly number[],
): Promise<{ readonly documents: readonly Moving[]; readonly refused: readonly Left[] }> {
  const documents: Moving[] = []
  const refused: Left[] = []
  for (const run of runs)
    try {
      await readRun(source, run)
      const ofRun: Moving[] = []
      for (const collection of await source.collections())
        for (const oid of oidsOf((await collection.index()).index, run))
          ofRun.push({ run, collection: collection.name, facts: await factsIn(collection, oid, run) })
      documents.push(...ofRun)
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.code === 'STORE_UNAVAILABLE') throw error
      refused.push({ run, reason: error.message })
    }
  return { documents, refused }
}

/** What an index says of a document that is sound. Throws STORE_CORRUPT, and STORE_REFUSED where it is another run's too. */
async function factsIn(collection: Collection, oid: string, run: number): Promise<IndexFacts> {
  const { index } = await collection.index()
  const stored = await collection.document(oid)
  prove(stored)
  const said = asIndexed(stored)
  const others = said.configurations.map(({ name }) => runOf(name)).filter((one) => one !== run)
  if (others.length > 0)
    throw new ArchiverError('STORE_REFUSED', `${stored.path} is a document of another configuration too`)
  const named = (section: 'entities.name' | 'aliases.active.name' | 'runs.name', names: readonly string[]) =>
    names.filter((name) => index.list(section, name).has(oid))
  return {
    oid,
    version: said.version,
    configurations: said.configurations
      .filter(({ name }) => index.list('configurations.name', name).has(oid))
      .flatMap(({ name, assigned }) => {
        const { items } = index.list('configurations.assigned', name)
        return (items.length > 0 ? items : [assigned]).map((one) => ({ name, assigned: one }))
      }),
    entities: named('entities.name', said.entities),
    aliases: named('aliases.active.name', said.aliases),
    runs: named('runs.name', said.runs),
  }
}

/** Documents that an index names for a run, by its configurations or its number. */
export const oidsOf = (index: CollectionIndex, run: number): readonly string[] => [
  ...new Set([
    ...indexedRuns(index)
      .configurationsOf(run)
      .flatMap((name) => index.list('configurations.name', name).items),
    ...index.list('runs.name', String(run)).items,
  ]),
]

/** Runs that another process has stored again since their documents were looked at. */
export async function runsThatChanged(
  source: Database,
  documents: readonly Moving[],
): Promise<ReadonlySet<number>> {
  const known = new Map<number, Set<string>>()
  for (const { run, collection, facts } of documents)
    known.set(run, (known.get(run) ?? new Set()).add(`${collection}/${facts.oid}`))
  const changed = new Set<number>()
  for (const collection of await source.collections()) {
    const { index } = await collection.index()
    for (const [run, oids] of known)
      if (oidsOf(index, run).some((oid) => !oids.has(`${collection.name}/${oid}`))) changed.add(run)
  }
  return changed
}
