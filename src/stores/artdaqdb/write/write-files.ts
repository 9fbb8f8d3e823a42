import { randomBytes } from 'node:crypto'
import { type BigIntStats, constants, type Stats } from 'node:fs'
import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { calls } from '../../../platform/fs-calls.ts'
import { openAtOnce } from '../../../platform/open-files.ts'
import { ArchiverError, errnoOf } from '../../../errors.ts'
import { step } from '../../../platform/atomic-file.ts'

const TEMPORARY = /^\.archiver-[0-9a-f]{16}\.tmp$/
const LEFT_BEHIND_MS = 3_600_000
const PIECE = 1 << 20

/** A file to be put into a collection: its whole path, and its bytes, piece by piece. */
export interface NewFile {
  readonly path: string
  /** Made when it is written, so that only one text is held at a time. */
  readonly text: () => Iterable<Buffer | string>
  /** What it replaces: mode and owner stay those, as far as that is allowed. Without it the umask decides, as with artdaq's own tools. */
  readonly like?: Pick<Stats, 'mode' | 'uid' | 'gid'> | undefined
  /** Given the file's status when it is written and synced, before it has its name. */
  readonly written?: (status: BigIntStats) => void
}

export interface Placing {
  /** Asked before each file; where it throws, nothing is left behind but files that are in place. */
  readonly stop?: Pick<AbortSignal, 'throwIfAborted'>
  /** Called after each file with its position. */
  readonly placed?: (position: number) => void
}

/**
 * Puts files whole and durably into collections, in their order: all of them are written beside the collections (artdaq takes any file inside
 * one for a document), read back and compared; then all are synced, which costs the disk one journal for all instead of one for
 * each; then each is renamed. A crash leaves some of the files, whole, and temporaries that `sweep` knows. The names themselves are durable
 * after `syncDirectory` of the collection. Throws VERIFY_MISMATCH when what was read back is not what was written.
 */
export async function placeFiles(
  database: string,
  files: readonly NewFile[],
  placing: Placing = {},
): Promise<void> {
  for (let first = 0; first < files.length; first += AT_ONCE)
    await placeSome(database, files.slice(first, first + AT_ONCE), first, placing)
}

const NEW = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL

/** Reading back would write the time of reading to the disk, and wait for its journal. Only an owner may ask for that: not where the disk gives files another. */
let mayKeepTime = true

const openNew = async (path: string): Promise<number> => {
  if (mayKeepTime)
    try {
      return await calls.open(path, NEW | constants.O_NOATIME, 0o666)
    } catch (error) {
      if (errnoOf(error) !== 'EPERM') throw error
      mayKeepTime = false
      await calls.unlink(path).catch(() => undefined) // made, and then not opened
    }
  return calls.open(path, NEW, 0o666)
}

/** Files that are open at the same time. */
const AT_ONCE = openAtOnce(64)

async function placeSome(
  database: string,
  files: readonly NewFile[],
  first: number,
  { stop, placed }: Placing,
): Promise<void> {
  const open: number[] = []
  const waiting: { readonly temporary: string; readonly path: string }[] = []
  try {
    for (const { path, text, like } of files) {
      stop?.throwIfAborted()
      const temporary = join(database, temporaryName())
      const file = await openNew(temporary)
      open.push(file)
      waiting.push({ temporary, path })
      if (like) await keepOwner(file, like)
      await fill(file, text(), path)
    }
    await settled(open.map(syncOf))
    step('place-files: synced beside the collection')
    for (const [position, file] of open.entries()) {
      const { written } = files[position] ?? {}
      if (written) written(await calls.stat(file))
    }
    while (open.length > 0) calls.close(open.pop() ?? -1)
    for (let position = first; waiting[0]; position++) {
      await calls.rename(waiting[0].temporary, waiting[0].path)
      waiting.shift()
      placed?.(position)
    }
  } catch (error) {
    for (const file of open) calls.close(file)
    for (const { temporary } of waiting) await calls.unlink(temporary).catch(() => undefined)
    throw error
  }
}

