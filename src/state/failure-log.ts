import { counted } from '../common/counted.ts'
import { constants, open, stat } from 'node:fs/promises'
import { RunSet } from '../common/run-set.ts'
import { errnoOf } from '../errors.ts'
import { whenFilesAllow } from '../platform/open-files.ts'
import { replaceFile, step } from '../platform/atomic-file.ts'
import { type FailureLines, FailureLineReader, formatFailures } from './failure-log-format.ts'
import { keepCopy } from './backup-copy.ts'
import { readSafely } from './safe-open.ts'
import { unwritable } from './state-file.ts'

const NOTHING: FailureLines = { runs: RunSet.EMPTY, junk: 0, junkLines: [], tidy: true }

const ABSENT = 'absent'

export interface FailureLogOptions {
  /** Epoch milliseconds, for the names of copies. */
  readonly now: () => number
  /** Called when lines that are no run numbers were kept aside. */
  readonly warn: (message: string) => void
}

const openFile = whenFilesAllow((path: string, flags: number) => open(path, flags))

/**
 * The runs of one stage that failed and wait for a retry: text, one run number a line, ascending, no run twice.
 * Every change is durable when it returns, and a reader finds the log before or after it, whole. When one throws
 * (STATE_UNWRITABLE) it is unknown whether it was made; the next call reads the file again. Only the lock's holder changes it.
 */
export class FailureLog {
  readonly path: string
  readonly #options: FailureLogOptions
  #known: { readonly lines: FailureLines; readonly signature: string } | undefined

  constructor(path: string, options: FailureLogOptions) {
    this.path = path
    this.#options = options
  }

  /** What stands in the log; nothing where there is no file. Changes nothing. Throws STATE_UNSAFE and STATE_UNREADABLE. */
  async read(): Promise<FailureLines> {
    const lines = await readSafely(this.path, async (file) => {
      const reader = new FailureLineReader()
      const buffer = Buffer.allocUnsafe(262_144)
      while (true) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
        if (bytesRead === 0) return reader.end()
        reader.push(buffer.subarray(0, bytesRead))
      }
    })
    return lines ?? NOTHING
  }

  /** Writes down runs that failed. */
  async add(runs: RunSet): Promise<void> {
    const lines = await this.#current()
    const missing = runs.minus(lines.runs)
    if (missing.isEmpty) return
    await this.#change(async () => {
      step('failure-log: to be added to')
      if (continues(lines, missing) && (await this.#append(missing))) return
      await this.#rewrite(lines, lines.runs.union(missing))
    })
  }

  /** Takes out runs that are archived now, or that are to be tried as if they were new. */
  async remove(runs: RunSet): Promise<void> {
    const lines = await this.#current()
    if (!lines.runs.intersect(runs).isEmpty) await this.replace(lines.runs.minus(runs))
  }

  /** Makes these runs the whole log. Lines that are no run numbers are kept in `<name>.corrupt-<UTC time>`. */
  async replace(runs: RunSet): Promise<void> {
    const lines = await this.#current()
    if (this.#known?.signature !== ABSENT && lines.tidy && lines.runs.equals(runs)) return
    await this.#change(() => this.#rewrite(lines, runs))
  }

  async #current(): Promise<FailureLines> {
    const signature = await this.#signature()
    if (this.#known?.signature !== signature) this.#known = { lines: await this.read(), signature }
    return this.#known.lines
  }

  async #change(change: () => Promise<void>): Promise<void> {
    this.#known = undefined
    try {
      await change()
    } catch (error) {
      throw unwritable(this.path, error)
    }
  }

  /** False where the file cannot be appended to as it is. */
  async #append(runs: RunSet): Promise<boolean> {
    const file = await openFile(this.path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW)
    try {
      const before = await file.stat()
      if (before.nlink > 1) return false // a copy that was kept shares these bytes
      try {
        await file.appendFile(formatFailures(runs))
      } catch (error) {
        await file.truncate(before.size).catch(() => undefined) // a line that a full disk cut would be read as another run
        throw error
      }
      step('failure-log: append to be synced')
      await file.sync()
      step('failure-log: appended')
      return true
    } finally {
      await file.close()
    }
  }

  async #rewrite(lines: FailureLines, runs: RunSet): Promise<void> {
    if (lines.junk > 0) {
      const copy = await keepCopy(this.path, 'corrupt', this.#options.now())
      const where = lines.junkLines.join(', ') + (lines.junk > lines.junkLines.length ? ', ...' : '')
      this.#options.warn(
        `${this.path}: ${counted(lines.junk, 'line')} without a run number (line ${where}); the file as it was is kept in ${copy ?? 'no copy: it is gone'}`,
      )
    }
    await replaceFile(this.path, formatFailures(runs))
    step('failure-log: rewritten')
  }

  async #signature(): Promise<string> {
    try {
      const { ino, size, mtimeNs } = await stat(this.path, { bigint: true })
      return `${ino}:${size}:${mtimeNs}`
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return ABSENT
      throw unwritable(this.path, error)
    }
  }
}

/**
 * Whether runs may be appended so that the log stays ascending and a torn append can be seen: see `FailureLineReader`.
 * Otherwise the log is replaced whole.
 */
const continues = ({ runs: logged, tidy }: FailureLines, added: RunSet): boolean =>
  tidy &&
  logged.last !== undefined &&
  added.first !== undefined &&
  added.first > logged.last &&
  `${added.last ?? 0}`.length === `${logged.last}`.length
