import type { Stats } from 'node:fs'
import { constants, type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { whenFilesAllow } from '../platform/open-files.ts'
import { readText } from '../platform/read-file.ts'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'

const openFile = whenFilesAllow((path: string, flags: number) => open(path, flags))

/**
 * Opens a file of ours for reading; undefined when there is none. A link is not followed and a FIFO not waited for: throws
 * STATE_UNSAFE where anything but a regular file stands there, where it belongs to a stranger, or where everybody may write
 * into its folder; STATE_UNREADABLE where the system refuses. The caller closes it.
 */
export async function openSafely(path: string): Promise<{ file: FileHandle; stats: Stats } | undefined> {
  const folder = await safeFolder(dirname(path))
  if (!folder) return undefined
  const file = await openRegular(path)
  if (!file) return undefined
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw unsafe(path, 'not a regular file', 'move it away')
    if (![process.geteuid?.(), 0, folder.uid].includes(stats.uid))
      throw unsafe(path, `belongs to user ${stats.uid}`, 'give it to the user that the archiver runs as')
    return { file, stats }
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * What `work` makes of a file of ours that is open for reading; undefined when there is none. Throws as `openSafely`, and STATE_UNREADABLE where the
 * disk fails while it is read.
 */
export async function readSafely<Result>(
  path: string,
  work: (file: FileHandle, stats: Stats) => Promise<Result>,
): Promise<Result | undefined> {
  const opened = await openSafely(path)
  if (!opened) return undefined
  try {
    return await work(opened.file, opened.stats)
  } catch (error) {
    throw error instanceof ArchiverError ? error : unreadable(path, error)
  } finally {
    await opened.file.close()
  }
}

/**
 * Throws STATE_UNSAFE where a folder belongs to another user (root excepted): its owner may put links under any name that is written there,
 * and exchange what was written.
 */
export async function requireOwnFolder(path: string): Promise<void> {
  const folder = await safeFolder(path)
  if (!folder || [process.geteuid?.(), 0].includes(folder.uid)) return
  throw unsafe(
    path,
    `belongs to user ${folder.uid}`,
    `run the archiver as that user, or give the folder to the user that it runs as: chown -R USER ${path}`,
  )
}

/** A folder's stats; undefined when there is none. Throws STATE_UNSAFE where everybody may write into it (and it is not sticky). */
export async function safeFolder(path: string): Promise<Stats | undefined> {
  const folder = await stat(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw unreadable(path, error)
  })
  if (folder && (folder.mode & 0o1002) === 0o002)
    throw unsafe(path, 'everybody may write into this folder', `chmod o-w ${path}`)
  return folder
}

async function openRegular(path: string): Promise<FileHandle | undefined> {
  try {
    return await openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    if (errnoOf(error) === 'ELOOP')
      throw unsafe(path, 'a symbolic link', 'put a regular file there, or nothing')
    if (errnoOf(error) === 'ENXIO') throw unsafe(path, 'a socket', 'move it away')
    throw unreadable(path, error)
  }
}

/** The text of a file of ours; undefined when there is none. Throws STATE_UNREADABLE where the system does not give it: what it holds is not known. */
export const textIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readText(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw unreadable(path, error)
  }
}

const unsafe = (path: string, what: string, hint: string): ArchiverError =>
  new ArchiverError('STATE_UNSAFE', `${path}: ${what}`, { hint })

/** The error for a file of ours that is there, and that the system does not let us read. */
const unreadable = (path: string, error: unknown): ArchiverError =>
  new ArchiverError('STATE_UNREADABLE', `${path}: ${messageOf(error)}`, {
    cause: error,
    hint: 'the user that the archiver runs as must be able to read it',
  })
