import type { IndexFacts } from '../../store.ts'
import { SortedList } from './sorted-list.ts'

/** The sections of an index that lead from names to lists, in artdaq's order; `ouid` stands before them. */
export const SECTIONS = [
  'version',
  'configurations.name',
  'entities.name',
  'aliases.active.name',
  'runs.name',
  'configurations.assigned',
] as const

export type Section = (typeof SECTIONS)[number]
export type Names = ReadonlyMap<string, SortedList>
type Sections = Readonly<Record<Section, Names>>

/**
 * The search index of one collection: a value, never changed, so that a commit that fails leaves what was
 * known before. Names keep the order in which they came, also such as look like numbers.
 */
export class CollectionIndex {
  static readonly EMPTY = new CollectionIndex(SortedList.EMPTY, emptySections())
  readonly ouid: SortedList
  readonly #sections: Sections

  constructor(ouid: SortedList, sections: Sections) {
    this.ouid = ouid
    this.#sections = sections
  }

  section(name: Section): Names {
    return this.#sections[name]
  }

  /** The list of a name; empty where the name is not known. */
  list(section: Section, name: string): SortedList {
    return this.#sections[section].get(name) ?? SortedList.EMPTY
  }

  /** The index with these documents added by artdaq's rule. Nothing is ever removed, and nothing counts twice. */
  plus(documents: Iterable<IndexFacts>): CollectionIndex {
    const oids: string[] = []
    const additions = new Map<Section, Map<string, string[]>>(SECTIONS.map((section) => [section, new Map()]))
    const add = (section: Section, name: string, item: string): void => {
      const names = additions.get(section)
      const items = names?.get(name)
      if (items) items.push(item)
      else names?.set(name, [item])
    }
    for (const { oid, version, configurations, entities, aliases, runs } of documents) {
      oids.push(oid)
      add('version', version, oid)
      for (const { name, assigned } of configurations) {
        add('configurations.name', name, oid)
        add('configurations.assigned', name, assigned)
      }
      for (const name of entities) add('entities.name', name, oid)
      for (const name of aliases) add('aliases.active.name', name, oid)
      for (const name of runs) add('runs.name', name, oid)
    }
    if (oids.length === 0) return this
    const grown = (section: Section): Names => {
      const names = new Map(this.#sections[section])
      for (const [name, items] of additions.get(section) ?? [])
        names.set(name, (names.get(name) ?? SortedList.EMPTY).with(items))
      return names
    }
    return new CollectionIndex(this.ouid.with(oids), everySection(grown))
  }

  /** The index without these documents, and without the names that no other document bears. For documents that have moved to another database. */
  minus(oids: ReadonlySet<string>): CollectionIndex {
    const configurations = shrunk(this.#sections['configurations.name'], oids)
    return new CollectionIndex(
      this.ouid.without(oids),
      everySection((section) => {
        if (section === 'configurations.name') return configurations
        const names = this.#sections[section]
        // This one leads to times, not to documents.
        if (section === 'configurations.assigned')
          return new Map([...names].filter(([name]) => configurations.has(name)))
        return shrunk(names, oids)
      }),
    )
  }
}

const shrunk = (names: Names, oids: ReadonlySet<string>): Names => {
  const left = new Map<string, SortedList>()
  for (const [name, list] of names) {
    const rest = list.without(oids)
    if (rest.size > 0) left.set(name, rest)
  }
  return left
}

export function everySection(names: (section: Section) => Names): Sections {
  return {
    version: names('version'),
    'configurations.name': names('configurations.name'),
    'entities.name': names('entities.name'),
    'aliases.active.name': names('aliases.active.name'),
    'runs.name': names('runs.name'),
    'configurations.assigned': names('configurations.assigned'),
  }
}

function emptySections(): Sections {
  return everySection(() => new Map())
}
