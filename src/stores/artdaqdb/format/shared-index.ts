import type { IndexData, NameListsData, TableData } from '../../index-data.ts'
import { everySection } from './search-index.ts'

/**
 * The same index in memory that all threads of the process share: handed to another thread, nothing of it is copied. What stands in it several
 * times stays one. It must never be written to.
 */
export const sharedIndexData = ({ documents, stamps, ouid, sections }: IndexData): IndexData => {
  const copies = new Map<Uint8Array | Uint32Array, Uint8Array | Uint32Array>()
  const once = <T extends Uint8Array | Uint32Array>(array: T, copy: () => T): T => {
    const known = copies.get(array)
    if (known) return known as T
    const made = array.buffer instanceof SharedArrayBuffer ? array : copy()
    copies.set(array, made)
    return made
  }
  const bytesOf = (array: Uint8Array): Uint8Array =>
    once(array, () => {
      const copy = new Uint8Array(new SharedArrayBuffer(array.byteLength))
      copy.set(array)
      return copy
    })
  const numbersOf = (array: Uint32Array): Uint32Array =>
    once(array, () => {
      const copy = new Uint32Array(new SharedArrayBuffer(array.byteLength))
      copy.set(array)
      return copy
    })
  const table = ({ size, bytes, width, starts }: TableData): TableData => ({
    size,
    width,
    bytes: bytesOf(bytes),
    starts: numbersOf(starts),
  })
  const lists = ({ names, order, starts, items }: NameListsData): NameListsData => ({
    names: table(names),
    order: numbersOf(order),
    starts: numbersOf(starts),
    items: numbersOf(items),
  })
  return {
    documents: table(documents),
    stamps: table(stamps),
    ouid: numbersOf(ouid),
    sections: everySection((section) => lists(sections[section])),
  }
}
