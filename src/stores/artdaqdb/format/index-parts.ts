import { NameLists } from './name-lists.ts'
import { CollectionIndex, everySection, STAMPS } from './search-index.ts'
import { type Section } from '../../index-data.ts'
import { StringFinder } from './string-finder.ts'
import { numbersTo, StringTable } from './string-table.ts'

/** An index while it is read: lists of items in any order, repeated or not, section by section. */
export class IndexParts {
  readonly #documents: ItemNumbers
  readonly #stamps = new ItemNumbers(StringTable.EMPTY)
  readonly #known: number
  readonly #lists = everySection(() => new Lists())

  /** `known`: the documents that the index knows. */
  constructor(known: StringTable) {
    this.#documents = new ItemNumbers(known)
    this.#known = this.#documents.size
  }

  /** Adds an item to the list of a section that is being read: the bytes from one place to before another. */
  add(section: Section, bytes: Buffer, from: number, to: number): void {
    const items = section === STAMPS ? this.#stamps : this.#documents
    this.#lists[section].add(items.numberOf(bytes, from, to))
  }

  /** Adds the items of a list of another section, by its position there. Both are sections of documents. */
  repeat(section: Section, other: Section, position: number): void {
    this.#lists[section].repeat(this.#lists[other], position)
  }

  /** Ends the list that is being read. A section has a name once. */
  end(section: Section, name: string): void {
    this.#lists[section].end(name)
  }

  index(): CollectionIndex {
    const [documents, stamps] = [this.#documents.sorted(), this.#stamps.sorted()]
    return CollectionIndex.of(
      {
        documents: documents.table,
        stamps: stamps.table,
        ouid: numbersTo(this.#known).map((number) => documents.places[number] ?? 0),
      },
      everySection((section) => this.#lists[section].sorted(section === STAMPS ? stamps : documents)),
    )
  }
}

interface Sorted {
  readonly table: StringTable
  /** Where each number stands in the table. */
  readonly places: Uint32Array
}

/** Numbers of items, as they come. */
class ItemNumbers {
  readonly #known: StringTable
  readonly #finder: StringFinder
  /** In an index that is sound there are none but stamps. */
  readonly #others = new Map<string, number>()

  constructor(known: StringTable) {
    this.#known = known
    this.#finder = new StringFinder(known)
  }

  get size(): number {
    return this.#known.size + this.#others.size
  }

  numberOf(bytes: Buffer, from: number, to: number): number {
    const known = this.#finder.find(bytes, from, to)
    if (known !== undefined) return known
    const text = bytes.toString('latin1', from, to)
    const number = this.#others.get(text) ?? this.size
    this.#others.set(text, number)
    return number
  }

  sorted(): Sorted {
    const { table, moved, numbers } = this.#known.with([...this.#others.keys()])
    const places = new Uint32Array(this.size)
    places.set(moved)
    places.set(numbers, moved.length)
    return { table, places }
  }
}

/** The lists of a section, one after another. */
class Lists {
  #items = new Uint32Array(64)
  #size = 0
  readonly #names: string[] = []
  readonly #ends: number[] = []

  add(item: number): void {
    if (this.#size === this.#items.length) {
      const larger = new Uint32Array(2 * this.#size)
      larger.set(this.#items)
      this.#items = larger
    }
    this.#items[this.#size++] = item
  }

  repeat(other: Lists, position: number): void {
    const to = other.#ends[position] ?? 0
    for (let i = other.#ends[position - 1] ?? 0; i < to; i++) this.add(other.#items[i] ?? 0)
  }

  end(name: string): void {
    this.#names.push(name)
    this.#ends.push(this.#size)
  }

  sorted({ table, places }: Sorted): NameLists {
    const items = this.#items
    let size = 0
    let from = 0
    const ends = this.#ends.map((to) => {
      const first = size
      let isSorted = true
      for (; from < to; from++) {
        const item = places[items[from] ?? 0] ?? 0
        isSorted &&= size === first || (items[size - 1] ?? 0) < item
        items[size++] = item
      }
      if (!isSorted) size = first + sortUnique(items.subarray(first, size))
      return size
    })
    return NameLists.of(table, this.#names, ends, items.subarray(0, size))
  }
}

/** Sorts a list in place, with what is repeated behind it; returns its size. */
function sortUnique(list: Uint32Array): number {
  const unique = Uint32Array.from(new Set(list)).sort()
  list.set(unique)
  return unique.length
}
