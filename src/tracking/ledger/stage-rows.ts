import { numberOf } from '../../common/item-keys.ts'
import type { State } from './status-words.ts'
import type { Cell } from './row.ts'
import { timeText } from '../../sql/timestamps.ts'

/** An item (a run, where the stage is one of runs) in one stage of one execution. */
export interface FileRecord {
  readonly key: string
  readonly startedAt: number
  state: State
  attempts: number
  endedAt: number | undefined
  result: string | undefined
  bytes: number
  documents: number
  error: string | undefined
  code: string | undefined
}

/** Runs that became durable together. Its counts grow while it is open. */
export interface BatchRecord {
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

/** The row of a run in `files`. */
export const fileCells = (stage: string, file: FileRecord): Record<string, Cell> => {
  const durable = file.state === 'done'
  return {
    stage,
    run: numberOf(file.key) ?? null,
    file_name: file.key,
    state: file.state,
    result: file.result ?? null,
    file_size: file.bytes,
    documents: file.documents,
    records_processed: file.documents,
    attempts: file.attempts,
    total_batches: 1,
    processed_batches: durable ? 1 : 0,
    last_processed_batch: durable ? 1 : 0,
    started_at: timeText(file.startedAt),
    ended_at: timeOf(file.endedAt),
    duration_ms: file.endedAt === undefined ? null : file.endedAt - file.startedAt,
    error_code: file.code ?? null,
    error_message: file.error ?? null,
  }
}

/** The row of a batch in `batches`. */
export const batchCells = (stage: string, batch: BatchRecord): Record<string, Cell> => {
  return {
    stage,
    file_name: stage,
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

/** A run that begins. */
export const newFile = (key: string, startedAt: number): FileRecord => ({
  key,
  startedAt,
  state: 'running',
  attempts: 1,
  endedAt: undefined,
  result: undefined,
  bytes: 0,
  documents: 0,
  error: undefined,
  code: undefined,
})

/** A batch that begins. */
export const newBatch = (number: number, startedAt: number): BatchRecord => ({
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
export const stateOfBatch = ({ succeeded, present, conflicts }: BatchRecord): State => {
  if (succeeded === 0 && conflicts === 0) return 'failed'
  return present + conflicts > 0 ? 'partial' : 'done'
}

/** A moment, or that there is none. */
export const timeOf = (ms: number | undefined): string | null => (ms === undefined ? null : timeText(ms))

const textOf = (value: number | undefined): string | null => (value === undefined ? null : String(value))
