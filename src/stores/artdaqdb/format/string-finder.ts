import { hashOf, type StringTable } from './string-table.ts'

/** Finds strings of a table without searching for them: for who looks for very many at once. Takes some ten bytes for each while it is held. */
export class StringFinder {
  readonly #table: StringTable
  /** Numbers, and one more; 0 where a slot is free. A string stands in the slot of its hash, or in the next free one. */
  readonly #slots: Uint32Array
  #spare = Buffer.allocUnsafe(64)

  constructor(table: StringTable) {
    this.#table = table
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * table.size + 1)))
    for (let number = 0; number < table.size; number++) {
      let slot = table.hash(number) & (this.#slots.length - 1)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1)
      this.#slots[slot] = number + 1
    }
  }

  /** The number of the bytes from one place to before another; undefined where they are none of the strings. */
  find(bytes: Buffer, from: number, to: number): number | undefined {
    const slots = this.#slots
    for (let slot = hashOf(bytes, from, to) & (slots.length - 1); ; slot = (slot + 1) & (slots.length - 1)) {
      const number = (slots[slot] ?? 0) - 1
      if (number < 0) return undefined
      if (this.#table.equals(number, bytes, from, to)) return number
    }
  }

  /** As `find`, of a text, which may have other characters than bytes. */
  findText(text: string): number | undefined {
    if (text.length > this.#spare.length) this.#spare = Buffer.allocUnsafe(2 * text.length)
    const number = this.find(this.#spare, 0, this.#spare.write(text, 'latin1'))
    return number !== undefined && this.#table.compare(number, text) === 0 ? number : undefined
  }
}
