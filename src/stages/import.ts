import type { RunDocuments, RunRecord } from '../core/run-record.ts'
import type { DocumentStore, Processed, RecordSource, Stage } from './stage.ts'

/** Run record directories → artdaqDB: reads a record whole, turns it into documents, stores them. Stored is what a commit returned from. */
export const importStage = (
  records: RecordSource,
  artdaq: DocumentStore,
  convert: (record: RunRecord) => RunDocuments,
): Stage => ({
  name: 'import',
  process: async (run, signal) => {
    const record = await records.read(run, signal)
    const documents = convert(record)
    const result = await artdaq.put(documents, signal)
    return { result, ...measure(record, documents), notes: notesOf(record) }
  },
  commitDue: () => artdaq.commitDue(),
  commit: () => artdaq.commit(),
})

const measure = (record: RunRecord, { documents }: RunDocuments): Pick<Processed, 'bytes' | 'documents'> => ({
  bytes: record.files.reduce((sum, file) => sum + file.content.length, 0),
  documents: documents.length,
})

const notesOf = (record: RunRecord): string[] => [
  ...record.skipped.map(({ name, kind }) => `${record.directory}/${name} is a ${kind} and was left out`),
  ...(record.ended ? [] : [`${record.directory} has no stop line and was archived incomplete`]),
]
