import type { IndexFacts } from '../../store.ts'
import { type Stored } from '../format/document-reader.ts'
import { shownName } from '../format/index-names.ts'
import type { CollectionIndex } from '../format/search-index.ts'
import { indexedRuns } from './run-index.ts'

/** What of a document's own words the index does not repeat; nothing for a document that is listed in full. */
export function unlisted(index: CollectionIndex, facts: IndexFacts): readonly string[] {
  const number = index.documents.find(facts.oid)
  const lost: string[] = []
  for (const section of SECTIONS)
    for (const name of namesIn(section, facts))
      if (number === undefined || !index.list(section, name).hasNumber(number))
        lost.push(`${section} ${shownName(name)}`)
  return lost
}

/** What an index may say of a document: what it says of itself, and the names that artdaq's tools have taken from it, which an index keeps. */
export const asIndexed = (stored: Stored): IndexFacts => {
  const { facts } = stored
  return {
    ...facts,
    configurations: [
      ...facts.configurations,
      ...stored.removed('removeConfiguration').map((name) => ({ name, assigned: '' })),
    ],
    entities: [...facts.entities, ...stored.removed('removeEntity')],
    aliases: [...facts.aliases, ...stored.removed('removeAlias')],
  }
}

/** What an index says of documents that these do not say. `said`: by oid, documents that were read; of others nothing is known. */
export function* surplus(index: CollectionIndex, said: ReadonlyMap<string, IndexFacts>): Generator<string> {
  for (const section of SECTIONS)
    for (const [name, { items }] of index.section(section))
      for (const oid of items) {
        const facts = said.get(oid)
        if (facts && !namesIn(section, facts).includes(name))
          yield `its ${section} ${shownName(name)} names ${oid}.json, which does not say so`
        if (!facts && !index.ouid.has(oid))
          yield `its ${section} ${shownName(name)} names ${oid}, which it does not list`
      }
  yield* surplusStamps(index, said)
}

/** Stamps decide which of several configurations of a run counts; elsewhere they are without effect, and documents that were written again have others. */
function* surplusStamps(index: CollectionIndex, said: ReadonlyMap<string, IndexFacts>): Generator<string> {
  const names = [...indexedRuns(index)].flatMap(([, names]) => (names.length > 1 ? names : []))
  for (const name of names) {
    const facts = index.list('configurations.name', name).items.map((oid) => said.get(oid))
    const known = new Set(facts.flatMap((one) => one?.configurations ?? []).map(({ assigned }) => assigned))
    // What artdaq's tools took away and gave again has stamps that no document says any more; of documents that are not known, nothing is.
    if (facts.includes(undefined) || known.has('')) continue
    for (const stamp of index.list('configurations.assigned', name).items)
      if (!known.has(stamp))
        yield `its configurations.assigned ${shownName(name)} has ${shownName(stamp)}, which no document says`
  }
}

const SECTIONS = [
  'version',
  'configurations.name',
  'entities.name',
  'aliases.active.name',
  'runs.name',
] as const

function namesIn(section: (typeof SECTIONS)[number], facts: IndexFacts): readonly string[] {
  switch (section) {
    case 'version':
      return [facts.version]
    case 'configurations.name':
      return facts.configurations.map(({ name }) => name)
    case 'entities.name':
      return facts.entities
    case 'aliases.active.name':
      return facts.aliases
    case 'runs.name':
      return facts.runs
  }
}
