import { StringTable } from './string-table.ts'

/** A list of an index: sorted by bytes, without repetition, and never changed. A view of a table of all items; it takes no memory of its own. */
export class ItemList {
  static readonly EMPTY = new ItemList(StringTable.EMPTY, new Uint32Array(0))
  readonly table: StringTable
  /** Of the table, ascending. */
  readonly numbers: Uint32Array

  constructor(table: StringTable, numbers: Uint32Array) {
    this.table = table
    this.numbers = numbers
  }

  get size(): number {
    return this.numbers.length
  }

  /** Made anew each time that it is asked for. */
  get items(): readonly string[] {
    return Array.from(this.numbers, (number) => this.table.at(number))
  }

  has(item: string): boolean {
    if (this.size === 0) return false
    const number = this.table.find(item)
    return number !== undefined && this.hasNumber(number)
  }

  /** The same by the item's number in the table. */
  hasNumber(number: number): boolean {
    return hasNumber(this.numbers, number)
  }
}

function hasNumber(ascending: Uint32Array, number: number): boolean {
  let low = 0
  let high = ascending.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = ascending[middle] ?? 0
    if (found === number) return true
    if (found < number) low = middle + 1
    else high = middle - 1
  }
  return false
}
