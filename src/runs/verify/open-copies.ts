import { now } from '../../platform/host.ts'
import { openDocumentStore } from '../../stores/artdaqdb/open.ts'
import { RunRecords } from '../../stores/run-records/source.ts'
import type { RunPlace } from '../../stores/index-data.ts'
import { packer } from '../../stores/ucondb/blob/blob.ts'
import { openArchive } from '../../stores/ucondb/open.ts'
import { converter, type CopyPlaces, type WorkSettings } from '../workers/convert-run.ts'
import type { Copies } from './copies.ts'

/** The three places as a thread of its own reads them. */
interface ThreadCopies extends Copies {
  /** Bytes of a run's documents; 0 where artdaqDB does not hold it. */
  bytesOf(run: number): Promise<number>
  /** Does work on a run of which the main thread has said where it is. */
  knowing<T>(run: number, place: RunPlace | undefined, work: () => Promise<T>): Promise<T>
}

/** Opens the three places for reading, on a thread of its own. Creates nothing. */
export const openCopies = async (settings: WorkSettings, places: CopyPlaces): Promise<ThreadCopies> => {
  const { maxRecordBytes, maxRecordFiles } = settings
  const convert = converter(settings)
  const records = new RunRecords({
    directory: places.records,
    settleSeconds: 0,
    incompleteAfterSeconds: 0,
    maxRecordBytes,
    maxRecordFiles,
    now,
  })
  const artdaq = openDocumentStore({
    databaseUris: places.databaseUris,
    keepOriginals: places.keepOriginals,
    useTools: false,
    expectExisting: places.expected.artdaq,
    now,
  })
  return {
    records,
    knowing: (run, place, work) => (place && artdaq.knowing ? artdaq.knowing(run, place, work) : work()),
    bytesOf: async (run) => (await artdaq.bytesOf?.(run)) ?? 0,
    load: async (run, signal) => convert(await records.read(run, signal)),
    artdaq,
    archive: await openArchive(
      {
        serverUrl: places.archiveUrl,
        folderName: places.folderName,
        objectName: places.objectName,
        writerUser: undefined,
        writerPassword: undefined,
        verify: 'content',
        timeoutSeconds: 0,
        connections: 0,
        caFile: undefined,
      },
      { env: {}, stop: undefined, overrideConflict: undefined, expectExisting: places.expected.archive, now },
    ),
    pack: packer(places, now),
  }
}
