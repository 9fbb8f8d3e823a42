import type { LedgerDatabase } from './schema-types.ts'

/** The query builder over the ledger's tables, wherever they are. */
export const tables = ({ kysely, schema }: LedgerDatabase): LedgerDatabase['kysely'] =>
  schema === undefined ? kysely : kysely.withSchema(schema)
