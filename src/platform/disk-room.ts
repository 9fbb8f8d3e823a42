import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Room on the disk of a folder. */
export interface DiskRoom {
  /** The folder, or the nearest above it that is there. */
  readonly folder: string
  /** Bytes that this user may still write. */
  readonly free: number
}

/** The room on the disk of a folder, which need not be there yet; undefined where the system does not say. */
export const diskRoom = async (path: string): Promise<DiskRoom | undefined> => {
  try {
    const folder = await nearest(path)
    const { bavail, blocks, bsize } = await statfs(folder)
    return blocks === 0 ? undefined : { folder, free: bavail * bsize }
  } catch {
    return undefined // whoever opens the folder reports what is wrong with it
  }
}

/** The path itself, or the nearest above it that is there. A disk that hangs keeps only its caller waiting. */
export const nearest = async (path: string): Promise<string> => {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  return isThere || dirname(path) === path ? path : nearest(dirname(path))
}
