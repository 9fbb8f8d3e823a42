import { ArchiverError } from '../../../errors.ts'
import type { RecordFile, RecordFolder, RunDocuments } from '../../run-record.ts'

/** Files and folders of a run record. */
export interface RestoredRecord {
  readonly files: readonly RecordFile[]
  readonly folders: readonly RecordFolder[]
}

/**
 * The run record that documents were made from: every file with its name, mode and bytes, in the manifest's order, and every
 * folder. Where there is no manifest, another program stored the run, and its documents are given as `<entity>.fcl`.
 * Throws STORE_CORRUPT when a file of the manifest is missing or is another (with `sha256`: when its bytes are).
 */
export const restoreFiles = (
  { run, documents, attached, manifest }: RunDocuments,
  sha256?: (bytes: Uint8Array) => string,
): RestoredRecord => {
  if (manifest === undefined) {
    const files = documents.map(({ entity, text }) => ({ name: `${entity}.fcl`, mode: 0o444, content: text }))
    return { files, folders: [] }
  }
  const kept = new Map<string, RecordFile>()
  for (const file of [...documents.map(({ original }) => original), ...attached])
    if (file) kept.set(file.name, file)
  const files = manifest.files.map(({ name, mode, size, sha256: sum }) => {
    const file = kept.get(name)
    const isSame = file?.content.length === size && (sha256 === undefined || sha256(file.content) === sum)
    if (file && isSame) return { name, mode, content: file.content }
    throw new ArchiverError(
      'STORE_CORRUPT',
      `run ${run}: ${name} ${file ? 'is not what was stored' : 'is missing'}`,
      {
        run,
        hint: 'Restore the database from a backup, or archive the run record again into another one.',
      },
    )
  })
  return { files, folders: manifest.folders }
}
