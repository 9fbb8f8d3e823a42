import type { IndexFacts } from '../../store.ts'
import { type IndexData, type Section } from '../../index-data.ts'
import { ItemList } from './item-list.ts'
import { NameLists } from './name-lists.ts'
import { numbersTo, StringTable } from './string-table.ts'

export type Sections = Readonly<Record<Section, NameLists>>

/** This section leads to times, the others to documents. */
export const STAMPS = 'configurations.assigned'

/** What the lists of an index are made of, beside its sections. */
export interface Items {
  /** Every document that a list names. */
  readonly documents: StringTable
  readonly stamps: StringTable
  /** The documents that the index knows. */
  readonly ouid: Uint32Array
}

/**
 * The search index of one collection: a value, never changed, so that a commit that fails leaves what was
 * known before. Names keep the order in which they came, also such as look like numbers. How it is kept in memory: docs/FORMATS.md, "The index".
 */
export class CollectionIndex {
  static readonly EMPTY = CollectionIndex.of(
    { documents: StringTable.EMPTY, stamps: StringTable.EMPTY, ouid: new Uint32Array(0) },
    everySection(() => NameLists.from(StringTable.EMPTY, [])),
  )
  readonly ouid: ItemList
  readonly #items: Items
  readonly #sections: Sections

  private constructor(items: Items, sections: Sections) {
    this.ouid = new ItemList(items.documents, items.ouid)
    this.#items = items
    this.#sections = sections
  }

  /** `sections`: numbers of `documents`; those of `configurations.assigned`, of `stamps`. */
  static of(items: Items, sections: Sections): CollectionIndex {
    const model = sections['configurations.name']
    return new CollectionIndex(
      items,
      everySection((section) => (sections[section] === model ? model : sections[section].sharing(model))),
    )
  }

  static ofData({ documents, stamps, ouid, sections }: IndexData): CollectionIndex {
    const items = { documents: StringTable.ofData(documents), stamps: StringTable.ofData(stamps), ouid }
    return new CollectionIndex(
      items,
      everySection((section) =>
        NameLists.ofData(section === STAMPS ? items.stamps : items.documents, sections[section]),
      ),
    )
  }

  get data(): IndexData {
    const { documents, stamps, ouid } = this.#items
    return {
      documents: documents.data,
      stamps: stamps.data,
      ouid,
      sections: everySection((section) => this.#sections[section].data),
    }
  }

  section(name: Section): NameLists {
    return this.#sections[name]
  }

  /** The list of a name; empty where the name is not known. */
  list(section: Section, name: string): ItemList {
    return this.#sections[section].get(name) ?? ItemList.EMPTY
  }

  /** Every document that a list names, whether or not the index knows it. */
  get documents(): StringTable {
    return this.#items.documents
  }

  /** The index with these documents added by artdaq's rule. Nothing is ever removed, and nothing counts twice. */
  plus(facts: Iterable<IndexFacts>): CollectionIndex {
    const added = [...facts]
    if (added.length === 0) return this
    const documents = this.#items.documents.with(added.map(({ oid }) => oid))
    const stamps = this.#items.stamps.with(
      added.flatMap(({ configurations }) => configurations.map(({ assigned }) => assigned)),
    )
    const additions = additionsOf(added, documents.numbers, stamps.numbers)
    const isKnown = new Uint8Array(documents.table.size)
    for (const number of this.#items.ouid) isKnown[documents.moved[number] ?? 0] = 1
    for (const number of documents.numbers) isKnown[number] = 1
    const ouid = numbersTo(documents.table.size).filter((number) => isKnown[number] === 1)
    return CollectionIndex.of(
      { documents: documents.table, stamps: stamps.table, ouid },
      everySection((section) => {
        const { table, moved } = section === STAMPS ? stamps : documents
        return this.#sections[section].with(table, moved, additions[section])
      }),
    )
  }

  /** The index without these documents, and without the names that no other document bears. For documents that have moved to another database. */
  minus(oids: ReadonlySet<string>): CollectionIndex {
    const gone = new Set([...oids].map((oid) => this.#items.documents.find(oid)))
    const isKept = (number: number): boolean => !gone.has(number)
    const configurations = this.#sections['configurations.name'].withItems(isKept)
    return CollectionIndex.of(
      { ...this.#items, ouid: this.#items.ouid.filter(isKept) },
      everySection((section) => {
        if (section === 'configurations.name') return configurations
        const names = this.#sections[section]
        return section === STAMPS
          ? names.withNames((name) => configurations.has(name))
          : names.withItems(isKept)
      }),
    )
  }
}

type Additions = Readonly<Record<Section, Map<string, number[]>>>

/** `documents`: the number of each; `stamps`: those of their configurations, in the same order. */
function additionsOf(facts: readonly IndexFacts[], documents: Uint32Array, stamps: Uint32Array): Additions {
  const additions = everySection(() => new Map<string, number[]>())
  const add = (section: Section, name: string, number: number): void => {
    const numbers = additions[section].get(name)
    if (numbers) numbers.push(number)
    else additions[section].set(name, [number])
  }
  let stamp = 0
  for (const [position, { version, configurations, entities, aliases, runs }] of facts.entries()) {
    const number = documents[position] ?? 0
    add('version', version, number)
    for (const { name } of configurations) {
      add('configurations.name', name, number)
      add(STAMPS, name, stamps[stamp++] ?? 0)
    }
    for (const name of entities) add('entities.name', name, number)
    for (const name of aliases) add('aliases.active.name', name, number)
    for (const name of runs) add('runs.name', name, number)
  }
  return additions
}

export function everySection<T>(make: (section: Section) => T): Readonly<Record<Section, T>> {
  return {
    version: make('version'),
    'configurations.name': make('configurations.name'),
    'entities.name': make('entities.name'),
    'aliases.active.name': make('aliases.active.name'),
    'runs.name': make('runs.name'),
    'configurations.assigned': make('configurations.assigned'),
  }
}
