import { ArchiverError, messageOf } from '../../errors.ts'
import { sqliteCode, type SqliteFile } from '../../sql/libsql-database.ts'

/** How often a write is begun again while other processes hold the file. */
const TRIES = 400

/** Milliseconds between two tries. */
const PAUSE = 10

/**
 * Does a write in one transaction. Waits for other processes without blocking this one: its other items go on. Throws QUEUE_UNAVAILABLE
 * where the file cannot be used.
 */
export const write = async <Result>(file: SqliteFile, path: string, work: () => Result): Promise<Result> => {
  for (let tries = 1; ; tries++) {
    let isBegun = false
    try {
      file.exec('BEGIN IMMEDIATE')
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
      if (!/BUSY|LOCKED/.test(sqliteCode(error)) || tries >= TRIES) throw unavailable(path, error)
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
}

export const unavailable = (path: string, error: unknown): ArchiverError =>
  error instanceof ArchiverError
    ? error
    : new ArchiverError('QUEUE_UNAVAILABLE', `cannot use the queue ${path}: ${messageOf(error)}`, {
        cause: error,
        hint: 'Look at the disk of queue.url. Runs stay pending until it answers.',
      })
