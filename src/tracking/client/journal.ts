import { closeSync, readSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolderNow } from '../../platform/make-folder.ts'
import { readOperation, type Operation } from './operations.ts'
import { isUuid } from './tracked-rows.ts'
import { TrackedExecution } from './tracked-execution.ts'
import { openRegularNow } from '../../platform/read-file.ts'
import { appendOwn } from '../../platform/own-file.ts'

const NEWLINE = 0x0a

/** One line: an operation, and when it was reported (epoch milliseconds). */
interface Entry {
  readonly at: number
  readonly operation: Operation
}

/**
 * What several processes of this host report of one execution: `track init`, `track status` and `track finish` are three of them. Each appends
 * a line, which the kernel does in one piece, and reads what the others wrote; how the execution stands follows from all lines in their
 * order, and its revision is their number. So no process waits for another, and one that is killed leaves nothing half.
 */
export class Journal {
  readonly #path: string
  readonly #runId: string
  #execution: TrackedExecution | undefined
  #offset = 0
  #lines = 0
  /** A line that another process has not written whole yet: bytes, because it may be cut inside of a character. */
  #rest: Buffer = Buffer.alloc(0)
  /** What the disk did not take: it counts for this process alone. */
  #unwritten: Entry[] = []

  constructor(folder: string, runId: string) {
    this.#runId = runId
    this.#path = join(folder, 'tracking', `${isUuid(runId) ? runId.toLowerCase() : 'none'}.jsonl`)
    makeFolderNow(join(folder, 'tracking'), 0o750)
  }

  /** A full disk leaves an empty file. */
  get exists(): boolean {
    return (statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) > 0
  }

  /** How the execution stands by what was read; undefined before its `init`. */
  get execution(): TrackedExecution | undefined {
    return this.#execution
  }

  /** The number of lines that were read: it counts up with every report of any process. */
  get revision(): number {
    return this.#lines
  }

  /** Throws what the file system says: the caller reports it, and goes on. The operations count all the same, as long as this process lives. */
  append(operations: readonly Operation[], at: number): void {
    const lines = operations.map((operation) => `${JSON.stringify({ at, ...operation })}\n`)
    try {
      if (lines.length > 0) appendOwn(this.#path, lines.join(''))
    } catch (error) {
      this.#unwritten.push(...lines.flatMap((line) => entryOf(line) ?? []))
      throw error
    }
  }

  /** Reads what was appended since the last call. Whether there was anything. */
  read(): boolean {
    const unwritten = this.#unwritten.splice(0)
    const bytes =
      unwritten.length === 0 || this.exists ? Buffer.concat([this.#rest, ...this.#tail()]) : this.#rest
    const end = bytes.lastIndexOf(NEWLINE) + 1
    this.#rest = bytes.subarray(end)
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1)
    for (const entry of [...lines.map(entryOf), ...unwritten]) {
      this.#lines += 1
      if (!entry) continue
      const { operation, at } = entry
      if (operation.op === 'init') this.#execution ??= new TrackedExecution(this.#runId, operation, at)
      else this.#execution?.apply(operation, at)
    }
    return lines.length + unwritten.length > 0
  }

  /** The execution has ended and stands in the database, or in the spool. */
  remove(): void {
    try {
      unlinkSync(this.#path)
    } catch {
      // Another process was quicker.
    }
  }

  #tail(): Buffer[] {
    const file = openRegularNow(this.#path)
    try {
      const parts: Buffer[] = []
      for (;;) {
        const part = Buffer.alloc(65_536)
        const count = readSync(file, part, 0, part.length, this.#offset)
        if (count === 0) return parts
        parts.push(part.subarray(0, count))
        this.#offset += count
      }
    } finally {
      closeSync(file)
    }
  }
}

const entryOf = (line: string): Entry | undefined => {
  try {
    const { at, ...value } = JSON.parse(line) as Record<string, unknown>
    const { operation } = readOperation(value)
    return operation && typeof at === 'number' ? { at, operation } : undefined
  } catch {
    return undefined // cut short by a kill or a full disk
  }
}
