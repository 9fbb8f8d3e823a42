import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { appendOwn, overwriteOwn } from '../../platform/own-file.ts'
import { keyOf, type Cell, type Row } from './row.ts'
import { TABLES, type TableName } from './tables.ts'

/** Rows that wait for a ledger that can be written again. */
export interface Waiting {
  readonly rows: readonly Row[]
  /** Lines that could not be read: the end of one that a kill cut short, most of the time. */
  readonly unreadable: number
  /** Strikes the rows off once they are in the ledger. Until then the next start finds them again. */
  done(): void
  /** Puts them back: they could not be written after all. */
  back(): void
}

/** Above this, only the newest row of each key is kept, and then only beginnings and ends. */
const LARGEST = 50 * 1024 * 1024

/** What the file of refused rows holds at most; they are for a person to look at, and enough is enough. */
const LARGEST_REFUSED = 5 * 1024 * 1024

/**
 * `ledger-spool.jsonl`: one row a line, appended. Appending returns when the kernel has the line, so it is also where the last
 * words of a process go. Rows may be replayed twice and in any order (sql/rows.ts).
 */
export class Spool {
  readonly #path: string
  readonly #largest: number
  #lost = 0
  #refused = 0
  /** Bytes that the last compaction left. */
  #left = 0

  constructor(path: string, largest = LARGEST) {
    this.#path = path
    this.#largest = largest
  }

  get path(): string {
    return this.#path
  }

  /** Bytes that wait. */
  get size(): number {
    return sizeOf(this.#path)
  }

  /** Rows that the ledger would not take, so far. */
  get refused(): number {
    return this.#refused
  }

  get refusedPath(): string {
    return `${this.#path}.refused`
  }

  /** Keeps a row that the ledger will never take where it keeps no other from being written. Never throws. */
  refuse(row: Row): void {
    this.#refused += 1
    this.#lost += 1
    try {
      if (sizeOf(this.refusedPath) < LARGEST_REFUSED) appendOwn(this.refusedPath, lineOf(row))
    } catch {
      // It is counted; there is no room for more.
    }
  }

  /** Rows that were given up because there was no room or the ledger refused them, since this was last asked. */
  takeLost(): number {
    const lost = this.#lost
    this.#lost = 0
    return lost
  }

  /** Never throws: what cannot be kept is counted as lost. */
  append(rows: readonly Row[]): void {
    if (rows.length === 0) return
    try {
      // What is left are beginnings and ends: all of it is read again only when it has grown by a quarter.
      if (this.size > Math.max(this.#largest, this.#left * 1.25)) {
        this.#compact()
        this.#left = this.size
      }
      const kept = this.size > this.#largest ? rows.filter((row) => !row.transient) : rows
      this.#lost += rows.length - kept.length
      mkdirSync(dirname(this.#path), { recursive: true })
      if (kept.length > 0) appendOwn(this.#path, kept.map(lineOf).join(''))
    } catch {
      this.#lost += rows.length
    }
  }

  /**
   * Takes what waits, this process's own and what one that was killed while replaying left. Empty when there is nothing. The files are
   * renamed first, so that rows appended meanwhile are in a new one.
   */
  take(): Waiting {
    const aside = `${this.#path}.replay-${process.pid}`
    // One that an earlier try of ours has left is read below as well; its name must not be overwritten.
    if (!existsSync(aside)) rename(this.#path, aside)
    const folder = dirname(this.#path)
    const files = list(folder)
      .filter((name) => name.startsWith(`${basename(this.#path)}.replay-`))
      .map((name) => join(folder, name))
    let unreadable = 0
    const rows = new Map<string, Row>()
    for (const file of files)
      for (const line of read(file).split('\n')) {
        if (line === '') continue
        const row = rowOf(line)
        if (row) keepNewest(rows, row)
        else unreadable += 1
      }
    return {
      rows: [...rows.values()],
      unreadable,
      done: () => {
        for (const file of files) remove(file)
      },
      back: () => {
        // Only where nothing was appended meanwhile; else it waits under its own name and is read at the next try.
        if (!existsSync(this.#path)) rename(aside, this.#path)
      },
    }
  }

  #compact(): void {
    const rows = new Map<string, Row>()
    let before = 0
    for (const line of read(this.#path).split('\n')) {
      const row = rowOf(line)
      if (!row) continue
      before += 1
      keepNewest(rows, row)
    }
    let left = [...rows.values()]
    // Half, so that the next rows do not bring it here again at once.
    const tooMany = left.reduce((bytes, row) => bytes + lineOf(row).length, 0) > this.#largest / 2
    if (tooMany) left = left.filter((row) => !row.transient)
    this.#lost += rows.size - left.length
    if (left.length === before) return
    const temporary = `${this.#path}.${process.pid}.tmp`
    overwriteOwn(temporary, left.map(lineOf).join(''))
    renameSync(temporary, this.#path)
  }
}

const lineOf = (row: Row): string =>
  `${JSON.stringify({ t: row.table, ...(row.transient ? { x: 1 } : {}), c: row.cells })}\n`

const rowOf = (line: string): Row | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('t' in value) || !('c' in value)) return undefined
    const { t: table, c: cells } = value
    if (typeof table !== 'string' || !isTable(table) || typeof cells !== 'object' || cells === null)
      return undefined
    const columns: Readonly<Record<string, unknown>> = TABLES[table].columns
    // A column that a newer program wrote is not known here; its row waits in vain, but harms nothing.
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

/** Keeps the row under its key, where none there is newer. */
export const keepNewest = (rows: Map<string, Row>, row: Row): void => {
  const key = keyOf(row, TABLES[row.table].key)
  const before = rows.get(key)
  if (!before || Number(before.cells['revision'] ?? 0) <= Number(row.cells['revision'] ?? 0))
    rows.set(key, row)
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

const rename = (from: string, to: string): void => {
  try {
    renameSync(from, to)
  } catch {
    // There is none, or another process has written it to the ledger.
  }
}

const remove = (file: string): void => {
  try {
    unlinkSync(file)
  } catch {
    // Another process was quicker: what it held is in the ledger.
  }
}
