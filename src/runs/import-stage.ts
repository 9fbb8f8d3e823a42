import type { RecordManifest, RunDocument, RunDocuments } from '../stores/run-record.ts'
import type { DocumentStore, NewRun, NewRunPlace } from '../stores/store.ts'
import type { Processed, Stage } from '../engine/stage.ts'

/** Run records as the import stage needs them. Both throw as `RecordSource.read` does. */
export interface ImportSource {
  /** A run's record, read whole, as documents. */
  readonly load: (run: number, signal: AbortSignal, room?: Room) => Promise<RunDocuments>
  /** The same, written where artdaqDB wants a run that it knows nothing of. */
  readonly write: (run: number, place: NewRunPlace, signal: AbortSignal, room?: Room) => Promise<NewRun>
  /** Waits until there is memory for a run's record. Throws RECORD_INVALID where it needs more than there is in all. */
  readonly admit?: (run: number, signal: AbortSignal) => Promise<Room>
  /** What a run of another program lacks, as the archive has it (`asArchived`). */
  readonly completing?: (
    run: number,
    lacking: readonly RunDocument[],
    signal: AbortSignal,
  ) => Promise<Completion>
}

/** Documents that a run lacks, as they are to be written. */
export interface Completion {
  readonly documents: readonly RunDocument[]
  /** What a person should know of it. */
  readonly note: string
}

/** Memory that was taken for a run. */
export interface Room {
  /** Bytes of the record that it is enough for. */
  readonly bytes: number
  readonly release: () => void
}

/**
 * Run record directories → artdaqDB: reads a record whole, turns it into documents, stores them. Stored is what a commit returned from.
 * `archived` gets the manifest of each record that was stored, and what is wrong with its text files.
 */
export const importStage = (
  source: ImportSource,
  artdaq: DocumentStore,
  archived: (manifest: RecordManifest, damages: readonly string[]) => void,
): Stage<number> => ({
  name: 'import',
  // Half of a run's time is that of the syncs of its documents. A store that others write for us is given no more than was asked for.
  waits: artdaq.putNew ? 1 : 0,
  process: async (run, signal) => {
    const processed = (
      { manifest, documents, notes = [], losses = [] }: Stored,
      result: Processed['result'],
      completed: readonly string[] = [],
    ): Processed => {
      if (manifest) archived(manifest, notes)
      const bytes = manifest?.files.reduce((sum, { size }) => sum + size, 0) ?? 0
      return {
        result,
        bytes,
        counts: { documents: documents.length },
        notes: [...notes, ...losses, ...completed, ...(manifest ? notesOf(manifest) : [])],
      }
    }
    const room = await source.admit?.(run, signal)
    try {
      const written = await artdaq.putNew?.(run, (place) => source.write(run, place, signal, room), signal)
      if (written) return processed(written, 'stored')
      const documents = await source.load(run, signal, room)
      const completed: string[] = []
      const result = await artdaq.put(documents, signal, async (lacking) => {
        if (!source.completing) return lacking
        const completion = await source.completing(run, lacking, signal)
        completed.push(completion.note)
        return completion.documents
      })
      return processed(documents, result, completed)
    } finally {
      room?.release()
    }
  },
  commitDue: () => artdaq.commitDue(),
  commit: () => artdaq.commit(),
})

/** What a run consists of, written by this thread or by another. */
type Stored = Pick<RunDocuments | NewRun, 'manifest' | 'documents' | 'notes' | 'losses'>

/** What a person calls what is not read. */
const KINDS: Readonly<Record<RecordManifest['skipped'][number]['kind'], string>> = {
  link: 'a link',
  fifo: 'a named pipe',
  socket: 'a socket',
  device: 'a device',
  unknown: 'something unknown',
}

const notesOf = ({ directory, skipped, ended }: RecordManifest): string[] => [
  ...skipped.map(({ name, kind }) => `${name} is ${KINDS[kind]}, not a file; skipped`),
  ...(ended ? [] : [`${directory} has no stop line and was archived incomplete`]),
]
