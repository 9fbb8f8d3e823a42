import { percent } from '../core/progress.ts'
import type { State } from '../core/verdict.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import type { Cell, Row } from '../sql/rows.ts'
import type { TableName } from '../sql/tables.ts'
import { timeText } from '../sql/times.ts'
import type { EngineEvent, StageName } from '../stages/stage.ts'

type Of<Type extends EngineEvent['type']> = Extract<EngineEvent, { type: Type }>

interface FileRecord {
  readonly run: number
  readonly startedAt: number
  state: State
  attempts: number
  endedAt: number | undefined
  result: string | undefined
  bytes: number
  documents: number
  batch: number
  error: string | undefined
  code: string | undefined
}

interface BatchRecord {
  readonly number: number
  readonly startedAt: number
  state: State
  endedAt: number | undefined
  present: number
  conflicts: number
  succeeded: number
  failed: number
  runs: string | undefined
  first: number | undefined
  last: number | undefined
  error: string | undefined
}

/** A stage of a pass in the ledger: a step of the execution, with the runs it attempted and the batches they became durable in. */
export class StageRecord {
  readonly name: StageName
  readonly total: number
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
  readonly #open = new Map<number, FileRecord>()
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
      case 'run-started':
        this.#started(event, now)
        break
      case 'run-retry':
        this.#retried(event)
        break
      case 'run-done':
        this.#done(event, now)
        break
      case 'run-failed':
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
      case 'pass-started':
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
      rows.push(this.#row('files', this.#fileCells(file), revision, file.endedAt === undefined))
    for (const batch of this.#changedBatches)
      rows.push(this.#row('batches', this.#batchCells(batch), revision, batch.endedAt === undefined))
    this.#changed = false
    this.#changedFiles.clear()
    this.#changedBatches.clear()
    return rows
  }

  #started({ run, attempt }: Of<'run-started'>, now: number): void {
    this.currentRun = run
    if (!this.#openBatch) {
      this.#openBatch = newBatch(++this.batch, now)
      this.#changedBatches.add(this.#openBatch)
    }
    const file = this.#open.get(run) ?? newFile(run, now)
    file.attempts = attempt
    this.#open.set(run, file)
    this.#changedFiles.add(file)
  }

  #retried({ run, error }: Of<'run-retry'>): void {
    const file = this.#open.get(run)
    if (!file) return
    file.error = this.#text(messageOf(error))
    this.#changedFiles.add(file)
  }

  #done({ run, processed }: Of<'run-done'>, now: number): void {
    const file = this.#end(run, 'done', now)
    file.result = processed.result
    file.bytes = processed.bytes
    file.documents = processed.documents
    file.error = processed.notes.length === 0 ? undefined : this.#text(processed.notes.join('; '))
    this.attempted += 1
    this.succeeded += 1
    this.bytes += processed.bytes
    this.documents += processed.documents
    if (processed.result === 'present' && this.#openBatch) this.#openBatch.present += 1
    this.message = `run ${run}: ${processed.result}`
  }

  #failed({ run, error }: Of<'run-failed'>, now: number): void {
    const file = this.#end(run, 'failed', now)
    file.error = this.#text(messageOf(error))
    file.code = error instanceof ArchiverError ? error.code : undefined
    this.attempted += 1
    this.failed += 1
    if (file.code === 'CONFLICT' && this.#openBatch) this.#openBatch.conflicts += 1
    this.message = this.#text(`run ${run} failed: ${file.error}`)
  }

  #end(run: number, state: State, now: number): FileRecord {
    const file = this.#open.get(run) ?? newFile(run, now)
    this.#open.delete(run)
    file.state = state
    file.endedAt = now
    file.batch = this.batch
    this.#changedFiles.add(file)
    return file
  }

  #committed({ batch: number, runs, failed }: Of<'batch-committed'>, now: number): void {
    const batch = this.#openBatch ?? newBatch(number, now)
    this.#openBatch = undefined
    this.batch = number
    const all = runs.union(failed)
    batch.endedAt = now
    batch.error = undefined
    batch.succeeded = runs.size
    batch.failed = failed.size
    batch.runs = all.toString()
    batch.first = all.first
    batch.last = all.last
    batch.state = stateOfBatch(batch)
    this.#changedBatches.add(batch)
  }

  #finished({ outcome }: Of<'pass-finished'>, now: number): void {
    this.#endedAt = now
    if (outcome.stopped === 'signal') this.state = 'killed'
    else if (outcome.stopped) this.state = 'failed'
    else this.state = outcome.failed.isEmpty ? 'done' : 'partial'
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
      items_total: this.total,
      items_complete: this.attempted,
      items_failed: this.failed,
      percent: percent({ done: this.attempted, total: this.total }) ?? null,
      message: this.message ?? null,
      error_message: this.#error ?? null,
      depth: 0,
    }
  }

  #fileCells(file: FileRecord): Record<string, Cell> {
    const durable = file.state === 'done'
    return {
      stage: this.name,
      run: file.run,
      file_name: String(file.run),
      state: file.state,
      result: file.result ?? null,
      file_size: file.bytes,
      documents: file.documents,
      records_processed: file.documents,
      attempts: file.attempts,
      total_batches: 1,
      processed_batches: durable ? 1 : 0,
      last_processed_batch: durable ? file.batch : 0,
      started_at: timeText(file.startedAt),
      ended_at: timeOf(file.endedAt),
      duration_ms: file.endedAt === undefined ? null : file.endedAt - file.startedAt,
      error_code: file.code ?? null,
      error_message: file.error ?? null,
    }
  }

  #batchCells(batch: BatchRecord): Record<string, Cell> {
    return {
      stage: this.name,
      file_name: this.name,
      batch_number: batch.number,
      state: batch.state,
      first_id: textOf(batch.first),
      last_id: textOf(batch.last),
      items: batch.runs ?? null,
      requested: batch.succeeded + batch.failed,
      succeeded: batch.succeeded,
      present: batch.present,
      failed: batch.failed,
      conflicts: batch.conflicts,
      started_at: timeText(batch.startedAt),
      ended_at: timeOf(batch.endedAt),
      duration_ms: batch.endedAt === undefined ? null : batch.endedAt - batch.startedAt,
      error_message: batch.error ?? null,
    }
  }
}

const newFile = (run: number, startedAt: number): FileRecord => ({
  run,
  startedAt,
  state: 'running',
  attempts: 1,
  endedAt: undefined,
  result: undefined,
  bytes: 0,
  documents: 0,
  batch: 0,
  error: undefined,
  code: undefined,
})

const newBatch = (number: number, startedAt: number): BatchRecord => ({
  number,
  startedAt,
  state: 'running',
  endedAt: undefined,
  present: 0,
  conflicts: 0,
  succeeded: 0,
  failed: 0,
  runs: undefined,
  first: undefined,
  last: undefined,
  error: undefined,
})

/** `partial` is COMPLETED_WITH_DUPLICATES: content that was there already, equal or (a conflict) not. */
const stateOfBatch = ({ succeeded, present, conflicts }: BatchRecord): State => {
  if (succeeded === 0 && conflicts === 0) return 'failed'
  return present + conflicts > 0 ? 'partial' : 'done'
}

const timeOf = (ms: number | undefined): string | null => (ms === undefined ? null : timeText(ms))

const textOf = (value: number | undefined): string | null => (value === undefined ? null : String(value))
