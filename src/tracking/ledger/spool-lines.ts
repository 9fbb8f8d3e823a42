import { closeSync, readSync } from 'node:fs'
import { openRegularNow } from '../../platform/read-file.ts'
import { keyOf, type Cell, type Row } from './row.ts'
import { TABLES, type TableName } from './tables.ts'

/** A row as a line of a spool: `{"t":"files","c":{...}}`, with `"x":1` where it says only how far something was. */
export const lineOf = (row: Row): string =>
  `${JSON.stringify({ t: row.table, ...(row.transient ? { x: 1 } : {}), c: row.cells })}\n`

/** The row of a line; undefined for what is none, such as the end of a line that a kill cut short. */
export const rowOf = (line: string): Row | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('t' in value) || !('c' in value)) return undefined
    const { t: table, c: cells } = value
    if (typeof table !== 'string' || !isTable(table) || typeof cells !== 'object' || cells === null)
      return undefined
    const columns: Readonly<Record<string, unknown>> = TABLES[table].columns
    // A column that a newer program wrote is not known here: the rest of its row is written.
    const known = Object.entries(cells).filter(
      (entry): entry is [string, Cell] => Object.hasOwn(columns, entry[0]) && isCell(entry[1]),
    )
    return { table, cells: Object.fromEntries(known), transient: 'x' in value }
  } catch {
    return undefined
  }
}

const isTable = (name: string): name is TableName => Object.hasOwn(TABLES, name)

const isCell = (value: unknown): value is Cell =>
  value === null || typeof value === 'string' || typeof value === 'number'

/** What makes a row this one and no other, by its table's key. */
export const keyOfRow = (row: Row): string => keyOf(row, TABLES[row.table].key)

export const revisionOf = ({ cells }: Row): number => Number(cells['revision'] ?? 0)

/** Keeps the row under its key, where none there is newer. */
export const keepNewest = (rows: Map<string, Row>, row: Row): void => {
  const key = keyOfRow(row)
  const before = rows.get(key)
  if (!before || revisionOf(before) <= revisionOf(row)) rows.set(key, row)
}

const CHUNK = 262_144
const NEWLINE = 0x0a

export interface Line {
  readonly text: string
  /** The byte behind the line and its newline. */
  readonly end: number
}

/** The lines of a file from a byte on, read in pieces: a file of any size costs little memory. Throws what the file system says. */
export function* linesOf(path: string, from = 0): Generator<Line> {
  const file = openRegularNow(path)
  try {
    const piece = Buffer.alloc(CHUNK)
    let [rest, at, read] = [Buffer.alloc(0), from, from]
    for (;;) {
      const count = readSync(file, piece, 0, CHUNK, read)
      if (count === 0) break
      read += count
      const bytes = Buffer.concat([rest, piece.subarray(0, count)])
      let begin = 0
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, begin)) {
        at += end + 1 - begin
        yield { text: bytes.toString('utf8', begin, end), end: at }
        begin = end + 1
      }
      rest = Buffer.from(bytes.subarray(begin))
    }
    if (rest.length > 0) yield { text: rest.toString('utf8'), end: at + rest.length }
  } finally {
    closeSync(file)
  }
}
