import { constants } from 'node:fs'
import { ArchiverError, errnoOf } from '../../errors.ts'
import { calls } from '../../platform/fs-calls.ts'
import { isUnchanged, type WalkedEntry } from './walk.ts'

// A link that took a file's place is not followed, and opening a FIFO that did so does not wait for a writer.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** Whether the time of reading may be left as it is, which only an owner may ask for: writing it would wait for the disk's journal. */
let mayKeepTime = true

const keepingTime = async <T>(work: (flags: number) => Promise<T>): Promise<T> => {
  if (mayKeepTime)
    try {
      return await work(FLAGS | constants.O_NOATIME)
    } catch (error) {
      if (errnoOf(error) !== 'EPERM') throw error
      mayKeepTime = false
    }
  return await work(FLAGS)
}

/**
 * A regular file's bytes, exactly as many as it had when it was looked at. Throws RECORD_CHANGING when what is opened is not what
 * was looked at, or has grown or shrunk since.
 */
export const readWhole = async ({ path, name, stats }: WalkedEntry): Promise<Buffer> => {
  const content = await keepingTime((flags) =>
    calls.exactContents(path, flags, (opened) => {
      if (!isUnchanged(stats, opened)) throw changed(name)
      return Number(opened.size)
    }),
  )
  if (content.length < Number(stats.size)) throw changed(name)
  return content
}

/** The last bytes of a file, `most` at the most. What is no regular file any more gives none. */
export const readEnd = async ({ path }: WalkedEntry, most: number): Promise<Buffer> => {
  const file = await keepingTime((flags) => calls.open(path, flags))
  try {
    const stats = await calls.stat(file)
    if (!stats.isFile()) return Buffer.alloc(0)
    const size = Number(stats.size)
    const content = Buffer.alloc(Math.min(size, most))
    return content.subarray(0, await fill(file, content, size - content.length))
  } finally {
    calls.close(file)
  }
}

/** Fills a buffer from a place in the file, however little each read gives; less only at the file's end. */
const fill = async (file: number, buffer: Buffer, start: number): Promise<number> => {
  let filled = 0
  while (filled < buffer.length) {
    const bytes = await calls.read(file, buffer, filled, buffer.length - filled, start + filled)
    if (bytes === 0) break
    filled += bytes
  }
  return filled
}

const changed = (name: string): ArchiverError =>
  new ArchiverError('RECORD_CHANGING', `${name} changed while it was read`)
