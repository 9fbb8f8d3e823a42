import type { MemoryBudget } from '../common/memory-budget.ts'
import { ArchiverError } from '../errors.ts'
import { importWeight, type RecordSize, SMALL_WEIGHT } from '../stores/run-records/record-size.ts'
import type { Room } from './import-stage.ts'

interface Limits {
  readonly budget: MemoryBudget
  readonly maxRecordBytes: number
}

/**
 * Waits until there is memory for the import of a record. `size`: undefined for a small one. Throws RECORD_INVALID where it needs more than
 * `app.memory_mb`, so that it fails by name and keeps no other run waiting; the signal's reason where that aborts first.
 */
export const admitImport = async (
  run: number,
  size: RecordSize | undefined,
  { budget, maxRecordBytes }: Limits,
  signal: AbortSignal,
): Promise<Room> => {
  // What is larger than a record may be is never read: it fails by that limit.
  const weight = size === undefined || size.bytes > maxRecordBytes ? SMALL_WEIGHT : importWeight(size)
  if (weight > budget.bytes) throw tooHeavy(run, weight, budget.bytes)
  const release = await budget.take(weight, signal)
  return { bytes: size?.bytes ?? SMALL_WEIGHT, release }
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1_000_000)

const tooHeavy = (run: number, weight: number, budget: number): ArchiverError =>
  new ArchiverError(
    'RECORD_INVALID',
    `run ${run}: the record is too large for the memory: it needs about ${megabytes(weight)} MB, and app.memory_mb is ${megabytes(budget)}`,
    { run, hint: 'Raise app.memory_mb, or take out of the record what does not belong there.' },
  )
