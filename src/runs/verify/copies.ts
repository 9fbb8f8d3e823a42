import type { RunDocuments, StoredRun } from '../../stores/run-record.ts'
import type { Archive, DocumentStore, RecordSource } from '../../stores/store.ts'

/** What comparing a run's copies needs of an archiver. */
export interface Copies {
  readonly records: Pick<RecordSource, 'read'>
  readonly artdaq: Pick<DocumentStore, 'read'>
  readonly archive: Pick<Archive, 'get'>
  /** A run's record, converted again. */
  readonly load: (run: number, signal: AbortSignal) => Promise<RunDocuments>
  readonly pack: (stored: StoredRun) => Buffer
}
