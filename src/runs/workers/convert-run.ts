import { hash, randomUUID } from 'node:crypto'
import { toDocuments } from '../../stores/run-records/fhiclize/fhiclize.ts'
import { tryFhicl } from '../../fhicl/try-parse.ts'
import type { RunDocuments, RunRecord } from '../../stores/run-record.ts'
import type { NewRun, NewRunPlace } from '../../stores/store.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import type { Stop } from '../../stores/artdaqdb/write/write-documents.ts'
import { writeNewRun } from '../../stores/artdaqdb/write/write-new-run.ts'
import { type Look, lookAt } from '../../stores/run-records/inspect-record.ts'
import { freeAfter } from '../../platform/free-memory.ts'
import { readRecord } from '../../stores/run-records/read-record.ts'

/** The same for every run. Data alone: it can cross from one thread to another. */
export interface WorkSettings {
  /** The schema document's text. */
  readonly schema: string
  /** `fhiclize_generate`. */
  readonly generate: readonly string[]
  readonly maxRecordBytes: number
  readonly maxRecordFiles: number
  /** Where a run's copies are; undefined where one of the places is not on a disk of this host. */
  readonly copies?: CopyPlaces | undefined
}

/** The three places of a run's copies, all of them files, as data alone. */
export interface CopyPlaces {
  /** The run record directory. */
  readonly records: string
  readonly databaseUris: readonly string[]
  readonly keepOriginals: boolean
  /** `file:///path`. */
  readonly archiveUrl: string
  readonly folderName: string
  readonly objectName: string
  readonly blobContent: 'original' | 'canonical'
  readonly otherFiles: string
  /** Whether each destination is known to hold runs. */
  readonly expected: { readonly artdaq: boolean; readonly archive: boolean }
}

/** A run record on disk. */
export interface RecordPlace {
  readonly run: number
  readonly path: string
  /** The directory's own name. */
  readonly directory: string
  /** Bytes for which there is room in memory. */
  readonly most?: number | undefined
}

/**
 * The work on the files of one run, which any thread can do: what it is given and what it gives is data alone. It holds nothing between two
 * calls, so that a thread that dies takes nothing along but what it had in hand. Throws what its parts throw: ArchiverError, errors of the
 * system, and whatever `stop` throws.
 */
export interface RunWork {
  /** Looks at a record (`lookAt`). */
  look(record: Pick<RecordPlace, 'path'>, stop: Stop): Promise<Look>
  /** Reads a record whole, turns it into documents and writes them (`readRecord`, `toDocuments`, `writeNewRun`). */
  write(record: RecordPlace, place: NewRunPlace, stop: Stop): Promise<NewRun>
}

/** The work, done on the thread that asks for it. */
export const runWork = (settings: WorkSettings): RunWork => {
  const { maxRecordBytes, maxRecordFiles } = settings
  const convert = converter(settings)
  return {
    look: ({ path }, signal) => lookAt(Buffer.from(path), { maxFiles: maxRecordFiles, signal }),
    write: async ({ run, path, directory, most = 0 }, place, signal) => {
      const limits = { maxRecordBytes, maxRecordFiles, most: most || undefined, signal }
      const readAndWrite = async (): Promise<NewRun> => {
        const record = await readRecord(run, Buffer.from(path), directory, limits)
        return writeNewRun(convert(record), place, randomUUID, signal)
      }
      try {
        return await readAndWrite()
      } finally {
        await freeAfter(most)
      }
    },
  }
}

/**
 * Run records as documents, by the configuration. The conversion decides alone, on bytes that were read: what goes wrong in it for one record
 * is a bug, and that run's failure, RECORD_INVALID with the cause, so that no other run waits for the cure.
 */
export const converter = ({
  schema,
  generate,
}: Pick<WorkSettings, 'schema' | 'generate'>): ((record: RunRecord) => RunDocuments) => {
  const options = {
    schema: Buffer.from(schema),
    generate: new Set(generate),
    sha256,
    parse: tryFhicl,
  }
  return (record) => {
    try {
      return toDocuments(record, options)
    } catch (error) {
      if (error instanceof ArchiverError) throw error
      throw new ArchiverError('RECORD_INVALID', `converting the record hit a bug: ${messageOf(error)}`, {
        run: record.run,
        cause: error,
        hint: 'Report the stack in the log file. After an update, retry the run.',
      })
    }
  }
}

/** Lower-case hexadecimal. */
export const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes)
