import type { Dirent } from 'node:fs'
import { errnoOf } from '../../errors.ts'
import { calls } from '../../platform/fs-calls.ts'
import type { EntryKind } from './record-names.ts'

/** What a directory's entry says of itself. */
export const kindOf = (entry: Dirent): EntryKind =>
  entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'other'

/** Some file systems do not say what an entry is. */
export const isUntyped = (entry: Dirent): boolean =>
  !entry.isDirectory() && !entry.isFile() && !entry.isSymbolicLink() && !entry.isFIFO() && !entry.isSocket()

/** What stands at a path; what has gone meanwhile is no directory. Throws the system's errors. */
export const kindAt = async (path: string): Promise<EntryKind> => {
  const stats = await calls.lstat(Buffer.from(path)).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error
  })
  if (stats?.isDirectory()) return 'directory'
  return stats?.isSymbolicLink() ? 'link' : 'other'
}
