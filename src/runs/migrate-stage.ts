import { ArchiverError } from '../errors.ts'
import { freeAfter } from '../platform/free-memory.ts'
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
  /** How a run that another program stored differs from its record; nothing where it is the record as it was before it went on. */
  differences: (stored: StoredRun, signal: AbortSignal) => Promise<readonly string[]> = () =>
    Promise.resolve([]),
): Stage<number> => ({
  name: 'migrate',
  // Each put waits for three syncs, one after the other. A server is given no more at a time than was asked for.
  waits: archive.room ? 1 : 0,
  process: async (run, signal) => {
    // What was read is not held on to while its blob is put: of a large record there would be two.
    const readAndPack = async () => {
      const began = monotonic()
      const { stored, mended } = await readMended(artdaq, run, signal)
      const exported = monotonic() - began
      requireAlike(run, await differences(stored, signal))
      const { update, documents, attached } = stored
      await freeAfter(attached.reduce((most, { content }) => Math.max(most, content.length), 0))
      return { blob: pack(stored), update, documents: documents.length, mended, exported }
    }
    const { blob, update, documents, mended, exported } = await readAndPack()
    await freeAfter(blob.length)
    const result = await archive.put(run, update, blob, signal)
    const complaints = check ? check(run, await archive.get(run, update, signal)) : []
    return {
      result: update > 0 && result === 'stored' ? 'updated' : result,
      bytes: blob.length,
      counts: { documents },
      notes: [...mended, ...complaints],
      times: { exported },
    }
  },
})

const requireAlike = (run: number, differences: readonly string[]): void => {
  if (differences.length === 0) return
  throw new ArchiverError('CONFLICT', `run ${run}: ${differences.slice(0, 3).join('; ')}`, {
    run,
    hint: `another program stored it; compare it with its record: run-archiver diff ${run}`,
  })
}

/** Reads a run; where a document of it is damaged, once more after those were written again that a seal proves. */
const readMended = async (
  artdaq: DocumentStore,
  run: number,
  signal: AbortSignal,
): Promise<{ readonly stored: StoredRun; readonly mended: readonly string[] }> => {
  try {
    return { stored: await artdaq.read(run, signal), mended: [] }
  } catch (error) {
    if (!(error instanceof ArchiverError) || error.code !== 'STORE_CORRUPT' || !artdaq.mend) throw error
    const mended = await artdaq.mend(run)
    if (mended.length === 0) throw error
    return { stored: await artdaq.read(run, signal), mended }
  }
}
