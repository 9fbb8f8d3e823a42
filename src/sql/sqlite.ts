import { Kysely, SqliteDialect, SqliteDriver, type Driver } from 'kysely'
import { closeSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolderNow } from '../platform/make-folder.ts'
import { openForAppend } from '../platform/own-file.ts'
import type { Database } from './connection.ts'
import { openFile, sqliteCode, type SqliteFile } from './libsql-database.ts'

/**
 * Opens the file, and makes it where it is missing. A damaged file, or one that is not a database, is kept as `<name>.corrupt-<number>` and
 * a new one is made: use it only for what can be lost, such as the ledger.
 */
export const openSqlite = <Schema>(file: string, timeout: number): Database<Schema> => {
  makeFolderNow(dirname(file))
  const { database, kept } = openSound(file)
  const { ino } = statSync(file)
  const kysely = new Kysely<Schema>({ dialect: new ImmediateDialect({ database }, timeout) })
  return {
    dialect: 'sqlite',
    kysely,
    schema: undefined,
    keptOnOpening: kept,
    runNow: (sql, parameters) => void database.prepare(sql).run(parameters),
    keepDamaged: (error) => {
      // Where another process was quicker, there is a new file already.
      const isSame = statSync(file, { throwIfNoEntry: false })?.ino === ino
      return isDamage(error) && isSame ? keepAside(file) : undefined
    },
    close: () => kysely.destroy(),
  }
}

const isDamage = (error: unknown): boolean => /NOTADB|CORRUPT/.test(sqliteCode(error))

const openSound = (file: string): { readonly database: SqliteFile; readonly kept: string | undefined } => {
  try {
    return { database: openAndLook(file), kept: undefined }
  } catch (error) {
    if (!isDamage(error)) throw error
    const kept = keepAside(file)
    return { database: openAndLook(file), kept }
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

const openAndLook = (file: string): SqliteFile => {
  // SQLite makes files that everybody may read; its journal takes the mode of the database.
  closeSync(openForAppend(file, { operatorChosen: true }))
  const database = openFile(file, 1000)
  try {
    database.prepare('PRAGMA journal_mode = WAL').all([])
    // A power cut may take the last second of the ledger; it never damages it. FULL would sync at every flush.
    database.prepare('PRAGMA synchronous = NORMAL').all([])
    database.prepare('PRAGMA foreign_keys = ON').all([])
    database.prepare('SELECT count(*) FROM sqlite_master').all([])
    database.prepare('PRAGMA busy_timeout = 0').all([])
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
  readonly #config: { database: SqliteFile }
  readonly #timeout: number

  constructor(config: { database: SqliteFile }, timeout: number) {
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
  readonly #database: SqliteFile
  readonly #tries: number

  constructor(config: { database: SqliteFile }, timeout: number) {
    super(config)
    this.#database = config.database
    this.#tries = Math.max(1, Math.ceil(timeout / TRY_EVERY))
  }

  override async beginTransaction(): Promise<void> {
    for (let left = this.#tries; ; left--)
      try {
        this.#database.exec('begin immediate')
        return
      } catch (error) {
        if (!isBusy(error) || left <= 1) throw error
        await new Promise((resolve) => setTimeout(resolve, TRY_EVERY))
      }
  }
}

const isBusy = (error: unknown): boolean => sqliteCode(error).startsWith('SQLITE_BUSY')
