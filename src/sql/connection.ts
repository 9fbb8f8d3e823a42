import type { Kysely } from 'kysely'
import type { DialectName } from './database-url.ts'

/** An open database with these tables, on one of three engines. Every session runs in UTC, and times are texts (sql/timestamps.ts). */
export interface Database<Schema> {
  readonly dialect: DialectName
  readonly kysely: Kysely<Schema>
  /** The PostgreSQL schema of the tables; undefined elsewhere. */
  readonly schema: string | undefined
  /** Runs a statement before it returns, where the engine can (SQLite): for the last writes of a process. */
  readonly runNow: ((sql: string, parameters: readonly unknown[]) => void) | undefined
  /**
   * SQLite only, after `close`: when the error says that the file is damaged, keeps the file under another name and returns that name.
   * The next opening makes a new file.
   */
  readonly keepDamaged: ((error: unknown) => string | undefined) | undefined
  /** SQLite only: the file was damaged when it was opened, is kept under this name, and a new one is begun. */
  readonly keptOnOpening?: string | undefined
  close(): Promise<void>
}
