import type { Secret } from '../../common/secret.ts'
import type { RecordsDialect, RecordsPlace } from './records-url.ts'

export type SqlRow = Readonly<Record<string, unknown>>

/** One connection. Whole numbers of 64 bits and decimals come and go as text, times as text in UTC. */
export interface Session {
  /** Rows of a query. Placeholders are written `?` whatever the engine. */
  rows(sql: string, values?: readonly unknown[]): Promise<SqlRow[]>
  /** How many rows a statement changed. */
  change(sql: string, values?: readonly unknown[]): Promise<number>
}

/** An INSERT, with `?` for its values. */
export interface Insert {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** A database that records are read from or stored in. */
export interface RecordsDatabase {
  readonly dialect: RecordsDialect
  /** Runs statements that each stand alone. */
  readonly session: Session
  /**
   * Runs work in one transaction, READ COMMITTED, and commits it. Rolls back where the work throws. Throws CommitUnknownError where the
   * connection breaks while the commit is under way: then the database alone knows.
   */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>
  /**
   * Runs INSERTs in their order, in one transaction that goes to the server in one trip. None may need to see what another one has written. Rejects with the server's error where one of them fails, and then none has happened; with CommitUnknownError where the
   * connection breaks. Undefined for an engine that is in this process, and gains nothing.
   */
  readonly inOneTrip: ((inserts: readonly Insert[]) => Promise<void>) | undefined
  /** How many transactions that are asked for at once may share a commit; 1 where each has its own. None of them waits for the others to be asked for. */
  readonly commitsTogether: number
  close(): Promise<void>
}

/** The connection broke between COMMIT and its answer. */
export class CommitUnknownError extends Error {
  constructor(cause: unknown) {
    super('the connection broke during COMMIT', { cause })
    this.name = 'CommitUnknownError'
  }
}

export interface DatabaseOptions {
  readonly place: RecordsPlace
  readonly password: Secret | undefined
  /** How many connections may be open at once. */
  readonly connections: number
  /** Milliseconds that a connection, and a statement, may take. */
  readonly timeout: number
}

/** A column of a row as text; null where it has no value. */
export const textIn = (row: SqlRow, name: string): string | null => {
  const value = row[name]
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'number' || typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
}
