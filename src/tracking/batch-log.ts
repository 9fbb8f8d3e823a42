import { join } from 'node:path'
import { makeFolderNow } from '../platform/make-folder.ts'
import { dayLogName, localStamp, localTime } from '../common/local-time.ts'
import { keysText } from '../common/item-keys.ts'
import { printable, type Redact } from '../common/redact.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { appendOwn } from '../platform/own-file.ts'
import type { EngineEvent, Listener } from '../engine/stage.ts'

export interface BatchLogOptions {
  /** The folder of the files, one a day. */
  readonly folder: string
  readonly pid: number
  readonly now: () => number
  readonly redact: Redact
}

/**
 * The plain log that operators know from earlier row movers: `DataProcessingAllDetails_DD_MM_YYYY.txt`, a line a batch that grep finds. For people: nothing is ever
 * decided by it (an older program resumed from it, and skipped what it was ahead of). Never throws; a line that cannot be written is left out.
 */
export class BatchLog {
  readonly #options: BatchLogOptions
  readonly #open = new Map<string, number>()
  readonly #batches = new Map<string, number>()
  #begun = false

  constructor(options: BatchLogOptions) {
    this.#options = options
  }

  readonly listener: Listener = (event: EngineEvent) => {
    const { stage } = event
    switch (event.type) {
      case 'pass-started':
        this.#batches.set(stage, 0)
        if (event.total !== undefined && event.total > 0)
          this.#line(`STARTING: ${stage} (${event.total} runs, ${event.waiting} not ready)`)
        break
      case 'item-started':
        if (this.#open.has(stage)) break
        this.#open.set(stage, (this.#batches.get(stage) ?? 0) + 1)
        this.#batch(stage, this.#open.get(stage) ?? 1, 'PROCESSING', '')
        break
      case 'item-failed':
        this.#line(this.#failure(event))
        break
      case 'batch-committed': {
        this.#open.delete(stage)
        this.#batches.set(stage, event.batch)
        const status = event.done.length === 0 ? 'FAILED' : 'COMPLETED'
        this.#batch(stage, event.batch, status, ` | RUNS: ${keysText([...event.done, ...event.failed])}`)
        break
      }
      case 'pass-stopped':
        this.#line(`ERROR: Stage ${stage} was stopped: ${this.#safe(messageOf(event.error ?? event.reason))}`)
        break
      case 'item-done':
      case 'item-lost':
      case 'item-retry':
      case 'pass-finished':
        break
    }
  }

  /** A signal: the line twice, plain and with its time, as operators know it. */
  killed(signal: string): void {
    const line = `Process terminated by ${signal} signal (PID: ${this.#options.pid})`
    this.#line(`\n${line}`)
    this.#line(`[${localTime(this.#options.now())}] ${line}`)
  }

  #failure({ stage, key, error }: Extract<EngineEvent, { type: 'item-failed' }>): string {
    const text = this.#safe(messageOf(error))
    return error instanceof ArchiverError && error.code === 'CONFLICT'
      ? `DUPLICATE_KEY_ERROR: Run ${key} in ${stage}: ${text}`
      : `ERROR: Error processing run ${key} in ${stage}: ${text}`
  }

  #safe(text: string): string {
    return printable(this.#options.redact(text))
  }

  #batch(stage: string, batch: number, status: string, more: string): void {
    this.#line(
      `[${localTime(this.#options.now())}] STAGE: ${stage} | BATCH: ${batch} | STATUS: ${status} | PID: ${this.#options.pid}${more}`,
    )
  }

  #line(text: string): void {
    const head = this.#begun
      ? ''
      : `=== Archiver starts at: ${localStamp(this.#options.now())} (PID: ${this.#options.pid}) ===\n`
    try {
      if (!this.#begun) makeFolderNow(this.#options.folder)
      appendOwn(join(this.#options.folder, dayLogName(this.#options.now())), `${head}${text}\n`)
      this.#begun = true
    } catch {
      // It is a convenience: the ledger and the log have the same.
    }
  }
}
