import type { NameListsData } from '../../index-data.ts'
import { ItemList } from './item-list.ts'
import { sameNumbers, sortedPositions, StringTable } from './string-table.ts'

/** What a section is made of. A name's number is its place in `names`. */
interface Arrays {
  readonly names: StringTable
  /** The numbers of the names, in the order in which they came. */
  readonly order: Uint32Array
  /** By number: where the list of a name begins in `items`; and at the end, where the last list ends. */
  readonly starts: Uint32Array
  /** Numbers of the table of items, ascending in each list. */
  readonly items: Uint32Array
}

/**
 * A section of an index: names, in the order in which they came, each with its list. Numbers in arrays instead of objects, for an index of
 * a hundred thousand runs has hundreds of thousands of lists. Never changed.
 */
export class NameLists implements Iterable<[name: string, list: ItemList]> {
  readonly #table: StringTable
  readonly #arrays: Arrays

  private constructor(table: StringTable, arrays: Arrays) {
    this.#table = table
    this.#arrays = arrays
  }

  static ofData(table: StringTable, { names, ...arrays }: NameListsData): NameLists {
    return new NameLists(table, { ...arrays, names: StringTable.ofData(names) })
  }

  get data(): NameListsData {
    return { ...this.#arrays, names: this.#arrays.names.data }
  }

  /** Takes distinct names in any order. `items`: the lists of all of them, one after another, each ascending; `ends`: where each list ends there. */
  static of(
    table: StringTable,
    names: readonly string[],
    ends: readonly number[],
    items: Uint32Array,
  ): NameLists {
    const positions = sortedPositions(names)
    const order = new Uint32Array(names.length)
    const starts = new Uint32Array(names.length + 1)
    const sorted = new Uint32Array(items.length)
    let end = 0
    for (let number = 0; number < positions.length; number++) {
      const position = positions[number] ?? 0
      order[position] = number
      const last = ends[position] ?? 0
      for (let i = ends[position - 1] ?? 0; i < last; i++) sorted[end++] = items[i] ?? 0
      starts[number + 1] = end
    }
    const inOrder = StringTable.ofSorted(Array.from(positions, (position) => names[position] ?? ''))
    return new NameLists(table, { names: inOrder, order, starts, items: sorted })
  }

  /** As `of`, from a list for each name. */
  static from(table: StringTable, lists: Iterable<readonly [string, Iterable<number>]>): NameLists {
    const names: string[] = []
    const ends: number[] = []
    const items: number[] = []
    for (const [name, list] of lists) {
      names.push(name)
      for (const item of list) items.push(item)
      ends.push(items.length)
    }
    return NameLists.of(table, names, ends, Uint32Array.from(items))
  }

  get size(): number {
    return this.#arrays.names.size
  }

  /** Undefined where the name is not known. */
  get(name: string): ItemList | undefined {
    const number = this.#arrays.names.find(name)
    return number === undefined ? undefined : this.#list(number)
  }

  has(name: string): boolean {
    return this.#arrays.names.find(name) !== undefined
  }

  *keys(): Generator<string> {
    for (const number of this.#arrays.order) yield this.#arrays.names.at(number)
  }

  *[Symbol.iterator](): Generator<[name: string, list: ItemList]> {
    for (const number of this.#arrays.order) yield [this.#arrays.names.at(number), this.#list(number)]
  }

  /** The names that begin with a text, sorted by bytes; with '' all of them. */
  *beginningWith(text: string): Generator<string> {
    const { names } = this.#arrays
    for (let number = names.lowerBound(text); number < names.size; number++) {
      const name = names.at(number)
      if (!name.startsWith(text)) return
      yield name
    }
  }

  /**
   * This section and more items of names, in the order in which these came. `table`: the items and those that are new; `moved`: where the old ones
   * stand in it; `more`: numbers in it.
   */
  with(table: StringTable, moved: Uint32Array, more: ReadonlyMap<string, readonly number[]>): NameLists {
    const old = this.#arrays
    const grown = old.names.with([...more.keys()])
    const names = grown.table
    const before = new Int32Array(names.size).fill(-1)
    for (const [number, now] of grown.moved.entries()) before[now] = number
    const added = new Map<number, Uint32Array>()
    const came: number[] = []
    let most = old.items.length
    for (const [position, list] of [...more.values()].entries()) {
      const number = grown.numbers[position] ?? 0
      added.set(number, Uint32Array.from(new Set(list)).sort())
      if (before[number] === -1) came.push(number)
      most += list.length
    }
    const starts = new Uint32Array(names.size + 1)
    const items = new Uint32Array(most)
    let end = 0
    for (let number = 0; number < names.size; number++) {
      const was = before[number] ?? -1
      const last = was < 0 ? 0 : (old.starts[was + 1] ?? 0)
      const more = added.get(number) ?? NONE
      let next = 0
      for (let i = was < 0 ? 0 : (old.starts[was] ?? 0); i < last; i++) {
        const item = moved[old.items[i] ?? 0] ?? 0
        for (; next < more.length && (more[next] ?? 0) <= item; next++)
          if (more[next] !== item) items[end++] = more[next] ?? 0
        items[end++] = item
      }
      for (; next < more.length; next++) items[end++] = more[next] ?? 0
      starts[number + 1] = end
    }
    const order = new Uint32Array(names.size)
    for (const [position, number] of old.order.entries()) order[position] = grown.moved[number] ?? 0
    order.set(came, old.order.length)
    return new NameLists(table, { names, order, starts, items: end === most ? items : items.slice(0, end) })
  }

  /** Without other items, and without the names that have none then. */
  withItems(isKept: (item: number) => boolean): NameLists {
    const rest = Array.from(this, ([name, { numbers }]) => [name, numbers.filter(isKept)] as const)
    return NameLists.from(
      this.#table,
      rest.filter(([, numbers]) => numbers.length > 0),
    )
  }

  withNames(isWanted: (name: string) => boolean): NameLists {
    const wanted = [...this].filter(([name]) => isWanted(name))
    return NameLists.from(
      this.#table,
      wanted.map(([name, { numbers }]) => [name, numbers]),
    )
  }

  /** The same, with the arrays of another section where they are equal: most versions are configurations, and have the same documents. */
  sharing(other: NameLists): NameLists {
    const [mine, its] = [this.#arrays, other.#arrays]
    const pick = (name: 'order' | 'starts' | 'items'): Uint32Array =>
      sameNumbers(mine[name], its[name]) ? its[name] : mine[name]
    return new NameLists(this.#table, {
      names: mine.names.isSame(its.names) ? its.names : mine.names,
      ...{ order: pick('order'), starts: pick('starts'), items: pick('items') },
    })
  }

  #list(number: number): ItemList {
    const { starts, items } = this.#arrays
    return new ItemList(this.#table, items.subarray(starts[number], starts[number + 1]))
  }
}

const NONE = new Uint32Array(0)
