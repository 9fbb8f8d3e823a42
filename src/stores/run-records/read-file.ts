import { constants } from 'node:fs'
import { ArchiverError } from '../../errors.ts'
import { descriptor } from '../../files.ts'
import { isUnchanged, type WalkedEntry } from './walk.ts'

// A link that took a file's place is not followed, and opening a FIFO that did so does not wait for a writer.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/**
 * A regular file's bytes, exactly as many as it had when it was looked at. Throws RECORD_CHANGING when what is opened is not what
 * was looked at, or has grown or shrunk since.
 */
export const readWhole = async ({ path, name, stats }: WalkedEntry): Promise<Buffer> => {
  const file = await descriptor.open(path, FLAGS)
  try {
    if (!isUnchanged(stats, await descriptor.stat(file, { bigint: true }))) throw changed(name)
    const size = Number(stats.size)
    const content = Buffer.allocUnsafeSlow(size)
    if ((await fill(file, content, 0)) < size) throw changed(name)
    return content
  } finally {
    descriptor.close(file)
  }
}

/** The last bytes of a file, `most` at the most. What is no regular file any more gives none. */
export const readEnd = async ({ path }: WalkedEntry, most: number): Promise<Buffer> => {
  const file = await descriptor.open(path, FLAGS)
  try {
    const stats = await descriptor.stat(file)
    if (!stats.isFile()) return Buffer.alloc(0)
    const content = Buffer.alloc(Math.min(stats.size, most))
    return content.subarray(0, await fill(file, content, stats.size - content.length))
  } finally {
    descriptor.close(file)
  }
}

/** Fills a buffer from a place in the file, however little each read gives; less only at the file's end. */
const fill = async (file: number, buffer: Buffer, start: number): Promise<number> => {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await descriptor.read(file, buffer, filled, buffer.length - filled, start + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

const changed = (name: string): ArchiverError =>
  new ArchiverError('RECORD_CHANGING', `${name} changed while it was read`)
