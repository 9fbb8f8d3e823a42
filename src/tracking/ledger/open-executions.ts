import { sql, type SqlBool } from 'kysely'

/** Executions without an end. The words are written out, because SQLite uses its index of them only where no value is bound. */
export const isOpen = sql<SqlBool>`execution_status IN ('STARTED', 'RUNNING')`
