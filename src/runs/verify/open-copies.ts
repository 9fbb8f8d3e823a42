import { now } from '../../platform/host.ts'
import { openDocumentStore } from '../../stores/artdaqdb/open.ts'
import { RunRecords } from '../../stores/run-records/source.ts'
import type { HeldIndex } from '../../stores/index-data.ts'
import { packer } from '../../stores/ucondb/blob/blob.ts'
import { openArchive } from '../../stores/ucondb/open.ts'
import { converter, type CopyPlaces, type WorkSettings } from '../workers/convert-run.ts'
import type { Copies } from './copies.ts'

/** Opens the three places for reading, on a thread of its own. Creates nothing. `heldIndexes`: what the main thread has read. */
export const openCopies = async (
  settings: WorkSettings,
  places: CopyPlaces,
  heldIndexes: readonly HeldIndex[],
): Promise<Copies & { bytesOf(run: number): Promise<number> }> => {
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
    heldIndexes,
    now,
  })
  return {
    records,
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
