import { closeSync, existsSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolderNow } from '../../platform/make-folder.ts'
import { openFile, sqliteCode, type SqliteFile, type SqliteStatement } from '../../sql/libsql-database.ts'
import type { RecordsDatabase, Session, SqlRow } from './database.ts'

const TRY_EVERY = 15
/** Transactions that share a commit: waiting for the disk takes several times what an item does. */
const MOST_TOGETHER = 32

/**
 * Opens a SQLite file. A commit is on the disk when it returns. Statements wait in line: a file has one writer. Whoever waits for the
 * write lock waits in the event loop, `timeout` milliseconds at most: a wait inside SQLite would block the very thread that may hold it.
 */
export const openSqliteDatabase = (file: string, timeout: number): RecordsDatabase => {
  if (!existsSync(file)) {
    makeFolderNow(dirname(file))
    closeSync(openSync(file, 'a', 0o640))
  }
  const database = openFile(file, timeout)
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'])
    database.prepare(`PRAGMA ${pragma}`).all([])
  database.prepare(`PRAGMA busy_timeout = ${TRY_EVERY}`).all([])
  return new SqliteDatabase(database, timeout)
}

/** A transaction that waits for its turn. Its work may be run again where it was rolled back for the sake of another one. */
interface Waiting {
  readonly work: (session: Session) => Promise<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

interface Released extends Waiting {
  readonly result: unknown
}

class SqliteDatabase implements RecordsDatabase {
  readonly dialect = 'sqlite'
  readonly inOneTrip = undefined
  readonly commitsTogether = MOST_TOGETHER
  readonly session: Session
  readonly #file: SqliteFile
  readonly #inner: Session
  readonly #timeout: number
  readonly #statements = new Map<string, SqliteStatement>()
  #waiting: Waiting[] = []
  #line: Promise<unknown> = Promise.resolve()

  constructor(file: SqliteFile, timeout: number) {
    this.#file = file
    this.#timeout = timeout
    this.#inner = {
      rows: (sql, values = []) =>
        Promise.resolve().then(() => this.#prepared(sql).all(values.map(exact)) as SqlRow[]),
      change: (sql, values = []) =>
        Promise.resolve().then(() => Number(this.#prepared(sql).run(values.map(exact)).changes)),
    }
    this.session = {
      rows: (sql, values) => this.#inLine(() => this.#inner.rows(sql, values)),
      change: (sql, values) => this.transaction((session) => session.change(sql, values)),
    }
  }

  /**
   * Transactions that wait at the same time share one BEGIN and one COMMIT, each in a savepoint of its own: what fails is rolled back alone,
   * and none resolves before the commit is on the disk. Where the commit fails, or one takes the whole transaction down, each is done by itself.
   */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (result: unknown) => void, reject })
      if (this.#waiting.length === 1) this.#startTurn()
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

  /** Starts a turn after the code that runs now, so that all transactions which it asks for are in it. */
  #startTurn(): void {
    void this.#inLine(async () => {
      await new Promise((resolve) => setImmediate(resolve))
      const turn = this.#waiting.splice(0, MOST_TOGETHER)
      if (this.#waiting.length > 0) this.#startTurn()
      await (turn.length === 1 ? this.#oneByOne(turn) : this.#together(turn))
    })
  }

  async #together(turn: readonly Waiting[]): Promise<void> {
    try {
      await this.#begin()
    } catch (error) {
      for (const { reject } of turn) reject(error)
      return
    }
    const released: Released[] = []
    for (const [index, waiting] of turn.entries())
      try {
        released.push({ ...waiting, result: await this.#inSavepoint(waiting.work) })
      } catch (error) {
        waiting.reject(error instanceof TransactionLostError ? error.cause : error)
        if (!(error instanceof TransactionLostError)) continue
        this.#rollBack() // mostly SQLite has; where only the savepoint failed, the next BEGIN needs it
        return this.#oneByOne([...released, ...turn.slice(index + 1)])
      }
    try {
      this.#file.exec('COMMIT')
    } catch {
      this.#rollBack()
      // A deferred constraint is looked at here, and does not say whose it is.
      return this.#oneByOne(released)
    }
    for (const { resolve, result } of released) resolve(result)
  }

  async #inSavepoint(work: Waiting['work']): Promise<unknown> {
    this.#prepared('SAVEPOINT item').run([])
    try {
      const result = await work(this.#inner)
      this.#prepared('RELEASE item').run([])
      return result
    } catch (error) {
      try {
        this.#prepared('ROLLBACK TO item').run([])
        this.#prepared('RELEASE item').run([])
      } catch {
        throw new TransactionLostError(error)
      }
      throw error
    }
  }

  async #oneByOne(turn: readonly Waiting[]): Promise<void> {
    for (const { work, resolve, reject } of turn)
      try {
        await this.#begin()
        try {
          const result = await work(this.#inner)
          this.#file.exec('COMMIT')
          resolve(result)
        } catch (error) {
          this.#rollBack()
          throw error
        }
      } catch (error) {
        reject(error)
      }
  }

  #rollBack(): void {
    try {
      this.#file.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back already.
    }
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

  #prepared(sql: string): SqliteStatement {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#file.prepare(sql)
    if (this.#statements.size < 500) this.#statements.set(sql, statement)
    return statement
  }
}

/** SQLite has ended the whole transaction: a full disk, or a trigger that rolls back. `cause` is the error that did it. */
class TransactionLostError extends Error {
  constructor(cause: unknown) {
    super('the transaction was rolled back', { cause })
  }
}

/** A number is bound as REAL unless it is a bigint. What is above 2^53 is a float: whole numbers of that size come as text. */
const exact = (value: unknown): unknown =>
  typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
