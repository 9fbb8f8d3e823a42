import type { TableData } from '../../index-data.ts'

/** A table that has grown, the numbers of the strings that it was given, and where each string of the old one stands. */
export interface GrownTable {
  readonly table: StringTable
  readonly numbers: Uint32Array
  readonly moved: Uint32Array
}

/**
 * Distinct byte strings (latin1), sorted by bytes, one after another in one buffer: a string costs its bytes, and four more where not all are of one
 * length. Each has a number, its place, so that numbers sort as their strings do. Never changed.
 */
export class StringTable {
  static readonly EMPTY = new StringTable(Buffer.alloc(0), new Uint32Array(1))
  readonly size: number
  readonly #bytes: Buffer
  /** Of all strings, where they have one length; then there are no `#starts`. */
  readonly #width: number
  readonly #starts: Uint32Array

  /** `starts`: where each string begins, and at the end where the last one ends. */
  private constructor(bytes: Buffer, starts: Uint32Array, size = starts.length - 1, width = widthOf(starts)) {
    this.size = size
    this.#bytes = bytes
    this.#width = width
    this.#starts = width > 0 ? NONE : starts
  }

  static ofData({ size, bytes, width, starts }: TableData): StringTable {
    return new StringTable(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), starts, size, width)
  }

  get data(): TableData {
    return { size: this.size, bytes: this.#bytes, width: this.#width, starts: this.#starts }
  }

  /** Takes distinct strings that are sorted already. */
  static ofSorted(strings: readonly string[]): StringTable {
    const starts = new Uint32Array(strings.length + 1)
    const bytes = Buffer.allocUnsafeSlow(strings.reduce((sum, { length }) => sum + length, 0))
    let end = 0
    for (let i = 0; i < strings.length; i++)
      starts[i + 1] = end += bytes.write(strings[i] ?? '', end, 'latin1')
    return new StringTable(bytes, starts)
  }

  /** Takes strings of a text, in any order, repeated or not: each from one place to before another. */
  static ofPlaces(text: Buffer, places: readonly number[]): StringTable {
    const starts = new Uint32Array(places.length / 2 + 1)
    const bytes = Buffer.allocUnsafeSlow(text.length)
    let end = 0
    for (let i = 0; i < places.length; i += 2) {
      for (let at = places[i] ?? 0; at < (places[i + 1] ?? 0); at++) bytes[end++] = text[at] ?? 0
      starts[i / 2 + 1] = end
    }
    const table = new StringTable(Buffer.from(bytes.subarray(0, end)), starts)
    for (let number = 1; number < table.size; number++)
      if (!table.#isLess(number - 1, number)) {
        const strings = Array.from({ length: table.size }, (_, i) => table.at(i))
        return StringTable.EMPTY.with(strings).table
      }
    return table
  }

  at(number: number): string {
    return this.#bytes.toString('latin1', this.#start(number), this.#start(number + 1))
  }

  /** The number of a string; undefined where it is not there. */
  find(text: string): number | undefined {
    const number = this.lowerBound(text)
    return number < this.size && this.compare(number, text) === 0 ? number : undefined
  }

  /** The number of the first string that is not less. */
  lowerBound(text: string): number {
    let low = 0
    let high = this.size
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.compare(middle, text) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Whether a string is the bytes of a buffer from one place to before another. */
  equals(number: number, bytes: Buffer, from: number, to: number): boolean {
    const start = this.#start(number)
    if (this.#start(number + 1) - start !== to - from) return false
    for (let i = from, j = start; i < to; i++, j++) if (bytes[i] !== this.#bytes[j]) return false
    return true
  }

  /** Writes a string into a buffer that has room for it; returns where it ends. */
  write(number: number, target: Buffer, at: number): number {
    const bytes = this.#bytes
    const end = this.#start(number + 1)
    for (let i = this.#start(number); i < end; i++) target[at++] = bytes[i] ?? 0
    return at
  }

  lengthOf(number: number): number {
    return this.#start(number + 1) - this.#start(number)
  }

  hash(number: number): number {
    return hashOf(this.#bytes, this.#start(number), this.#start(number + 1))
  }

  /** This table and more strings, in any order, repeated or not. */
  with(more: readonly string[]): GrownTable {
    const numbers = new Uint32Array(more.length)
    const added: { readonly text: string; readonly before: number }[] = []
    let last: string | undefined
    let number = 0
    for (const position of sortedPositions(more)) {
      const text = more[position] ?? ''
      if (text !== last) {
        // Behind the old ones that are less, and the new ones.
        const before = this.lowerBound(text)
        number = before + added.length
        if (before === this.size || this.compare(before, text) !== 0) added.push({ text, before })
      }
      numbers[position] = number
      last = text
    }
    return { ...this.#inserted(added), numbers }
  }

  #inserted(
    added: readonly { readonly text: string; readonly before: number }[],
  ): Omit<GrownTable, 'numbers'> {
    const moved = new Uint32Array(this.size)
    const starts = new Uint32Array(this.size + added.length + 1)
    const bytes = Buffer.allocUnsafeSlow(
      added.reduce((sum, { text }) => sum + text.length, this.#start(this.size)),
    )
    let number = 0
    let end = 0
    let next = 0
    const keep = (before: number): void => {
      end += this.#bytes.copy(bytes, end, this.#start(next), this.#start(before))
      const shift = end - this.#start(before)
      for (; next < before; next++) {
        starts[number] = this.#start(next) + shift
        moved[next] = number++
      }
    }
    for (const { text, before } of added) {
      if (before > next) keep(before)
      starts[number++] = end
      end += bytes.write(text, end, 'latin1')
    }
    keep(this.size)
    starts[number] = end
    return { table: added.length === 0 ? this : new StringTable(bytes, starts), moved }
  }

  isSame(other: StringTable): boolean {
    return (
      this.#width === other.#width &&
      this.#bytes.equals(other.#bytes) &&
      sameNumbers(this.#starts, other.#starts)
    )
  }

  /** Below zero where the string is less than the text. */
  compare(number: number, text: string): number {
    const start = this.#start(number)
    const length = this.#start(number + 1) - start
    const common = Math.min(length, text.length)
    for (let i = 0; i < common; i++) {
      const difference = (this.#bytes[start + i] ?? 0) - text.charCodeAt(i)
      if (difference !== 0) return difference
    }
    return length - text.length
  }

  #isLess(number: number, other: number): boolean {
    const bytes = this.#bytes
    const end = this.#start(number + 1)
    const otherEnd = this.#start(other + 1)
    let at = this.#start(number)
    let otherAt = this.#start(other)
    for (; at < end && otherAt < otherEnd && bytes[at] === bytes[otherAt]; at++) otherAt++
    return otherAt < otherEnd && (at === end || (bytes[at] ?? 0) < (bytes[otherAt] ?? 0))
  }

  #start(number: number): number {
    return this.#width > 0 ? number * this.#width : (this.#starts[number] ?? 0)
  }
}

const NONE = new Uint32Array(0)

/** The length that all strings have; 0 where they have several, or none. */
function widthOf(starts: Uint32Array): number {
  const width = starts[1] ?? 0
  for (let i = 1; i < starts.length; i++) if ((starts[i] ?? 0) !== i * width) return 0
  return width
}

/** FNV-1a of the end: ids differ there, and names. */
export function hashOf(bytes: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let i = Math.max(from, to - 12); i < to; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193)
  return hash ^ (hash >>> 15)
}

export const sameNumbers = (a: Uint32Array, b: Uint32Array): boolean =>
  a === b || (a.length === b.length && Buffer.compare(bytesOf(a), bytesOf(b)) === 0)

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

/** No locale: two strings of bytes compare as their bytes do. */
const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The positions of texts in the order of their bytes. */
export function sortedPositions(texts: readonly string[]): Uint32Array {
  const positions = numbersTo(texts.length)
  const compare = (a: number, b: number): number => byBytes(texts[a] ?? '', texts[b] ?? '')
  return positions.every((_, i) => i === 0 || compare(i - 1, i) <= 0) ? positions : positions.sort(compare)
}

export const numbersTo = (size: number): Uint32Array => {
  const numbers = new Uint32Array(size)
  for (let number = 0; number < size; number++) numbers[number] = number
  return numbers
}
