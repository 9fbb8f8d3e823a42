import { createWriteStream, type WriteStream } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolderNow } from '../../platform/make-folder.ts'
import { openForAppend } from '../../platform/own-file.ts'

/** Bytes that may wait for the disk. A command is never slowed down by its log, nor does the log take all memory. */
const MOST_WAITING = 64_000_000
/** Milliseconds that the end waits for the disk: the command's own end is not held up by one that hangs. */
const PATIENCE = 5000

/** The file that keeps a copy of a command's output. */
export class RunLog {
  readonly #stream: WriteStream
  #dropped = 0

  private constructor(stream: WriteStream) {
    this.#stream = stream
  }

  /** Undefined where the file cannot be made, which costs the copy only. `failed` hears of that, and of a disk that takes no more. */
  static open(path: string, failed: (error: Error) => void): RunLog | undefined {
    let fd: number
    try {
      makeFolderNow(dirname(path), 0o750)
      fd = openForAppend(path, { operatorChosen: true })
    } catch (error) {
      failed(error as Error)
      return undefined
    }
    const stream = createWriteStream(path, { fd })
    stream.on('error', failed)
    return new RunLog(stream)
  }

  /** Adds a piece of output. Where too much waits for the disk already it is left out, and the log says so in its place. */
  write(piece: Buffer): void {
    if (this.#stream.writableLength + piece.length > MOST_WAITING) {
      this.#dropped += piece.length
      return
    }
    this.#sayDropped()
    this.#stream.write(piece)
  }

  /** Resolves when all that was kept is in the file, or can no longer come there, and after five seconds at the latest. Never rejects. */
  async end(): Promise<void> {
    this.#sayDropped()
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE)
      this.#stream.once('close', resolve) // after an error too
      if (this.#stream.closed) resolve()
      this.#stream.end()
    })
    clearTimeout(timer)
  }

  #sayDropped(): void {
    if (this.#dropped === 0) return
    this.#stream.write(
      `\n[run-archiver: ${this.#dropped} bytes of output are not in this log: its disk was too slow]\n`,
    )
    this.#dropped = 0
  }
}
