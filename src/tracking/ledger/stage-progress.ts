import { itemTitle, keysText, numberOf, withoutTitle } from '../../common/item-keys.ts'
import { RunSet } from '../../common/run-set.ts'
import { percent } from './eta.ts'
import type { State } from './status-words.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import type { Cell, Row } from './row.ts'
import type { TableName } from './tables.ts'
import { timeText } from '../../sql/timestamps.ts'
import type { EngineEvent } from '../../engine/stage.ts'
import {
  batchCells,
  fileCells,
  newBatch,
  newFile,
  stateOfBatch,
  timeOf,
  type BatchRecord,
  type FileRecord,
} from './stage-rows.ts'

type Of<Type extends EngineEvent['type']> = Extract<EngineEvent, { type: Type }>

/** A stage of a pass in the ledger: a step of the execution, with the runs it attempted and the batches they became durable in. */
export class StageRecord {
  readonly name: string
  readonly total: number | undefined
  attempted = 0
  succeeded = 0
  failed = 0
  bytes = 0
  documents = 0
  batch = 0
  state: State = 'running'
  message: string | undefined
  currentRun: number | undefined
  readonly #runId: string
  readonly #seq: number
  readonly #startedAt: number
  readonly #text: (text: string) => string
  readonly #open = new Map<string, FileRecord>()
  readonly #changedFiles = new Set<FileRecord>()
  readonly #changedBatches = new Set<BatchRecord>()
  #openBatch: BatchRecord | undefined
  #endedAt: number | undefined
  #error: string | undefined
  #changedAt: number
  #changed = true

  constructor(
    runId: string,
    seq: number,
    { stage, total }: Of<'pass-started'>,
    now: number,
    text: (text: string) => string,
  ) {
    this.#runId = runId
    this.#seq = seq
    this.name = stage
    this.total = total
    this.#startedAt = this.#changedAt = now
    this.#text = text
  }

  get ended(): boolean {
    return this.#endedAt !== undefined
  }

  on(event: EngineEvent, now: number): void {
    this.#changedAt = now
    this.#changed = true
    switch (event.type) {
      case 'item-started':
        this.#started(event, now)
        break
      case 'item-retry':
        this.#retried(event)
        break
      case 'item-done':
        this.#done(event, now)
        break
      case 'item-failed':
        this.#failed(event, now)
        break
      case 'batch-committed':
        this.#committed(event, now)
        break
      case 'pass-stopped':
        this.#error = event.error === undefined ? event.reason : this.#text(messageOf(event.error))
        break
      case 'pass-finished':
        this.#finished(event, now)
        break
      case 'item-lost':
        this.#lostClaim(event, now)
        break
      case 'pass-started':
      case 'listed':
        break
    }
  }

  /** Ends what is still open in the way the execution ended. Runs in hand may still finish after a signal; then they are done. */
  close(state: State, now: number, error: string | undefined): void {
    if (!this.ended) {
      this.#endedAt = this.#changedAt = now
      this.state = state
      this.#error ??= error
      this.#changed = true
    }
    this.#closeOpen(state === 'killed' || state === 'cancelled' ? state : 'pending', now, error)
  }

