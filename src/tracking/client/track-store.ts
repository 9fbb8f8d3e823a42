import { tables } from '../ledger/ledger-tables.ts'
import { openStore, type StoreOptions } from '../ledger/ledger-database.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import type { LedgerStore } from '../ledger/writer-options.ts'

/** Where a tracker's rows go: a database, or a service that has one. */
export interface TrackStore extends LedgerStore {
  /** Undefined where only a service is reached. */
  readonly database: LedgerDatabase | undefined
  /** Whether somebody asked the execution to stop. False where it is not known. */
  cancelAsked(runId: string): Promise<boolean>
}

/** Opens and migrates a database. Throws LEDGER_UNAVAILABLE, or what the driver throws. */
export const openDatabaseStore = async (options: StoreOptions): Promise<TrackStore> => {
  const store = await openStore(options)
  return {
    ...store,
    cancelAsked: async (runId) => {
      const row = await tables(store.database)
        .selectFrom('executions')
        .select('cancel_requested_at')
        .where('run_id', '=', runId)
        .executeTakeFirst()
        .catch(() => undefined)
      return row?.cancel_requested_at != null
    },
  }
}
