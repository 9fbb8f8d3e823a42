import { durationText } from '../common/duration.ts'
import { messageWithCode } from '../errors.ts'
import { add, hasDuplicates, type BatchResult } from './batch.ts'
import type { FileWork, Progress } from './file-work.ts'
import type { Passed } from './gate.ts'
import type { RowsLog } from './log/rows-log.ts'
import { sleep } from './options.ts'
import { persist } from './reconnect.ts'
import type { Segment } from './segments.ts'
import { keyText } from './table.ts'

/** A file whose batches are being done. */
export interface OpenFile {
  readonly id: number
  readonly name: string
  readonly batches: number
}

/** What goes on around each batch of a file: whether it may begin, what is said of it, and how long to rest after it. */
export class FileBatches {
  readonly #work: FileWork
  readonly #progress: Progress

  constructor(work: FileWork, progress: Progress) {
    this.#work = work
    this.#progress = progress
  }

  get #log(): RowsLog | undefined {
    return this.#work.connections.log
  }

  /** Whether another batch may begin now; undefined: the run ends here, and the next one goes on. */
  async pass(): Promise<Passed | undefined> {
    const { options, connections, began } = this.#work
    const { signal, runTimeMs, limitBatches, gate, monotonic, listener } = options
    if (signal.aborted) return undefined
    if (limitBatches !== undefined && this.#progress.batches >= limitBatches)
      this.#progress.reason = `--limit-batches: ${limitBatches === 1 ? '1 batch is' : `${limitBatches} batches are`} done`
    if (runTimeMs !== undefined && monotonic() - began >= runTimeMs)
      this.#progress.reason = `the run time of ${durationText(runTimeMs / 1000)} is over`
    if (this.#progress.reason !== undefined) return undefined
    const onHold: Parameters<typeof gate.pass>[3] = async (hold) => {
      listener({ type: 'held-back', ...hold })
      await this.#log?.heldBack(hold).catch(() => undefined) // shown only; a log that is away stops the next batch
    }
    const passed = await persist('before a batch', connections, signal, () =>
      gate.pass(connections.source, async () => this.#log?.control(), signal, onHold),
    )
    const { throttledMs: milliseconds, reason = '', cause = 'other' } = passed
    if (milliseconds > 0) listener({ type: 'throttled', reason, cause, milliseconds })
    if (passed.end === undefined) return passed
    this.#progress.reason = passed.end
    return undefined
  }

  /** Does a batch of a file, counts it, and rests. Throws what it ended with, written into the log. */
  async do(file: OpenFile, batch: Extract<Segment, { type: 'batch' }>, passed: Passed): Promise<void> {
    const { options, runner, size } = this.#work
    const { listener, monotonic, gate, sleepMs, signal } = options
    const { number, keys } = batch
    const [first = [], last = []] = [keys[0], keys.at(-1)]
    listener({
      type: 'batch-started',
      file: file.name,
      batch: number,
      batches: Math.max(file.batches, number),
      first: keyText(first),
      last: keyText(last),
      ids: keys.length,
    })
    const began = monotonic()
    let result: BatchResult
    try {
      result = await runner.do(file, batch, passed)
    } catch (error) {
      if (error instanceof Error && !signal.aborted) {
        listener({ type: 'batch-failed', file: file.name, batch: number, error })
        this.#progress.failedBatches += 1
        await this.#log
          ?.batchFailed(
            {
              ...batch,
              fileName: file.name,
              attempts: 1,
              durationMs: monotonic() - began,
              lag: passed.lag,
              hll: passed.hll,
              throttledMs: 0,
              throttleReason: undefined,
            },
            options.redact(messageWithCode(error)),
          )
          .catch(() => undefined) // the error itself is thrown on
      }
      throw error
    }
    const milliseconds = monotonic() - began
    this.#progress.batches += 1
    this.#progress.counts = add(this.#progress.counts, result.counts)
    size.learn(keys.length, milliseconds)
    listener({
      type: 'batch-done',
      file: file.name,
      batch: number,
      status: hasDuplicates(result.counts) ? 'COMPLETED_WITH_DUPLICATES' : 'COMPLETED',
      counts: result.counts,
      conflicts: runner.records(result.conflicts),
      hll: passed.hll,
      lag: passed.lag,
      milliseconds,
    })
    await sleep(gate.rest(milliseconds) + sleepMs, signal)
  }
}
