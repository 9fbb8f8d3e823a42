import type { MemoryBudget } from '../common/memory-budget.ts'
import type { RunDocuments, RunRecord } from '../stores/run-record.ts'
import type { RunRecords } from '../stores/run-records/source.ts'
import { admitImport } from './import-room.ts'
import type { ImportSource } from './import-stage.ts'
import type { Threads } from './workers/worker-pool.ts'

interface Parts {
  readonly records: RunRecords
  readonly threads: Threads
  readonly convert: (record: RunRecord) => RunDocuments
  readonly budget: MemoryBudget
  readonly maxRecordBytes: number
}

/** Run records for the import stage: a new run is read, converted and written on a thread, any other on this one. */
export const importSource = ({
  records,
  threads,
  convert,
  budget,
  maxRecordBytes,
}: Parts): Required<Omit<ImportSource, 'completing'>> => ({
  admit: (run, signal) => admitImport(run, records.largeSize(run), { budget, maxRecordBytes }, signal),
  load: async (run, signal, room) => convert(await records.read(run, signal, { most: room?.bytes })),
  write: (run, place, signal, room) =>
    records.steadily(run, signal, (path, directory) =>
      threads.write({ run, path, directory, most: room?.bytes }, place, signal),
    ),
})
