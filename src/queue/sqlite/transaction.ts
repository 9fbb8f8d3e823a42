import { statSync } from 'node:fs'
import { ArchiverError, messageOf } from '../../errors.ts'
import { monotonic } from '../../platform/host.ts'
import { sqliteCode, type SqliteFile } from '../../sql/libsql-database.ts'

/** Milliseconds between two tries while another process writes. */
const PAUSE = 3

/** Milliseconds. Nobody writes for so long: the process that holds the file is frozen. */
const PATIENCE = 30_000

/** Milliseconds that a read waits inside the library, where a process that ends tidies the file up. */
export const READ_WAIT = 5000

/**
 * Whether a power cut may undo it. A claim may be undone: its holder is gone as well, on the same machine. Whatever is `durable` makes all
 * that was written before it durable too, so that no result is kept without its claim.
 */
export type Kept = 'durable' | 'until a power cut'

/**
 * Does a write in one transaction. Waits for other processes without blocking this one: its other items go on. Throws QUEUE_UNAVAILABLE
 * where the file cannot be used.
 */
export const write = async <Result>(
  file: SqliteFile,
  path: string,
  work: () => Result,
  kept: Kept = 'durable',
): Promise<Result> => {
  const began = monotonic()
  while (true) {
    let isBegun = false
    try {
      assertInPlace(file, path)
      begin(file, kept)
      isBegun = true
      const result = work()
      file.exec('COMMIT')
      return result
    } catch (error) {
      if (isBegun)
        try {
          file.exec('ROLLBACK')
        } catch {
          // The engine has rolled back by itself.
        }
      const isBusy = /BUSY|LOCKED/.test(sqliteCode(error))
      if (!isBusy || monotonic() - began > PATIENCE) throw unavailable(path, error)
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
}

const opened = new WeakMap<SqliteFile, number>()

/** Remembers which file was opened. Not for a queue in memory. */
export const rememberFile = (file: SqliteFile, path: string): void => {
  const inode = inodeOf(path)
  if (inode !== undefined) opened.set(file, inode)
}

/** Throws QUEUE_REPLACED where the file that was opened is no longer the one at its path. */
export const assertInPlace = (file: SqliteFile, path: string): void => {
  const inode = opened.get(file)
  if (inode === undefined || inode === inodeOf(path)) return
  throw new ArchiverError('QUEUE_REPLACED', `${path} was removed or replaced while it was open`, {
    hint: 'stop all workers and start them again; the scan adds what is not archived yet',
  })
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

/** The library's own waiting would stop all that this process does. */
const begin = (file: SqliteFile, kept: Kept): void => {
  const synchronous = kept === 'durable' ? 'FULL' : 'NORMAL'
  try {
    file.exec(`PRAGMA busy_timeout = 0; PRAGMA synchronous = ${synchronous}; BEGIN IMMEDIATE`)
  } finally {
    file.exec(`PRAGMA busy_timeout = ${READ_WAIT}`)
  }
}

export const unavailable = (path: string, error: unknown): ArchiverError =>
  error instanceof ArchiverError
    ? error
    : new ArchiverError('QUEUE_UNAVAILABLE', `cannot use the queue ${path}: ${messageOf(error)}`, {
        cause: error,
        hint: 'Look at the disk of queue.url. Runs stay pending until it answers.',
      })
