import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { type Calls, calls } from './fs-calls.ts'
import { fewAtOnce } from './open-files.ts'

/** Opening a FIFO that has a file's name does not wait for a writer. */
export const READING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/**
 * A regular file's bytes, by the calls that suit the thread. Throws the system's errors, and `NotAFile` for what stands at the path and is none: a folder,
 * a FIFO, a device. A link is followed.
 */
export const readFile = async (path: string): Promise<Buffer> => {
  const content = await readSmallFile(path, Infinity)
  return content === 'large' ? EMPTY : content
}

/** The same of a file with fewer bytes than `most`; of a larger one nothing is read. */
export const readSmallFile = async (path: string, most: number): Promise<Buffer | 'large'> => {
  const looked = { isLarge: false }
  const content = await contents(path, READING, (opened) => {
    if (!opened.isFile()) throw new NotAFile(path)
    looked.isLarge = opened.size >= most
    return looked.isLarge ? 0 : opened.size
  }).catch((error: unknown) => {
    throw isSpecial(error) ? new NotAFile(path) : error
  })
  return looked.isLarge ? 'large' : content
}

const EMPTY = Buffer.alloc(0)

/** A thread that makes its calls itself has one file open at a time. */
const contents: Calls['contents'] = isMainThread
  ? fewAtOnce((path, flags, size) => calls.contents(path, flags, size))
  : (path, flags, size) => calls.contents(path, flags, size)

/** The same as text. */
export const readText = async (path: string): Promise<string> => (await readFile(path)).toString('utf8')

/** The same at once, for a start that has no time to wait. */
export const readTextNow = (path: string): string => {
  const file = openRegularNow(path)
  try {
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** Opens a regular file to be read in pieces. Throws as `readFile` does. The caller closes it. */
export const openRegularNow = (path: string): number => {
  const file = openSync(path, READING)
  if (fstatSync(file).isFile()) return file
  closeSync(file)
  throw new NotAFile(path)
}

/**
 * Whether an error is about what stands at one path alone, and says nothing of the disk or the folder: no regular file, a link that leads to itself, a file
 * that this user may not read.
 */
export const isOfOneFile = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['EISDIR', 'ELOOP', 'EACCES'].includes(String(error.code))

/** As `isOfOneFile`, and EIO: a bad sector under this file. Other files may still be read. */
export const isOfOneFileOrSector = (error: unknown): boolean =>
  isOfOneFile(error) || (error instanceof Error && 'code' in error && error.code === 'EIO')

/** Something that is no regular file stands where one should be. `code`: as the system says it of a folder. */
export class NotAFile extends Error {
  readonly code = 'EISDIR'
  constructor(path: string) {
    super(`${path} is no regular file`)
    this.name = 'NotAFile'
  }
}

/** Sockets, and devices without a driver. */
const isSpecial = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENXIO' || error.code === 'ENODEV')
