import { counted } from '../../common/counted.ts'
import type { Listener, StageSummary, StopReason } from '../../engine/stage.ts'
import { ArchiverError } from '../../errors.ts'
import type { ItemOutcome } from './process-item.ts'

/** Items that are reported as one batch; each was committed by itself. */
const BATCH = 500

/**
 * Reports a run over records as the engine reports a pass, so that ledger, metrics and alerts know of it. An event has the key of an item
 * and the code of its failure, and no value of a payload.
 */
export class TaskEvents {
  readonly #stage: string
  readonly #listener: Listener
  readonly #monotonic: () => number
  readonly #began: number
  #batchBegan: number
  #batch = 0
  #done: string[] = []
  #failed: string[] = []
  #succeeded = 0
  #failures = 0

  constructor(stage: string, listener: Listener, monotonic: () => number) {
    this.#stage = stage
    this.#listener = listener
    this.#monotonic = monotonic
    this.#began = this.#batchBegan = monotonic()
    listener({ type: 'pass-started', stage, mode: 'records', total: undefined, waiting: 0 })
  }

  /** One item ended. One that another instance had done is its affair. */
  ended({ key, status, result, rowsWritten, warnings, error, milliseconds }: ItemOutcome): void {
    if (status === 'done before') return
    const stage = this.#stage
    this.#listener({ type: 'item-started', stage, key, attempt: 1, attempts: 1 })
    if (error) {
      this.#failures++
      this.#failed.push(key)
      const failure = new ArchiverError('RECORD_FAILED', `${error.code}: ${error.message}`)
      this.#listener({ type: 'item-failed', stage, key, error: failure, milliseconds })
    } else {
      this.#succeeded++
      this.#done.push(key)
      const processed = {
        result: result ?? 'stored',
        bytes: 0,
        counts: { documents: rowsWritten, rows: rowsWritten },
        notes: warnings > 0 ? [counted(warnings, 'warning')] : [],
      }
      this.#listener({ type: 'item-done', stage, key, processed, milliseconds })
    }
    if (this.#done.length + this.#failed.length >= BATCH) this.#flush()
  }

  /** The run ended; by an error where there is one. */
  finished(error: Error | undefined, isStopped: boolean): void {
    this.#flush()
    const stage = this.#stage
    const stopped: StopReason | undefined = isStopped ? 'signal' : error ? 'unavailable' : undefined
    if (stopped) this.#listener({ type: 'pass-stopped', stage, reason: stopped, error })
    const summary: StageSummary = {
      succeeded: this.#succeeded,
      failed: this.#failures,
      pending: undefined,
      bytes: 0,
      milliseconds: this.#monotonic() - this.#began,
      stopped,
      error,
    }
    this.#listener({ type: 'pass-finished', stage, summary })
  }

  #flush(): void {
    const [done, failed] = [this.#done, this.#failed]
    if (done.length + failed.length === 0) return
    this.#done = []
    this.#failed = []
    const now = this.#monotonic()
    const milliseconds = now - this.#batchBegan
    this.#batchBegan = now
    this.#listener({
      type: 'batch-committed',
      stage: this.#stage,
      batch: ++this.#batch,
      done,
      failed,
      milliseconds,
    })
  }
}
