import { join } from 'node:path'
import { makeFolderNow } from '../platform/make-folder.ts'
import { dayLogName, localStamp, localTime } from '../common/local-time.ts'
import { printable, redact } from '../common/redact.ts'
import { appendOwn } from '../platform/own-file.ts'
import { terminatedText } from './options.ts'

/**
 * `DataProcessingAllDetails_DD_MM_YYYY.txt` in work_dir, in the words of the original script, for people and grep. Nothing is ever decided by it.
 * A line that cannot be written is left out.
 */
export class TextLog {
  readonly #folder: string
  readonly #pid: number
  readonly #now: () => number

  constructor(folder: string, pid: number, now: () => number) {
    this.#folder = folder
    this.#pid = pid
    this.#now = now
  }

  scriptStarts(): void {
    this.line(`=== Script Starts at: ${localStamp(this.#now())} (PID: ${this.#pid}) ===`)
  }

  batch(file: string, batch: number, status: string): void {
    this.line(
      `[${localTime(this.#now())}] FILE: ${file} | BATCH: ${batch} | STATUS: ${status} | PID: ${this.#pid}`,
    )
  }

  killed(signal: string): void {
    const line = terminatedText(signal, this.#pid)
    this.line('')
    this.line(line)
    this.line(`[${localTime(this.#now())}] ${line}`)
  }

  line(text: string): void {
    try {
      makeFolderNow(this.#folder)
      appendOwn(join(this.#folder, dayLogName(this.#now())), `${printable(redact(text))}\n`, { mode: 0o640 })
    } catch {
      // The log tables have the same.
    }
  }
}
