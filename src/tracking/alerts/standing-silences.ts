import type { Secret } from '../../common/secret.ts'
import { databasePassword } from '../../sql/fresh-password.ts'
import { databasePlace, schemaName } from '../../sql/database-url.ts'
import type { LedgerSchema } from '../ledger/schema-types.ts'
import type { Silence } from './reconcile.ts'

export interface SilencesOptions {
  readonly workDir: string
  /** As `ledger` in the configuration. */
  readonly ledger: { readonly url: Secret; readonly password: Secret | undefined; readonly schema: string }
  readonly now: () => number
}

/** Milliseconds for the connection, and for the answer. */
const PATIENCE = 2000

/** Reads the silences of alerts that stand, on a connection of its own. Its promise rejects where the ledger cannot be read. Undefined: there is no ledger. */
export const standingSilences = ({
  workDir,
  ledger: { url, password, schema },
  now,
}: SilencesOptions): (() => Promise<readonly Silence[]>) | undefined => {
  const place = databasePlace(url.reveal(), workDir)
  if (!place) return undefined
  return async () => {
    // Loaded when there is an alert: most passes have none.
    const [{ openDatabase }, { listSilences }] = await Promise.all([
      import('../../sql/open-database.ts'),
      import('./alert-store.ts'),
    ])
    const opening = {
      ...{ place, schema: schemaName(schema), password: databasePassword({ url, password }) },
      ...{ timeout: PATIENCE, connections: 1 },
    }
    const database = await openDatabase<LedgerSchema>(opening)
    try {
      return await listSilences(database, now())
    } finally {
      await database.close()
    }
  }
}
