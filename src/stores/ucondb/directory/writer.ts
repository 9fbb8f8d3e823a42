import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Warn } from '../../../common/warnings.ts'
import { runOfBlob, sameRecord } from '../blob/blob.ts'
import { ArchiverError, errnoOf, messageOf } from '../../../errors.ts'
import { whenFilesAllow } from '../../../platform/open-files.ts'
import { calls } from '../../../platform/fs-calls.ts'
import { isOfOneFileOrSector, readFile } from '../../../platform/read-file.ts'
import {
  createFile,
  makeDurableFolder,
  step,
  sweepTemporaries,
  syncDirectory,
} from '../../../platform/atomic-file.ts'
import { checksumOf, fits, formatChecksum, parseChecksum, sha256Of } from '../checksum-file.ts'
import { BLOB, CHECKSUM, MARKER, MARKER_TEXT, type Place } from './layout.ts'

/** Blobs are not meant to be edited: readable by everybody whom the umask lets, writable by nobody. */
const READ_ONLY = 0o444

/** What stands at a key. `whole` fits its checksum; `bare` has none, as after a kill between the two; `damaged` does not fit it; `unreadable`: something else than a file that may be read. */
export type Held =
  | { readonly type: 'absent' }
  | { readonly type: 'whole'; readonly blob: Buffer }
  | { readonly type: 'bare'; readonly blob: Buffer }
  | { readonly type: 'damaged'; readonly detail: string }
  | { readonly type: 'unreadable'; readonly detail: string }

/** Reads what stands at a key, and compares it with its checksum, the name in that, and the run that the blob itself names. Throws the system's errors. */
export async function readHeld(place: Place): Promise<Held> {
  let text: Buffer | undefined
  let blob: Buffer | undefined
  try {
    text = await readIfThere(place.checksum) // the second to be published: when it is there, so is the blob
    blob = await readIfThere(place.blob)
  } catch (error) {
    if (!isOfOneFileOrSector(error)) throw error
    return { type: 'unreadable', detail: `cannot be read: ${messageOf(error)}` }
  }
  if (blob === undefined)
    return text === undefined ? { type: 'absent' } : { type: 'damaged', detail: 'has a checksum but no blob' }
  if (text === undefined) return { type: 'bare', blob }
  const checksum = parseChecksum(text.toString('utf8'))
  if (!checksum) return { type: 'damaged', detail: 'has a checksum file that cannot be read' }
  const name = `${place.key}${BLOB}`
  if (checksum.fileName !== name)
    return { type: 'damaged', detail: `has the checksum file of ${checksum.fileName}` }
  if (fits(blob, checksum)) {
    const run = runOfBlob(blob)
    return run === undefined || run === place.run
      ? { type: 'whole', blob }
      : { type: 'damaged', detail: `is the blob of run ${run}` }
  }
  const found = `${blob.length} bytes, sha256 ${sha256Of(blob)}`
  return {
    type: 'damaged',
    detail: `holds ${found}; its checksum file says ${checksum.size} bytes, ${checksum.sha256}`,
  }
}

/** Makes the archive's folders and its marker, durably, from the outside in: whoever finds the marker finds an archive. */
export async function createArchive(root: string, objectFolder: string): Promise<void> {
  await makeDurableFolder(objectFolder)
  if (await createFile(join(root, MARKER), MARKER_TEXT)) await syncDirectory(root)
}

/** Makes a run's folder and removes what killed writers left in it. */
export async function openShard(shard: string): Promise<void> {
  await makeDurableFolder(shard)
  await sweepTemporaries(shard, [])
}

/** The time of storing, epoch milliseconds; the run; and who hears that a damaged blob was set aside. */
interface PutOptions {
  readonly storedAt: number
  readonly run: number
  readonly warn: Warn
}

/**
 * Puts a blob at its key, or completes or compares what is there. When it returns, blob and checksum are durable and were
 * read back. At a crash the key is absent, bare or whole, never cut: bytes are synced before their name appears. Nothing
 * is overwritten; what does not fit its own checksum is kept beside, under another name. Throws CONFLICT, VERIFY_MISMATCH,
 * and the system's errors.
 */
export async function putBlob(
  place: Place,
  blob: Buffer,
  { storedAt, run, warn }: PutOptions,
): Promise<'stored' | 'present'> {
  if (await createFile(place.blob, blob, { mode: READ_ONLY })) {
    step('directory-archive: blob published')
    return await label(place, blob, { storedAt, run, warn })
  }
  const held = await readHeld(place)
  switch (held.type) {
    case 'whole':
    case 'bare':
      if (!sameRecord(held.blob, blob)) throw conflict(place, held.blob, blob, run)
      if (held.type === 'bare') return await label(place, held.blob, { storedAt, run, warn })
      await syncDirectory(place.shard) // its writer may have been killed before this
      return 'present'
    case 'unreadable':
      throw new ArchiverError('STORE_CORRUPT', `${place.blob} ${held.detail}`, {
        run,
        hint: 'Move what stands there out of the archive, or correct its rights; the next pass stores the run again.',
      })
    case 'damaged':
      await setAside(place, held.detail, warn)
      if (await createFile(place.blob, blob, { mode: READ_ONLY }))
        return await label(place, blob, { storedAt, run, warn })
      throw mismatch(place, `${held.detail}, and its name was taken again`, run)
    case 'absent': // its name was taken a moment ago
      throw mismatch(place, 'vanished while it was looked at', run)
  }
}

