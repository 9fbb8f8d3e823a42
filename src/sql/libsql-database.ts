import Libsql from 'libsql'

/** Values as libsql takes them. */
type Bound = string | number | bigint | null | Uint8Array

/** One open SQLite file, with the part of the driver that Kysely and the claims of the queue use. */
export interface SqliteFile {
  prepare(sql: string): SqliteStatement
  exec(sql: string): void
  close(): void
}

export interface SqliteStatement {
  /** Whether it gives rows back. */
  readonly reader: boolean
  all(parameters: readonly unknown[]): unknown[]
  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  iterate(parameters: readonly unknown[]): IterableIterator<unknown>
}

/**
 * Opens a file with libsql, and covers four traps of the driver:
 * - a boolean aborts the whole process, and a text is cut at a NUL character when it is read: values are checked on the way in;
 * - blobs come back as ArrayBuffer: they become Buffers;
 * - a prepared statement that met SQLITE_BUSY stays active until it is garbage-collected, and no transaction can commit until then: a write
 *   outside a transaction gets one of its own, begun by `exec`, which leaves nothing behind.
 */
export const openFile = (file: string, timeout: number): SqliteFile => {
  const database = new Libsql(file, { timeout })
  return {
    prepare: (sql) => guarded(database, sql),
    exec: (sql) => void database.exec(sql),
    close: () => void database.close(),
  }
}

const guarded = (database: Libsql.Database, sql: string): SqliteStatement => {
  const statement = database.prepare(sql)
  const attempt = <Result>(work: () => Result): Result =>
    isWrite(sql) && !database.inTransaction ? inTransaction(database, work) : work()
  return {
    reader: statement.reader,
    all: (parameters) => attempt(() => statement.all(parameters.map(bound)).map(withBuffers)),
    run: (parameters) => attempt(() => statement.run(parameters.map(bound))),
    *iterate(parameters) {
      for (const row of statement.iterate(parameters.map(bound))) yield withBuffers(row)
    },
  }
}

const isWrite = (sql: string): boolean =>
  /^\s*(?:insert|update|delete|replace)\b/i.test(sql) ||
  /^\s*with\b.*\b(?:insert|update|delete|replace)\b/is.test(sql)

const inTransaction = <Result>(database: Libsql.Database, work: () => Result): Result => {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** Throws what a constraint would, so that it counts as a wrong value and not as a database that is away. */
const bound = (value: unknown): Bound => {
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 0
    case 'undefined':
      return null
    case 'string':
      if (value.includes('\0')) throw new WrongValueError('a text with a NUL character cannot be stored')
      return value
    case 'number':
    case 'bigint':
      return value
    default:
      if (value === null || value instanceof Uint8Array) return value
      throw new WrongValueError(`SQLite cannot store a value of type ${typeof value}`)
  }
}

class WrongValueError extends Error {
  readonly code = 'SQLITE_MISMATCH'
}

const withBuffers = (row: unknown): unknown => {
  if (typeof row !== 'object' || row === null) return row
  for (const [name, value] of Object.entries(row))
    if (value instanceof ArrayBuffer) (row as Record<string, unknown>)[name] = Buffer.from(value)
  return row
}

/** The code of an error of SQLite, such as SQLITE_BUSY; empty for other errors. */
export const sqliteCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^SQLITE_/.test(error.code)
    ? error.code
    : ''
