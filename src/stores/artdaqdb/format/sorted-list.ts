/**
 * A list of an index: sorted by bytes, without repetition, and never changed. One that was read from a file stays a range
 * of that file's bytes until somebody asks for its items, so that an index of millions of lines costs little more memory
 * than its file, and is written again without being taken apart. Items are byte strings (latin1), as `index-text.ts` says.
 */
export class SortedList {
  readonly size: number
  #items: readonly string[] | undefined
  // Where the lines stand in a file's bytes. No buffer of its own: an index of a million runs has eight million lists.
  readonly #bytes: Buffer | undefined
  readonly #from: number
  readonly #to: number

  private constructor(size: number, items: readonly string[] | undefined, bytes?: Buffer, from = 0, to = 0) {
    this.size = size
    this.#items = items
    this.#bytes = bytes
    this.#from = from
    this.#to = to
  }

  static readonly EMPTY = new SortedList(0, [])

  /** Takes items in any order, repeated or not. */
  static of(items: Iterable<string>): SortedList {
    const sorted = sortedUnique([...items])
    return new SortedList(sorted.length, sorted)
  }

  /** Takes the lines `"a",\n"b"` as they stand in a file, from one byte to before another; the caller has made sure that they are `size` plain strings. */
  static ofLines(bytes: Buffer, from: number, to: number, size: number): SortedList {
    return size === 0 ? SortedList.EMPTY : new SortedList(size, undefined, bytes, from, to)
  }

  get items(): readonly string[] {
    return (this.#items ??= ordered(
      this.#bytes?.toString('latin1', this.#from + 1, this.#to - 1).split('",\n"') ?? [],
    ))
  }

  /** The lines between the brackets, as artdaq writes them. */
  get lines(): Buffer | string {
    if (this.size === 0) return ''
    return this.#bytes?.subarray(this.#from, this.#to) ?? `"${this.items.join('",\n"')}"`
  }

  has(item: string): boolean {
    const items = this.items
    let low = 0
    let high = items.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = items[middle] ?? ''
      if (found === item) return true
      if (found < item) low = middle + 1
      else high = middle - 1
    }
    return false
  }

  /** This list and more items. Linear in both: a batch of additions costs one walk, however many they are. */
  with(more: Iterable<string>): SortedList {
    const added = sortedUnique([...more])
    if (this.size === 0) return new SortedList(added.length, added)
    const mine = this.items
    const merged: string[] = []
    let i = 0
    for (const item of added) {
      for (let next = mine[i]; next !== undefined && next < item; next = mine[++i]) merged.push(next)
      if (mine[i] !== item) merged.push(item)
    }
    for (; i < mine.length; i++) merged.push(mine[i] ?? '')
    return new SortedList(merged.length, merged)
  }

  /** This list without these items; the list itself where it has none of them. */
  without(items: ReadonlySet<string>): SortedList {
    const rest = this.items.filter((item) => !items.has(item))
    return rest.length === this.size ? this : new SortedList(rest.length, rest)
  }
}

const sortedUnique = (items: string[]): readonly string[] => {
  // No locale: two strings of bytes compare as their bytes do.
  items.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return items.filter((item, i) => i === 0 || item !== items[i - 1])
}

/** artdaq sorts each list that it touches; a list that people sorted by hand is put right here. */
const ordered = (items: string[]): readonly string[] =>
  items.every((item, i) => i === 0 || (items[i - 1] ?? '') < item) ? items : sortedUnique(items)
