import { closeSync, fstatSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolderNow } from '../make-folder.ts'
import { messageOf } from '../../errors.ts'
import { openForAppend } from '../own-file.ts'

export interface Rotation {
  /** Bytes after which a new file is begun. */
  readonly maxBytes: number
  /** Old files that are kept, as `file.1` (the newest) to `file.N`. */
  readonly maxFiles: number
  /** Age of a file's first line after which a new file is begun, and of an old file's last line after which it is removed. */
  readonly maxDays: number
}

const DAY = 86_400_000

/** How often the path is looked at again: another process may have rotated the file, or logrotate moved it away. */
const LOOK_EVERY = 1000

/** How often it is tried again to rotate a file, where that failed. */
const TRY_EVERY = 60_000

/**
 * A log file that several processes may append to, each line with one write, at once: a line that was logged is in the
 * kernel's hands before the call returns, so a kill -9 loses none. A disk that is full loses lines and nothing else: they
 * are counted, and the count is written when there is room again. No method throws.
 */
export class RotatingFile {
  readonly #path: string
  readonly #rotation: Rotation
  readonly #now: () => number
  readonly #warn: (message: string) => void
  #fd: number | undefined
  #size = 0
  #begun = 0
  /** `/dev/null` is never moved away. */
  #isRegular = true
  #lookedAt = -Infinity
  #triedAt = -Infinity
  #isStuck = false
  #lost = 0
  #warned = false

  /** `warn` is called once when lines begin to be lost, or the file cannot be rotated, and again when the next series begins. */
  constructor(path: string, rotation: Rotation, now: () => number, warn: (message: string) => void) {
    this.#path = path
    this.#rotation = rotation
    this.#now = now
    this.#warn = warn
  }

  /** Appends a line; the newline is added here. */
  write(line: string): void {
    try {
      this.#ready()
      if (this.#lost > 0) {
        const lost = this.#lost
        this.#append(`... ${lost} lines were lost here: the log file could not be written\n`)
        this.#lost = 0
        this.#warned = false
      }
      this.#append(`${line}\n`)
    } catch (error) {
      this.#lost += 1
      this.close()
      if (this.#warned) return
      this.#warned = true
      this.#warn(`cannot write the log file ${this.#path}: ${messageOf(error)}; work goes on without it`)
    }
  }

  close(): void {
    const fd = this.#fd
    this.#fd = undefined
    this.#lookedAt = -Infinity
    if (fd === undefined) return
    try {
      closeSync(fd)
    } catch {
      // There is nothing left to write, and nobody whom it would help to know.
    }
  }

  #append(text: string): void {
    const bytes = Buffer.from(text)
    const fd = this.#fd
    if (fd === undefined) throw new Error('the file is not open')
    let written = 0
    // A disk that is nearly full takes a part of the line and says how much.
    while (written < bytes.length) written += writeSync(fd, bytes, written)
    this.#size += bytes.length
  }

  #ready(): void {
    const now = this.#now()
    if (now - this.#lookedAt >= LOOK_EVERY || now < this.#lookedAt) {
      this.#lookedAt = now
      if (this.#fd !== undefined && !this.#isCurrent(this.#fd)) this.close()
    }
    if (this.#fd === undefined) this.#open(now)
    const { maxBytes, maxDays } = this.#rotation
    const isDue = this.#size >= maxBytes || now - this.#begun >= maxDays * DAY
    if (!isDue || !this.#isRegular || Math.abs(now - this.#triedAt) < TRY_EVERY) return
    this.close()
    this.#tryToRotate(now)
    this.#open(now)
  }

  /** A folder that is not ours, as /var/log may be, lets the file be written and not renamed: then it goes on growing. */
  #tryToRotate(now: number): void {
    try {
      this.#rotate()
      this.#triedAt = -Infinity
      this.#isStuck = false
      this.#removeOld(now)
    } catch (error) {
      this.#triedAt = now
      if (!this.#isStuck)
        this.#warn(`the log file ${this.#path} cannot be rotated: ${messageOf(error)}; it goes on growing`)
      this.#isStuck = true
    }
  }

  /** Whether the path still leads to the file that is open; its size is taken over from the other writers. */
  #isCurrent(fd: number): boolean {
    const there = statSync(this.#path, { throwIfNoEntry: false })
    const open = fstatSync(fd)
    this.#size = open.size
    return there !== undefined && there.ino === open.ino && there.dev === open.dev
  }

  #open(now: number): void {
    makeFolderNow(dirname(this.#path))
    const fd = openForAppend(this.#path, { operatorChosen: true })
    const stats = fstatSync(fd)
    const { size, birthtimeMs } = stats
    this.#fd = fd
    this.#size = size
    this.#isRegular = stats.isFile()
    this.#lookedAt = now
    // The first line's own time: unlike every time of the inode it survives appending, copying and restoring.
    this.#begun = size === 0 ? now : (timeOf(firstBytes(fd)) ?? birthtimeMs)
  }

  /** Moves file.N-1 to file.N and so on. Killed half-way, one number is missing and no line. */
  #rotate(): void {
    // Another process may have been quicker: its new file is young and small, and must not be moved away at once.
    const { size } = statSync(this.#path)
    if (size < this.#size) return
    for (let number = this.#rotation.maxFiles - 1; number >= 1; number--)
      if (statSync(`${this.#path}.${number}`, { throwIfNoEntry: false }))
        renameSync(`${this.#path}.${number}`, `${this.#path}.${number + 1}`)
    renameSync(this.#path, `${this.#path}.1`)
  }

  #removeOld(now: number): void {
    for (let number = 1; number <= this.#rotation.maxFiles; number++) {
      const old = `${this.#path}.${number}`
      const { mtimeMs } = statSync(old, { throwIfNoEntry: false }) ?? {}
      if (mtimeMs !== undefined && now - mtimeMs >= this.#rotation.maxDays * DAY) rmSync(old)
    }
  }
}

const firstBytes = (fd: number): string => {
  const bytes = Buffer.alloc(64)
  return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0))
}

/** When the first line was written: in either format its time stands at the front. */
const timeOf = (line: string): number | undefined => {
  const json = /^\{"time":"([^"]+)"/.exec(line)?.[1]
  const human = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),(\d{3}) /.exec(line)
  const time = Date.parse(json ?? (human ? `${human[1]}T${human[2]}.${human[3]}` : ''))
  return Number.isNaN(time) ? undefined : time
}
