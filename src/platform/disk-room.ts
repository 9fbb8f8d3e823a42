import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
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
  const folder = nearest(path)
  try {
    const { bavail, blocks, bsize } = await statfs(folder)
    return blocks === 0 ? undefined : { folder, free: bavail * bsize }
  } catch {
    return undefined // a folder that is away is for whoever opens it to report
  }
}

/** The path itself, or the nearest folder above it that is there. */
export const nearest = (path: string): string => (existsSync(path) ? path : nearest(dirname(path)))
