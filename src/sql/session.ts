/** What a statement gave: rows by column name, every value as the server's own text, and how many rows it changed. */
export interface Result {
  readonly rows: readonly Readonly<Record<string, string | null>>[]
  readonly affected: number
}

type Value = string | number | null

/** A statement with the values of its parameters. */
export interface Statement {
  readonly sql: string
  readonly parameters?: readonly (Value | readonly Value[])[]
}

export type SqlDialect = 'mysql' | 'postgres'

/**
 * One connection, held for as long as it lives: transactions and the server's named locks belong to it. Values come as texts, so that no number
 * and no time changes on its way.
 */
export interface Session {
  readonly dialect: SqlDialect
  /** Whether a pooler gives each transaction another session of the server: named locks and settings do not last there. */
  readonly isShared: boolean
  /** Throws the driver's own error. Parameters stand as `?` (MySQL) or `$1` (PostgreSQL). */
  run(sql: string, parameters?: readonly unknown[]): Promise<Result>
  /**
   * Runs statements one after another, sent together: one journey where each on its own would take one. The first that fails is the last; its
   * error is thrown, and those before it have happened.
   */
  runAll(statements: readonly Statement[]): Promise<readonly Result[]>
  /** Drops the connection at once: the server rolls back what was not committed. */
  destroy(): void
  close(): Promise<void>
}

export interface SessionOptions {
  /** The URL with its password, if it has one: never shown. */
  readonly url: string
  /** For a URL without one. */
  readonly password: string | undefined
  /** Milliseconds for the connection, and for the wait for a row's lock. */
  readonly timeout: number
}
