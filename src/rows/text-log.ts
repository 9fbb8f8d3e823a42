import { join } from 'node:path'
import { makeFolderNow } from '../platform/make-folder.ts'
import { printable, redact } from '../common/redact.ts'
import { appendOwn } from '../platform/own-file.ts'
import { terminatedText } from './options.ts'

/** `2025-08-17 14:30:46`, local time. */
const timeOf = (ms: number): string => {
  const at = new Date(ms)
  const two = (part: number): string => String(part).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** `17_08_2025_14_30_45`. */
const stampOf = (ms: number): string => {
  const [date = '', clock = ''] = timeOf(ms).split(' ')
  return `${date.split('-').reverse().join('_')}_${clock.replaceAll(':', '_')}`
}

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
    this.line(`=== Script Starts at: ${stampOf(this.#now())} (PID: ${this.#pid}) ===`)
  }

  batch(file: string, batch: number, status: string): void {
    this.line(
      `[${timeOf(this.#now())}] FILE: ${file} | BATCH: ${batch} | STATUS: ${status} | PID: ${this.#pid}`,
    )
  }

  killed(signal: string): void {
    const line = terminatedText(signal, this.#pid)
    this.line('')
    this.line(line)
    this.line(`[${timeOf(this.#now())}] ${line}`)
  }

  line(text: string): void {
    try {
      makeFolderNow(this.#folder)
      const name = `DataProcessingAllDetails_${stampOf(this.#now()).slice(0, 10)}.txt`
      appendOwn(join(this.#folder, name), `${printable(redact(text))}\n`, { mode: 0o640 })
    } catch {
      // The log tables have the same.
    }
  }
}
