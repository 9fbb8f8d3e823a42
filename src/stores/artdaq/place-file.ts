import { randomBytes } from 'node:crypto'
import { readdir, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiverError } from '../../errors.ts'
import { descriptor } from '../../files.ts'

const TEMPORARY = /^\.archiver-[0-9a-f]{16}\.tmp$/
const LEFT_BEHIND_MS = 3_600_000
const PIECE = 1 << 20

/**
 * Puts a file whole and durably into a collection: written beside the collections (artdaq takes any file inside one for a
 * document, spec section 7.2), synced, read back and compared, then renamed. A crash leaves the file, or a temporary that
 * `sweep` knows. The name itself is durable after `syncDirectory` of the collection, which many files share.
 * Throws VERIFY_MISMATCH when what was read back is not what was written.
 */
export async function placeFile(
  database: string,
  path: string,
  text: Iterable<Buffer | string>,
): Promise<{ readonly bytes: number }> {
  const temporary = join(database, temporaryName())
  const file = await descriptor.open(temporary, 'wx+', 0o644)
  try {
    const bytes = await fill(file, text, path).finally(() => {
      descriptor.close(file)
    })
    await rename(temporary, path)
    return { bytes }
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
}

/** Writes, compares and syncs; gives the number of bytes. */
async function fill(file: number, text: Iterable<Buffer | string>, path: string): Promise<number> {
  let bytes = 0
  for (const piece of pieces(text)) {
    await write(file, piece, bytes)
    // The file was made empty, so that it is right when each piece of it is.
    await compare(file, piece, bytes, path)
    bytes += piece.length
  }
  await descriptor.sync(file)
  return bytes
}

/** Random for each process and counted within it, so that neither two processes nor two puts ever meet. */
const temporaryName = (): string => `.archiver-${PROCESS}${(count++).toString(16).padStart(8, '0')}.tmp`
const PROCESS = randomBytes(4).toString('hex')
let count = 0

/** Removes temporaries that killed writers left behind. They are known by their age: younger ones may be in use by somebody. */
export async function sweep(database: string, now: number): Promise<void> {
  for (const name of await readdir(database)) {
    if (!TEMPORARY.test(name)) continue
    const path = join(database, name)
    const found = await stat(path).catch(() => undefined)
    if (found && now - found.mtimeMs > LEFT_BEHIND_MS) await unlink(path).catch(() => undefined)
  }
}

/** The text in pieces of about a megabyte, so that neither many small writes nor one huge string are made. */
function* pieces(text: Iterable<Buffer | string>): Generator<Buffer> {
  let gathered: Buffer[] = []
  let length = 0
  for (const part of text) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
    gathered.push(bytes)
    length += bytes.length
    if (length < PIECE) continue
    yield gathered.length === 1 ? bytes : Buffer.concat(gathered, length)
    gathered = []
    length = 0
  }
  const [only] = gathered
  if (only) yield gathered.length === 1 ? only : Buffer.concat(gathered, length)
}

/** `write` may take less than it was given (a full disk), so it is asked until all of it is taken or it says why not. */
async function write(file: number, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await descriptor.write(file, bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

async function compare(file: number, bytes: Buffer, position: number, path: string): Promise<void> {
  const back = spare.pop() ?? Buffer.allocUnsafe(SPARE)
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await descriptor.read(
      file,
      back,
      0,
      Math.min(SPARE, bytes.length - done),
      position + done,
    )
    if (bytesRead === 0 || bytes.compare(back, 0, bytesRead, done, done + bytesRead) !== 0)
      throw mismatch(path)
    done += bytesRead
  }
  spare.push(back)
}

/** Buffers to read back into, used again: one for each file that is written at the same time, instead of one a document. */
const spare: Buffer[] = []
const SPARE = 1 << 16

const mismatch = (path: string): ArchiverError =>
  new ArchiverError('VERIFY_MISMATCH', `${path}: what was read back is not what was written`)
