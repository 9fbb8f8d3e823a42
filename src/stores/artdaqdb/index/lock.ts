import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { whenFilesAllow } from '../../../platform/open-files.ts'
import { ArchiverError, errnoOf, messageOf } from '../../../errors.ts'

/** A plain file directly in the database, which artdaq ignores. It is never removed. */
const LOCK = '.archiver.lock'
const openLock = whenFilesAllow((path: string, flags: number) => open(path, flags))

/**
 * Does something while no other archiver, in any process, writes to this database. The kernel keeps the lock (flock on
 * an inherited descriptor): it ends with the process, whatever ends that, and a paused holder keeps it. artdaq's own tools
 * know of no lock. Throws LOCK_HELD when it is not free within `waitSeconds`.
 */
export async function withDatabaseLock<T>(
  database: string,
  waitSeconds: number,
  work: () => Promise<T>,
): Promise<T> {
  const path = join(database, LOCK)
  const file = await openRegular(path)
  try {
    await lock(file.fd, path, waitSeconds)
    return await work()
  } finally {
    await file.close()
  }
}

/** A FIFO is not waited for. */
async function openRegular(path: string): Promise<FileHandle> {
  const flags =
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await openLock(path, flags).catch((error: unknown) => {
    throw OF_ANOTHER_KIND.has(errnoOf(error) ?? '') ? notAFile(path) : error
  })
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw notAFile(path)
}

/** A FIFO that nobody reads and a socket, a link, a folder, a device. */
const OF_ANOTHER_KIND: ReadonlySet<string> = new Set(['ENXIO', 'ELOOP', 'EISDIR', 'ENODEV'])

const notAFile = (path: string): ArchiverError =>
  new ArchiverError('STORE_UNAVAILABLE', `artdaqDB cannot be locked: ${path} is no regular file`, {
    hint: 'move it away; the archiver makes a new one',
  })

async function lock(fd: number, path: string, waitSeconds: number): Promise<void> {
  const child = spawn('flock', ['-x', '-w', String(waitSeconds), '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
  })
  const [code] = (await once(child, 'close').catch((error: unknown) => {
    throw new ArchiverError('STORE_UNAVAILABLE', `cannot lock ${path}: ${messageOf(error)}`, {
      cause: error,
      ...(errnoOf(error) === 'ENOENT' ? { hint: 'the command flock of util-linux is needed' } : {}),
    })
  })) as [number | null]
  if (code === 0) return
  throw new ArchiverError('LOCK_HELD', `another process is writing to this artdaqDB: ${path} is locked`, {
    hint: 'wait for it, or see who it is with: fuser -v ' + path,
  })
}