  drain(revision: number): Row[] {
    const rows: Row[] = []
    if (this.#changed) rows.push(this.#row('subtasks', this.#cells(), revision, !this.ended))
    for (const file of this.#changedFiles)
      rows.push(this.#row('files', fileCells(this.name, file), revision, file.endedAt === undefined))
    for (const batch of this.#changedBatches)
      rows.push(this.#row('batches', batchCells(this.name, batch), revision, batch.endedAt === undefined))
    this.#changed = false
    this.#changedFiles.clear()
    this.#changedBatches.clear()
    return rows
  }

  #started({ key, attempt }: Of<'item-started'>, now: number): void {
    this.currentRun = numberOf(key)
    if (!this.#openBatch) {
      this.#openBatch = newBatch(++this.batch, now)
      this.#changedBatches.add(this.#openBatch)
    }
    const file = this.#open.get(key) ?? newFile(key, now)
    file.attempts = attempt
    this.#open.set(key, file)
    this.#changedFiles.add(file)
  }

  #retried({ key, error }: Of<'item-retry'>): void {
    const file = this.#open.get(key)
    if (!file) return
    file.error = this.#text(messageOf(error))
    this.#changedFiles.add(file)
  }

  #done({ key, processed }: Of<'item-done'>, now: number): void {
    const file = this.#end(key, 'done', now)
    file.result = processed.result
    file.bytes = processed.bytes
    file.documents = processed.counts['documents'] ?? 0
    file.error = processed.notes.length === 0 ? undefined : this.#text(processed.notes.join('; '))
    this.attempted += 1
    this.succeeded += 1
    this.bytes += processed.bytes
    this.documents += file.documents
    if (processed.result === 'present' && this.#openBatch) this.#openBatch.present += 1
    this.message = `${itemTitle(this.name, key)}: ${processed.result}`
  }

  #failed({ key, error }: Of<'item-failed'>, now: number): void {
    const file = this.#end(key, 'failed', now)
    file.error = this.#text(messageOf(error))
    file.code = error instanceof ArchiverError ? error.code : undefined
    this.attempted += 1
    this.failed += 1
    if (file.code === 'CONFLICT' && this.#openBatch) this.#openBatch.conflicts += 1
    this.message = this.#text(
      `${itemTitle(this.name, key)} failed: ${withoutTitle(this.name, key, file.error)}`,
    )
  }

  /** Another instance has the item: its own ledger records what becomes of it. */
  #lostClaim({ key }: Of<'item-lost'>, now: number): void {
    const file = this.#end(key, 'pending', now)
    file.error = 'its claim was lost; another instance has it'
  }

  #end(key: string, state: State, now: number): FileRecord {
    const file = this.#open.get(key) ?? newFile(key, now)
    this.#open.delete(key)
    file.state = state
    file.endedAt = now
    this.#changedFiles.add(file)
    return file
  }

  #committed({ batch: number, done, failed }: Of<'batch-committed'>, now: number): void {
    const batch = this.#openBatch ?? newBatch(number, now)
    this.#openBatch = undefined
    this.batch = number
    const keys = [...done, ...failed]
    const all = RunSet.of(keys.flatMap((key) => numberOf(key) ?? []))
    batch.endedAt = now
    batch.error = undefined
    batch.succeeded = done.length
    batch.failed = failed.length
    batch.runs = keysText(keys)
    batch.first = all.first
    batch.last = all.last
    batch.state = stateOfBatch(batch)
    this.#changedBatches.add(batch)
  }

  #finished({ summary }: Of<'pass-finished'>, now: number): void {
    this.#endedAt = now
    if (summary.stopped === 'signal') this.state = 'killed'
    else if (summary.stopped) this.state = 'failed'
    else this.state = summary.failed === 0 ? 'done' : 'partial'
    this.currentRun = undefined
    this.#closeOpen(this.state === 'killed' ? 'killed' : 'pending', now, this.#error)
    this.#open.clear()
    this.#openBatch = undefined
  }

  /** Runs that were begun and are neither done nor failed: whatever the reason, they are not archived. */
  #closeOpen(state: State, now: number, error: string | undefined): void {
    for (const file of this.#open.values()) {
      file.state = state
      file.endedAt = now
      file.error = error ?? file.error ?? 'left for a later pass'
      this.#changedFiles.add(file)
    }
    if (!this.#openBatch) return
    this.#openBatch.state = state
    this.#openBatch.endedAt = now
    this.#openBatch.error = error ?? 'left for a later pass'
    this.#changedBatches.add(this.#openBatch)
  }

  #row(table: TableName, cells: Record<string, Cell>, revision: number, transient: boolean): Row {
    const updated = timeText(this.#changedAt)
    return { table, cells: { run_id: this.#runId, ...cells, updated_at: updated, revision }, transient }
  }

  #cells(): Record<string, Cell> {
    return {
      seq: this.#seq,
      name: this.name,
      state: this.state,
      started_at: timeText(this.#startedAt),
      ended_at: timeOf(this.#endedAt),
      items_total: this.total ?? null,
      items_complete: this.attempted,
      items_failed: this.failed,
      percent: percent({ done: this.attempted, total: this.total }) ?? null,
      message: this.message ?? null,
      error_message: this.#error ?? null,
      depth: 0,
    }
  }
}
