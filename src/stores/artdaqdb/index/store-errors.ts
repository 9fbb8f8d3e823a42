import { calls } from '../../../platform/fs-calls.ts'
import { fileLimitError } from '../../../platform/open-files.ts'
import { ArchiverError, errnoOf, messageOf } from '../../../errors.ts'

/** Identity, size and times of what stands at a path; empty where nothing does. */
export async function statKey(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await calls.statPath(path)
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw unavailable(path, error)
  }
}

export const unavailable = (path: string, error: unknown): ArchiverError =>
  fileLimitError(error) ??
  new ArchiverError('STORE_UNAVAILABLE', `artdaqDB ${path}: ${messageOf(error)}`, { cause: error })

/** A full or read-only disk, missing rights: the store cannot take anything, whatever the run. What is not the system's stays as it is. */
export const asStoreError = (path: string, error: unknown): unknown =>
  errnoOf(error) === undefined || error instanceof ArchiverError ? error : unavailable(path, error)
