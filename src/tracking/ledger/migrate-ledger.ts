import { migrate, type Migration } from '../../sql/migrate.ts'
import { viewsRefresh } from './make-views.ts'
import { LEDGER_MIGRATIONS } from './migrations/ledger-migrations.ts'
import type { LedgerDatabase } from './schema-types.ts'

export interface MigrateLedgerOptions {
  readonly now: () => number
  /** The program's version, for the record. */
  readonly by: string
  readonly migrations?: readonly Migration[]
}

/**
 * Brings the ledger to the newest version and makes its views, which follow the code. Nothing of an older ledger is lost. Returns the names
 * of views that could not be made because something else has the name. Throws LEDGER_UNAVAILABLE for a ledger of a newer program.
 */
export const migrateLedger = async (
  database: LedgerDatabase,
  { now, by, migrations = LEDGER_MIGRATIONS }: MigrateLedgerOptions,
): Promise<string[]> => {
  const taken: string[] = []
  const refresh = viewsRefresh(database.dialect, database.schema, (name) => taken.push(name))
  await migrate(database, { subsystem: 'ledger', migrations, now, by, refresh })
  return taken
}
