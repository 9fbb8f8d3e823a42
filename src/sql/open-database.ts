import type { Secret } from '../common/secret.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import type { Database } from './connection.ts'
import type { DatabasePlace, DialectName } from './database-url.ts'

export interface DatabaseOptions {
  readonly place: DatabasePlace
  /** The PostgreSQL schema of the tables. */
  readonly schema: string | undefined
  /** For a URL that holds no password. */
  readonly password: Secret | undefined
  /** Milliseconds: how long a connection, and a statement, may take. */
  readonly timeout: number
  /** Sessions on a server at most; left out: 2. */
  readonly connections?: number
  /** What the database is, for messages. */
  readonly name?: string
}

/** The driver of each engine. */
const PACKAGES: Readonly<Record<DialectName, string>> = { sqlite: 'libsql', postgres: 'pg', mysql: 'mysql2' }

/**
 * Opens the database; servers are connected at the first query. Throws LEDGER_UNAVAILABLE with what the file or server said, and with the
 * command that installs a missing driver.
 */
export const openDatabase = async <Schema>(options: DatabaseOptions): Promise<Database<Schema>> => {
  const { place, schema, password, timeout, connections = 2, name = 'ledger' } = options
  try {
    switch (place.dialect) {
      case 'sqlite':
        return (await import('./sqlite.ts')).openSqlite(place.file, timeout)
      case 'postgres':
        return (await import('./postgres.ts')).openPostgres(place.server, password, schema, {
          timeout,
          connections,
        })
      case 'mysql':
        return (await import('./mysql.ts')).openMysql(place.server, password, { timeout, connections })
    }
  } catch (cause) {
    throw new ArchiverError('LEDGER_UNAVAILABLE', `Cannot open the ${name}: ${messageOf(cause)}`, {
      cause,
      hint: isMissing(cause)
        ? `the driver for this machine is missing: npm install ${PACKAGES[place.dialect]}`
        : 'archiving goes on without it; what it missed is kept in ledger-spool.jsonl and written later',
    })
  }
}

/**
 * Loads the driver of a database ahead of its opening, before worker threads run. libsql asks Node for a report while it is loaded, and Node
 * waits for every thread with that: one that hangs on a disk would hold up the main thread, signals and all. A missing driver is reported by
 * the opening.
 */
export const loadDriver = async (place: DatabasePlace | undefined): Promise<void> => {
  if (place?.dialect === 'sqlite') await import('./sqlite.ts').catch(() => undefined)
}

/** Whether a driver is missing or was built for another machine. Another try in this process does not help. */
export const isMissing = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return (
    code === 'ERR_MODULE_NOT_FOUND' ||
    code === 'MODULE_NOT_FOUND' ||
    code === 'ERR_DLOPEN_FAILED' ||
    isMissing(error.cause)
  )
}
