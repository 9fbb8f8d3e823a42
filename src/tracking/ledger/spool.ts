import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolderNow } from '../../platform/make-folder.ts'
import { appendAtName, appendOwn } from '../../platform/own-file.ts'
import { now as hostNow } from '../../platform/host.ts'
import { messageOf } from '../../errors.ts'
import type { Row } from './row.ts'
import { keepNewest, lineOf, linesOf, rowOf } from './spool-lines.ts'
import {
  movePart,
  partsOf,
  removePart,
  sealPart,
  stripPart,
  sweepParts,
  unsealPart,
  type Part,
} from './spool-parts.ts'

/** Bytes above which reports of progress are given up, the oldest first; beginnings and ends never. */
const LARGEST = 50 * 1024 * 1024

/** The file that is appended to holds at most so much of it: what is given up is given up in pieces of this size. */
const PIECES = 8

/** What the file of refused rows holds at most; they are for a person to look at, and enough is enough. */
const LARGEST_REFUSED = 5 * 1024 * 1024

/** Lines that are read, and of which the newest of each key is written, at once. */
const LINES_AT_ONCE = 500

/**
 * Rows that wait for a database: one a line, appended. Appending returns when the kernel has the line, so it is also where the last words of a
 * process go. Several processes may append and replay at once: rows may be written twice and in any order (`row.ts`). Files of any size
 * cost little memory.
 */
export class Spool {
  readonly #path: string
  readonly #largest: number
  readonly #now: () => number
  #lost = 0
  #refused = 0

  constructor(path: string, { largest = LARGEST, now = hostNow } = {}) {
    this.#path = path
    this.#largest = largest
    this.#now = now
  }

  get path(): string {
    return this.#path
  }

  /** Bytes that wait, those included of which a process that ended has written a part. */
  get size(): number {
    return partsOf(this.#path).reduce((sum, part) => sum + bytesIn(part), sizeOf(this.#path))
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

  /** Never throws: what cannot be kept is counted as lost. Returns what the system said where none of them could be. */
  append(rows: readonly Row[]): string | undefined {
    if (rows.length === 0) return undefined
    try {
      makeFolderNow(dirname(this.#path))
      const kept = this.#hasRoom() ? rows : rows.filter((row) => !row.transient)
      this.#lost += rows.length - kept.length
      if (kept.length > 0) appendAtName(this.#path, kept.map(lineOf).join(''))
      return undefined
    } catch (error) {
      this.#lost += rows.length
      return messageOf(error)
    }
  }

  /**
   * Hands everything that waits to `write`, the oldest first, in portions. What was written is done with at once: a process that ends in the
   * middle, or a `write` that throws, costs the next replay one portion at most. Throws what `write` throws; the rest waits.
   */
  async replay(write: (rows: readonly Row[]) => Promise<void>): Promise<void> {
    sweepParts(this.#path, this.#now())
    for (const part of partsOf(this.#path)) await replayPart(part, write)
    // The newest come last, and only when all others are written: else nothing but one file would be added at each try.
    const path = sealPart(this.#path)
    if (path === undefined) return
    try {
      await replayPart({ path, offset: 0 }, write)
    } catch (error) {
      unsealPart(this.#path, path)
      throw error
    }
  }

  /** Whether there is room for reports of progress; makes some where there is none. */
  #hasRoom(): boolean {
    if (sizeOf(this.#path) > this.#largest / PIECES) sealPart(this.#path)
    const parts = partsOf(this.#path)
    let size = parts.reduce((sum, part) => sum + bytesIn(part), sizeOf(this.#path))
    for (const part of parts) {
      if (size <= this.#largest) return true
      if (!part.stripped) size -= this.#strip(part)
    }
    return size <= this.#largest
  }

  /** Bytes that are free now. */
  #strip(part: Part): number {
    try {
      const { givenUp, size } = stripPart(part, this.#now())
      this.#lost += givenUp
      return bytesIn(part) - size
    } catch {
      return 0 // It was replayed meanwhile, or the disk is full.
    }
  }
}

const bytesIn = ({ size, offset }: Part): number => size - offset

const replayPart = async (
  part: Pick<Part, 'path' | 'offset'>,
  write: (rows: readonly Row[]) => Promise<void>,
): Promise<void> => {
  let { path } = part
  // Another process was quicker: what it held is in the ledger.
  if (!existsSync(path)) return
  let [count, rows] = [0, new Map<string, Row>()]
  for (const { text, end } of linesOf(path, part.offset)) {
    const row = rowOf(text)
    if (row) keepNewest(rows, row)
    count += 1
    if (count % LINES_AT_ONCE !== 0) continue
    await write([...rows.values()])
    rows = new Map()
    path = movePart(path, end)
  }
  if (rows.size > 0) await write([...rows.values()])
  removePart(path)
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
