import type { Kysely } from 'kysely'
import type { DialectName } from './database-url.ts'
import type { LedgerSchema } from '../tracking/ledger/schema-types.ts'

/** An open database, in one of three languages. Every session runs in UTC, and times are texts (sql/times.ts). */
export interface Database {
  readonly dialect: DialectName
  readonly kysely: Kysely<LedgerSchema>
  /** Where the tables are on PostgreSQL; undefined elsewhere. */
  readonly schema: string | undefined
  /** Runs a statement before it returns, where the engine can (SQLite): for the last words of a process. */
  readonly runNow: ((sql: string, parameters: readonly unknown[]) => void) | undefined
  /**
   * After `close`, of a file: where the error says that it is damaged, it is kept under another name, which is given back, so that the next
   * opening begins a new one.
   */
  readonly keepDamaged: ((error: unknown) => string | undefined) | undefined
  close(): Promise<void>
}