async function keepOwner(
  file: number,
  { mode, uid, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>,
): Promise<void> {
  const allowed = (error: unknown): void => {
    if (!['EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP'].includes(errnoOf(error) ?? '')) throw error
  }
  const is = await calls.stat(file)
  // The group alone is what a member may give it.
  if (Number(is.uid) !== uid || Number(is.gid) !== gid)
    await calls.chown(file, uid, gid).catch(() => calls.chown(file, Number(is.uid), gid).catch(allowed))
  if ((Number(is.mode) & 0o777) !== (mode & 0o777)) await calls.chmod(file, mode & 0o777).catch(allowed)
}

const syncOf = (file: number): Promise<void> => calls.sync(file)

/** Waits for all of them before an error goes up, so that nothing goes on behind it. */
async function settled(works: readonly Promise<void>[]): Promise<void> {
  for (const work of await Promise.allSettled(works)) if (work.status === 'rejected') throw work.reason
}

/** Writes and compares. */
async function fill(file: number, text: Iterable<Buffer | string>, path: string): Promise<void> {
  const gathered = toGather.pop() ?? Buffer.allocUnsafe(PIECE)
  let bytes = 0
  for (const piece of pieces(text, gathered)) {
    await write(file, piece, bytes)
    // The file was made empty, so that it is right when each piece of it is.
    await compare(file, piece, bytes, path)
    bytes += piece.length
  }
  toGather.push(gathered)
}

/** Random for each process and counted within it, so that neither two processes nor two puts ever meet. */
const temporaryName = (): string => `.archiver-${PROCESS}${(count++).toString(16).padStart(8, '0')}.tmp`
const PROCESS = randomBytes(4).toString('hex')
let count = 0

/**
 * Removes temporaries that killed writers left behind. They are known by their age: younger ones may be in use by somebody. Returns what
 * it found in the database's directory.
 */
export async function sweep(database: string, now: number): Promise<readonly string[]> {
  const names = await readdir(database)
  for (const name of names) {
    if (!TEMPORARY.test(name)) continue
    const path = join(database, name)
    const found = await stat(path).catch(() => undefined)
    if (found && now - found.mtimeMs > LEFT_BEHIND_MS) await unlink(path).catch(() => undefined)
  }
  return names
}

/** The text in pieces of about a megabyte, so that neither many small writes nor one huge string are made. The buffer is used again for the next piece. */
function* pieces(text: Iterable<Buffer | string>, buffer: Buffer): Generator<Buffer> {
  let length = 0
  for (const part of text) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
    if (length > 0 && length + bytes.length > buffer.length) {
      yield buffer.subarray(0, length)
      length = 0
    }
    if (bytes.length > buffer.length) yield bytes
    else length += bytes.copy(buffer, length)
  }
  if (length > 0) yield buffer.subarray(0, length)
}

/** `write` may take less than it was given (a full disk), so it is asked until all of it is taken or it says why not. */
async function write(file: number, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length)
    done += await calls.write(file, bytes, done, bytes.length - done, position + done)
}

async function compare(file: number, bytes: Buffer, position: number, path: string): Promise<void> {
  const back = spare.pop() ?? Buffer.allocUnsafe(SPARE)
  for (let done = 0; done < bytes.length;) {
    const taken = await calls.read(file, back, 0, Math.min(SPARE, bytes.length - done), position + done)
    if (taken === 0 || bytes.compare(back, 0, taken, done, done + taken) !== 0) throw mismatch(path)
    done += taken
  }
  spare.push(back)
}

/** Buffers to read back into, used again: one for each file that is written at the same time, instead of one a document. */
const spare: Buffer[] = []
const SPARE = 1 << 16

/** Likewise, to gather the pieces of a text in. */
const toGather: Buffer[] = []

const mismatch = (path: string): ArchiverError =>
  new ArchiverError('VERIFY_MISMATCH', `${path}: what was read back is not what was written`)
