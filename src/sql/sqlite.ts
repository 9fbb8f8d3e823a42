import BetterSqlite from 'better-sqlite3'
import {
  CompiledQuery,
  Kysely,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type Driver,
} from 'kysely'
import { closeSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { openForAppend } from '../platform/own-file.ts'
import type { Database } from './connection.ts'
import type { LedgerSchema } from '../tracking/ledger/schema-types.ts'

/**
 * Opens the file, made where it is missing. A file that is no database, or a damaged one, is kept aside as
 * `<name>.corrupt-<number>` and a new one begun: the ledger tells of the archiving, it does not decide it.
 */
export const openSqlite = (file: string, timeout: number): Database => {
  mkdirSync(dirname(file), { recursive: true })
  const database = openSound(file)
  const { ino } = statSync(file)
  const kysely = new Kysely<LedgerSchema>({ dialect: new ImmediateDialect({ database }, timeout) })
  return {
    dialect: 'sqlite',
    kysely,
    schema: undefined,
    runNow: (sql, parameters) => void database.prepare(sql).run(...parameters),
    keepDamaged: (error) => {
      // Where another process was quicker, there is a new file already.
      const isSame = statSync(file, { throwIfNoEntry: false })?.ino === ino
      return isDamage(error) && isSame ? keepAside(file) : undefined
    },
    close: () => kysely.destroy(),
  }
}

const isDamage = (error: unknown): boolean =>
  error instanceof BetterSqlite.SqliteError && /NOTADB|CORRUPT/.test(error.code)

const openSound = (file: string): BetterSqlite.Database => {
  try {
    return openAndLook(file)
  } catch (error) {
    if (!isDamage(error)) throw error
    keepAside(file)
    return openAndLook(file)
  }
}

/** Gives the name under which the file, and its journal, are kept. */
const keepAside = (file: string): string => {
  for (let number = 1; ; number++) {
    const aside = `${file}.corrupt-${number}`
    try {
      mkdirSync(aside) // takes the name, or says that it is taken
    } catch (error) {
      if (number < MOST_ASIDE) continue
      throw error
    }
    for (const tail of ['', '-wal', '-shm'])
      try {
        renameSync(file + tail, `${aside}/ledger.db${tail}`)
      } catch {
        // Only the file itself is sure to be there.
      }
    return aside
  }
}

/** In a folder in which nothing can be made, no name is ever free. */
const MOST_ASIDE = 1000

const openAndLook = (file: string): BetterSqlite.Database => {
  // SQLite makes files that everybody may read; its journal takes the mode of the database.
  closeSync(openForAppend(file, { operatorChosen: true }))
  const database = new BetterSqlite(file, { timeout: 1000 })
  try {
    database.pragma('journal_mode = WAL')
    // A power cut may take the last second of the ledger; it never damages it. FULL would sync at every flush.
    database.pragma('synchronous = NORMAL')
    database.pragma('foreign_keys = ON')
    database.prepare('SELECT count(*) FROM sqlite_master').get()
    database.pragma('busy_timeout = 0')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Kysely begins with a plain `begin`, which takes the write lock only at the first write: two processes that read first then
 * fail at once with SQLITE_BUSY whatever the time-out. `begin immediate` waits in line; it waits here, between tries, and not
 * inside SQLite, which would hold up everything else that this process does.
 */
class ImmediateDialect extends SqliteDialect {
  readonly #config: { database: BetterSqlite.Database }
  readonly #timeout: number

  constructor(config: { database: BetterSqlite.Database }, timeout: number) {
    super(config)
    this.#config = config
    this.#timeout = timeout
  }

  override createDriver(): Driver {
    return new ImmediateDriver(this.#config, this.#timeout)
  }
}

const TRY_EVERY = 20

class ImmediateDriver extends SqliteDriver {
  readonly #tries: number

  constructor(config: { database: BetterSqlite.Database }, timeout: number) {
    super(config)
    this.#tries = Math.max(1, Math.ceil(timeout / TRY_EVERY))
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    for (let left = this.#tries; ; left--)
      try {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'))
        return
      } catch (error) {
        if (!isBusy(error) || left <= 1) throw error
        await new Promise((resolve) => setTimeout(resolve, TRY_EVERY))
      }
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof BetterSqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')
