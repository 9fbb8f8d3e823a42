import { ArchiverError, messageOf } from '../../errors.ts'
import { databasePlace, schemaName } from '../../sql/database-url.ts'
import { openStore, type OpenStore } from '../../tracking/ledger/ledger-database.ts'
import { isService } from '../../tracking/client/http-store.ts'
import type { TrackSettings } from './tracking-settings.ts'

/** Opens the database of executions, migrated, for as long as `use` lasts. Throws LEDGER_UNAVAILABLE. */
export const readDatabase = async <T>(
  settings: TrackSettings,
  use: (store: OpenStore) => Promise<T>,
): Promise<T> => {
  const { place, now, log, version } = settings
  if (isService(place.url))
    throw new ArchiverError(
      'LEDGER_UNAVAILABLE',
      `${place.url} is a service: it takes reports, and its page shows executions`,
      {
        hint: 'to read here, name the database in MONITOR_DB_CONN or ledger.url',
      },
    )
  const database = databasePlace(place.url, place.folder)
  if (!database) throw new ArchiverError('LEDGER_UNAVAILABLE', 'ledger.url is off: nothing is tracked')
  const opening = {
    place: database,
    schema: schemaName(place.schema),
    password: place.password,
    timeout: 5000,
  }
  const store = await openStore({
    ...opening,
    now,
    log,
    version,
    onRefused: (_row, error) => log.warn(`The database refuses a row: ${messageOf(error)}`),
  }).catch((cause: unknown) => {
    if (cause instanceof ArchiverError) throw cause
    throw new ArchiverError(
      'LEDGER_UNAVAILABLE',
      `the database of executions cannot be opened: ${messageOf(cause)}`,
      {
        cause,
        hint: 'set MONITOR_DB_CONN, or name a configuration with --config',
      },
    )
  })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
