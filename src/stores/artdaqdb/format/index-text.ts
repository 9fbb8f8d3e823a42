import type { ItemList } from './item-list.ts'
import { type CollectionIndex } from './search-index.ts'
import { SECTIONS } from '../../index-data.ts'

/** The text of an index, in artdaq's layout, in pieces: a large one never stands in memory whole. */
export function* indexText(index: CollectionIndex): Generator<Buffer> {
  const text = new Pieces()
  text.add('{\n"ouid" : [\n')
  yield* text.list(index.ouid)
  for (const section of SECTIONS) {
    text.add(`,\n"${section}" : {\n`)
    let between = ''
    for (const [name, list] of index.section(section)) {
      text.add(`${between}"${name}" : [\n`)
      yield* text.list(list)
      between = ',\n'
    }
    text.add('\n}')
  }
  text.add('\n}')
  yield text.take()
}

const PIECE = 1 << 16
const FIRST = [...Buffer.from('"')]
const BETWEEN = [...Buffer.from('",\n"')]

/** Gathers text to pieces of some size. */
class Pieces {
  #buffer = Buffer.allocUnsafeSlow(2 * PIECE)
  #length = 0

  add(text: string): void {
    this.#makeRoom(text.length)
    this.#length += this.#buffer.write(text, this.#length, 'latin1')
  }

  /** The lines of a list, and the bracket that closes it. */
  *list({ table, numbers }: ItemList): Generator<Buffer> {
    let isFirst = true
    for (const number of numbers) {
      if (this.#length > PIECE) yield this.take()
      this.#makeRoom(BETWEEN.length + table.lengthOf(number))
      // Byte by byte: a call for each of millions of short texts takes several times as long.
      for (const byte of isFirst ? FIRST : BETWEEN) this.#buffer[this.#length++] = byte
      this.#length = table.write(number, this.#buffer, this.#length)
      isFirst = false
    }
    this.add(isFirst ? '\n]' : '"\n]')
  }

  take(): Buffer {
    const piece = this.#buffer.subarray(0, this.#length)
    this.#buffer = Buffer.allocUnsafeSlow(2 * PIECE)
    this.#length = 0
    return piece
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
