import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { openFile, sqliteCode, type SqliteFile, type SqliteStatement } from '../../sql/libsql-database.ts'
import type { RecordsDatabase, Session, SqlRow } from './database.ts'

const TRY_EVERY = 15

/**
 * Opens a SQLite file. A commit is on the disk when it returns. Statements wait in line: a file has one writer. Whoever waits for the
 * write lock waits in the event loop, `timeout` milliseconds at most: a wait inside SQLite would block the very thread that may hold it.
 */
export const openSqliteDatabase = (file: string, timeout: number): RecordsDatabase => {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true })
    closeSync(openSync(file, 'a', 0o640))
  }
  const database = openFile(file, timeout)
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'])
    database.prepare(`PRAGMA ${pragma}`).all([])
  database.prepare(`PRAGMA busy_timeout = ${TRY_EVERY}`).all([])
  return new SqliteDatabase(database, timeout)
}

class SqliteDatabase implements RecordsDatabase {
  readonly dialect = 'sqlite'
  readonly inOneTrip = undefined
  readonly session: Session
  readonly #file: SqliteFile
  readonly #timeout: number
  readonly #statements = new Map<string, SqliteStatement>()
  #line: Promise<unknown> = Promise.resolve()

  constructor(file: SqliteFile, timeout: number) {
    this.#file = file
    this.#timeout = timeout
    const inner = this.#inner()
    this.session = {
      rows: (sql, values) => this.#inLine(() => inner.rows(sql, values)),
      change: (sql, values) => this.transaction((session) => session.change(sql, values)),
    }
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#inLine(async () => {
      await this.#begin()
      try {
        const result = await work(this.#inner())
        this.#file.exec('COMMIT')
        return result
      } catch (error) {
        try {
          this.#file.exec('ROLLBACK')
        } catch {
          // SQLite has rolled back already.
        }
        throw error
      }
    })
  }

  async close(): Promise<void> {
    await this.#line.catch(() => undefined)
    this.#file.close()
  }

  #inLine<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(work, work)
    this.#line = turn.catch(() => undefined)
    return turn
  }

  /** Takes the write lock at once, so that no statement of the transaction meets SQLITE_BUSY. */
  async #begin(): Promise<void> {
    for (let left = Math.ceil(this.#timeout / TRY_EVERY / 2); ; left--)
      try {
        this.#file.exec('BEGIN IMMEDIATE')
        return
      } catch (error) {
        if (!sqliteCode(error).startsWith('SQLITE_BUSY') || left <= 1) throw error
        await new Promise((resolve) => setTimeout(resolve, TRY_EVERY))
      }
  }

  #inner(): Session {
    return {
      rows: (sql, values = []) =>
        Promise.resolve().then(() => this.#prepared(sql).all(values.map(exact)) as SqlRow[]),
      change: (sql, values = []) =>
        Promise.resolve().then(() => Number(this.#prepared(sql).run(values.map(exact)).changes)),
    }
  }

  #prepared(sql: string): SqliteStatement {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#file.prepare(sql)
    if (this.#statements.size < 500) this.#statements.set(sql, statement)
    return statement
  }
}

/** A number is bound as REAL unless it is a bigint. What is above 2^53 is a float: whole numbers of that size come as text. */
const exact = (value: unknown): unknown =>
  typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
