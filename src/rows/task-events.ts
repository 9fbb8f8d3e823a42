import type { EngineEvent, ServerLoad } from '../engine/stage.ts'
import { allConflicts, type BatchMode } from './batch.ts'
import type { RowsEvent } from './events.ts'

/** Reports files and batches as the engine reports a pass (a step is a file, an item a batch, rows count as documents), so that ledger, metrics and alerts know of them. */
export class TaskEvents {
  readonly #mode: BatchMode
  #stage = ''
  #done = 0
  #failed = 0
  #batches = 0

  constructor(mode: BatchMode) {
    this.#mode = mode
  }

  *of(event: RowsEvent): Generator<EngineEvent> {
    const stage = this.#stage
    switch (event.type) {
      case 'file-started':
        yield* this.#finish(undefined)
        this.#stage = event.file
        this.#done = this.#failed = 0
        this.#batches = event.batches
        yield {
          type: 'pass-started',
          stage: event.file,
          mode: this.#mode,
          total: event.batches,
          waiting: 0,
        }
        break
      case 'batch-skipped':
        this.#done += 1
        break
      case 'batch-started':
        yield { type: 'item-started', stage, key: keyOf(event), attempt: 1, attempts: 1 }
        break
      case 'batch-retry': {
        const { attempt, error } = event
        yield { type: 'item-retry', stage, key: keyOf(event), attempt, attempts: attempt, error }
        break
      }
      case 'batch-done': {
        const { counts, conflicts, milliseconds, batch } = event
        const rows =
          this.#mode === 'copy'
            ? counts.inserted + counts.childrenInserted
            : counts.deleted + counts.childrenDeleted
        const found = allConflicts(counts)
        const notes =
          found > 0 ? [`${found} conflicts`, ...conflicts.slice(0, 5).map(({ row_key }) => row_key)] : []
        const result = event.status === 'COMPLETED' ? 'stored' : 'present'
        this.#done += 1
        const processed = { result, bytes: 0, counts: { documents: rows }, notes } as const
        yield { type: 'servers-seen', stage, load: loadOf(event) }
        yield { type: 'item-done', stage, key: keyOf(event), processed, milliseconds }
        yield { type: 'batch-committed', stage, batch, done: [keyOf(event)], failed: [], milliseconds }
        break
      }
      case 'batch-failed':
        this.#failed += 1
        yield { type: 'item-failed', stage, key: keyOf(event), error: event.error, milliseconds: 0 }
        yield {
          type: 'batch-committed',
          stage,
          batch: event.batch,
          done: [],
          failed: [keyOf(event)],
          milliseconds: 0,
        }
        break
      case 'held-back':
        yield { type: 'servers-seen', stage, load: loadOf(event) }
        yield {
          type: 'held-back',
          stage,
          hold: { reason: event.reason, isPause: event.cause === 'operator' },
        }
        break
      case 'throttled':
        yield { type: 'held-back', stage, hold: undefined }
        break
      case 'file-done':
        yield* this.#finish(undefined)
        break
      case 'file-failed':
        // A file that is no list of ids never began.
        if (stage !== event.file)
          yield { type: 'pass-started', stage: event.file, mode: this.#mode, total: 0, waiting: 0 }
        this.#stage = event.file
        yield* this.#finish(event.error)
        break
    }
  }

  *#finish(error: Error | undefined): Generator<EngineEvent> {
    if (this.#stage === '') return
    const stage = this.#stage
    this.#stage = ''
    if (error) yield { type: 'pass-stopped', stage, reason: 'unavailable', error }
    yield {
      type: 'pass-finished',
      stage,
      summary: {
        succeeded: this.#done,
        failed: this.#failed,
        pending: Math.max(0, this.#batches - this.#done - this.#failed),
        bytes: 0,
        milliseconds: 0,
        stopped: error && 'unavailable',
        error,
      },
    }
  }
}

/** -1 stands for what is not known. */
const loadOf = ({ lag, hll }: { readonly lag: number; readonly hll: number }): ServerLoad => ({
  replicaLag: lag < 0 ? undefined : lag,
  historyList: hll < 0 ? undefined : hll,
})

const keyOf = ({ batch }: { readonly batch: number }): string => `batch ${batch}`
