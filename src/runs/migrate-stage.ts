import type { StoredRun } from '../stores/run-record.ts'
import type { Stage } from '../engine/stage.ts'
import type { Archive, DocumentStore } from '../stores/store.ts'

/** What is looked at once a run's blob is archived (`--validate`): gives the complaints, none when all is well. */
export type BlobCheck = (run: number, blob: Buffer) => readonly string[]

/** artdaqDB → UconDB: reads a run's documents, packs them into one blob, puts it under the run's key and compares what is held there. */
export const migrateStage = (
  artdaq: DocumentStore,
  archive: Archive,
  pack: (stored: StoredRun) => Buffer,
  /** Milliseconds, never jumping. */
  monotonic: () => number,
  check?: BlobCheck,
): Stage => ({
  name: 'migrate',
  process: async (run, signal) => {
    const began = monotonic()
    const stored = await artdaq.read(run, signal)
    const exported = monotonic() - began
    const blob = pack(stored)
    const result = await archive.put(run, stored.update, blob, signal)
    const notes = check ? check(run, await archive.get(run, stored.update, signal)) : []
    return {
      result: stored.update > 0 && result === 'stored' ? 'updated' : result,
      bytes: blob.length,
      documents: stored.documents.length,
      notes,
      exported,
    }
  },
})