/**
 * Writes the checksum of a blob that is there, makes both durable, and reads them back. `present`: another writer of the
 * same record, who found the blob bare for a moment, was quicker.
 */
async function label(
  place: Place,
  blob: Buffer,
  { storedAt, warn }: PutOptions,
): Promise<'stored' | 'present'> {
  const text = formatChecksum(checksumOf(blob, `${place.key}${BLOB}`, storedAt))
  let created = await createFile(place.checksum, text, { mode: READ_ONLY })
  if (!created && (await readHeld(place)).type !== 'whole') {
    const kept = await moveAside(place, place.checksum, CHECKSUM) // of a blob that is gone
    if (kept !== undefined)
      warn(`${place.checksum} did not fit its blob: it is kept as ${kept}, and written again`)
    created = await createFile(place.checksum, text, { mode: READ_ONLY })
  }
  step('directory-archive: checksum published')
  await syncDirectory(place.shard)
  if (!(await isWritten(place, blob, text)))
    throw mismatch(place, 'is not what was written to it a moment ago')
  return created ? 'stored' : 'present'
}

/**
 * Whether blob and checksum file are on the disk as they were given. Reads piece by piece: beside a large blob there is no room for another. `text`: the
 * checksum of the blob; that of another writer of the same record differs in its time.
 */
async function isWritten(place: Place, blob: Buffer, text: string): Promise<boolean> {
  const found = (await readIfThere(place.checksum))?.toString('utf8') ?? ''
  if (found !== text) {
    const checksum = parseChecksum(found)
    if (!checksum || !fits(blob, checksum)) return false
  }
  const file = await openBlob(place.blob, 'r')
  try {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, blob.length + 1))
    let at = 0
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, piece.length, at)
      if (bytesRead === 0) return at === blob.length
      if (blob.compare(piece, 0, bytesRead, at, at + bytesRead) !== 0) return false
      at += bytesRead
    }
  } finally {
    await file.close()
  }
}

const PIECE = 1 << 20

/** Renames a damaged blob and its checksum, so that the key is free and nothing is lost. The blob first: a bare one counts. */
async function setAside(place: Place, detail: string, warn: Warn): Promise<void> {
  if ((await readHeld(place)).type !== 'damaged') return // another writer was quicker
  const kept = await moveAside(place, place.blob, BLOB)
  step('directory-archive: damaged blob set aside')
  const keptChecksum = await moveAside(place, place.checksum, CHECKSUM)
  await syncDirectory(place.shard)
  warn(
    `${place.blob} ${detail}: it is kept as ${kept ?? keptChecksum ?? 'nothing: another writer took it'}, and the blob is stored again`,
  )
}

/** Returns the new name; undefined where nothing is there. It is made from the content, so that it can only be taken by the same bytes. */
async function moveAside(place: Place, path: string, suffix: string): Promise<string | undefined> {
  const content = await readIfThere(path)
  if (content === undefined) return undefined
  const kept = `${place.key}.damaged-${sha256Of(content).slice(0, 16)}${suffix}`
  await rename(path, join(place.shard, kept))
  return kept
}

const openBlob = whenFilesAllow(open)

const readIfThere = (path: string): Promise<Buffer | undefined> =>
  readFile(path).catch(async (error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error
    const link = await calls.lstat(Buffer.from(path)).catch(() => undefined)
    // A file that has come meanwhile was not there when it was asked for.
    if (link?.isSymbolicLink())
      throw Object.assign(new Error(`${path} is a link that leads nowhere`), { code: 'ELOOP' })
    return undefined
  })

const conflict = (place: Place, held: Buffer, given: Buffer, run: number): ArchiverError =>
  new ArchiverError(
    'CONFLICT',
    `key ${place.key} holds another record: sha256 ${sha256Of(held)} (${held.length} bytes), ` +
      `to be stored was ${sha256Of(given)} (${given.length} bytes)`,
    {
      run,
      hint:
        `Compare them with "run-archiver diff ${run}". Nothing was overwritten: ${place.blob}. If the new one is right, move that ` +
        `file and the .sha256 beside it out of the archive, then "run-archiver --migrate-only --runs ${run}".`,
    },
  )

const mismatch = (place: Place, detail: string, run?: number): ArchiverError =>
  new ArchiverError('VERIFY_MISMATCH', `${place.blob} ${detail}`, run === undefined ? {} : { run })
