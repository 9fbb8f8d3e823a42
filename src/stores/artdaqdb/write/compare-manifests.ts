import type { RecordManifest } from '../../run-record.ts'

/** Whether two manifests are of the same record: the signature, which a mere touch changes, is no part of it. */
export const sameRecord = (a: RecordManifest, b: RecordManifest): boolean =>
  JSON.stringify(comparable(a)) === JSON.stringify(comparable(b))

const comparable = ({ signature: _, ...record }: RecordManifest): unknown => [
  record.run,
  record.directory,
  record.directoryMode,
  record.ended,
  record.folders.map(({ name, mode }) => [name, mode]),
  record.skipped.map(({ name, kind }) => [name, kind]),
  record.files.map(({ name, mode, size, sha256 }) => [name, mode, size, sha256]),
]

/** Files that a record had and has no longer. */
export const missingFiles = (before: RecordManifest, after: RecordManifest): readonly string[] => {
  const there = new Set(after.files.map(({ name }) => name))
  return before.files.map(({ name }) => name).filter((name) => !there.has(name))
}
