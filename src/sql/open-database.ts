import type { Secret } from '../common/secret.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import type { Database } from './connection.ts'
import type { DialectName, LedgerPlace } from './database-url.ts'

export interface DatabaseOptions {
  readonly place: LedgerPlace
  readonly schema: string
  /** For a URL that holds no password. */
  readonly password: Secret | undefined
  /** Milliseconds: how long a connection, and a statement, may take. */
  readonly timeout: number
}

/** How the driver of each engine is had, when npm could not install it. */
const PACKAGES: Readonly<Record<DialectName, string>> = {
  sqlite: 'kysely better-sqlite3',
  postgres: 'kysely pg',
  mysql: 'kysely mysql2',
}

/**
 * Opens the database. The drivers are optional: throws LEDGER_UNAVAILABLE with the command that installs a missing one, or
 * with what the server said.
 */
export const openDatabase = async (options: DatabaseOptions): Promise<Database> => {
  const { place, schema, password, timeout } = options
  try {
    switch (place.dialect) {
      case 'sqlite':
        return (await import('./sqlite.ts')).openSqlite(place.file, timeout)
      case 'postgres':
        return (await import('./postgres.ts')).openPostgres(place.server, password, schema, timeout)
      case 'mysql':
        return (await import('./mysql.ts')).openMysql(place.server, password, timeout)
    }
  } catch (cause) {
    throw new ArchiverError('LEDGER_UNAVAILABLE', `the ledger cannot be opened: ${messageOf(cause)}`, {
      cause,
      hint: isMissing(cause)
        ? `npm install ${PACKAGES[place.dialect]} (building it needs python3, make and g++), or set ledger.url: off`
        : 'archiving goes on without it; what it missed is kept in ledger-spool.jsonl and written later',
    })
  }
}

/** Whether a driver is not there, or is there and was built for something else. Another try in this process will not help. */
export const isMissing = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return (
    code === 'ERR_MODULE_NOT_FOUND' ||
    code === 'MODULE_NOT_FOUND' ||
    code === 'ERR_DLOPEN_FAILED' ||
    /Could not locate the bindings file/.test(error.message) ||
    isMissing(error.cause)
  )
}
