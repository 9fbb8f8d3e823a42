import { type FileHandle, open as openFile } from 'node:fs/promises'
import { READING } from '../../../platform/read-file.ts'
import { JsonError, readJsonValue } from '../../../fhicl/json/parser.ts'
import { errnoOf } from '../../../errors.ts'
import { calls } from '../../../platform/fs-calls.ts'
import { whenFilesAllow } from '../../../platform/open-files.ts'
import { AttachmentReader, toPlain } from '../format/attachments.ts'
import { readStored, type Stored } from '../format/document-reader.ts'
import { SealCheck, sealIn } from '../format/seal.ts'
import { AttachmentScan, type Extent } from './attachment-scan.ts'

/** Bytes from which a document is read in pieces. A smaller one is read faster in whole. */
export const LARGE = 16_000_000
const PIECE = 4 << 20
/** What stands in the place of a list of attachments that was taken out, as the printer writes an empty one. */
const EMPTY_LIST = Buffer.from('[\n\n]')

const open = whenFilesAllow(openFile)

/** Whether a document is so large that it is read in pieces. False where no file is there. */
export const isLarge = async (path: string): Promise<boolean> => {
  const size = await calls.statPath(path).then(
    (found) => found.size,
    () => 0n,
  )
  return size >= LARGE
}

/**
 * A document with the files that it carries taken out. Undefined where its seal does not prove it, and where it cannot be read: who reads it in
 * whole can say what is wrong. Throws STORE_CORRUPT as `readAttachments` does.
 */
export async function readInPieces(path: string, oid: string, size = PIECE): Promise<Stored | undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path, READING)
    const scan = new AttachmentScan()
    const length = await eachPiece(file, size, (piece) => scan.take(piece))
    const places = scan.places()
    if (!places) return undefined
    const { list, items } = places
    const before = await readExtent(file, { start: 0, end: list.start })
    const bytes = Buffer.concat([
      before,
      EMPTY_LIST,
      await readExtent(file, { start: list.end, end: length }),
    ])
    const seal = sealIn(bytes)
    if (!seal) return undefined
    const taken = seal.at < list.start ? 0 : list.end - list.start - EMPTY_LIST.length
    const check = new SealCheck(seal.digits, seal.at + taken)
    await eachPiece(file, size, (piece) => check.take(piece))
    if (!check.fits()) return undefined
    const reading = new AttachmentReader(path)
    for (const item of items)
      reading.add(toPlain(readJsonValue((await readExtent(file, item)).toString('utf8'))))
    return readStored(bytes, oid, path, reading.whole())
  } catch (error) {
    if (error instanceof JsonError || errnoOf(error) !== undefined) return undefined
    throw error
  } finally {
    await file?.close()
  }
}

/** Gives the bytes of a file piece by piece, each only for the length of the call. Returns how many there are. */
async function eachPiece(file: FileHandle, size: number, take: (piece: Buffer) => void): Promise<number> {
  const buffer = Buffer.allocUnsafe(size)
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, size, at)
    if (bytesRead === 0) return at
    take(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
}

async function readExtent(file: FileHandle, { start, end }: Extent): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(end - start)
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done)
    if (bytesRead === 0) throw Object.assign(new Error('EIO: the file became shorter'), { code: 'EIO' })
    done += bytesRead
  }
  return bytes
}
