import { ArchiverError } from '../../errors.ts'
import type { LogDatabase } from './log-database.ts'

/** Throws ROWS_REFUSED where the names of the log tables belong to views, or to tables that a rollback or a crash would leave wrong. */
export const assertLogTables = async (database: LogDatabase): Promise<void> => {
  const placesOf = (names: readonly string[]): string => names.map((name) => database.place(name)).join(', ')
  const views = await database.views()
  if (views.length > 0)
    throw new ArchiverError(
      'ROWS_REFUSED',
      `${placesOf(views)}: the ledger's views have the names of the log tables`,
      {
        hint: 'name another database for the log tables in rows.log, or for the ledger in ledger.url',
      },
    )
  const [odd] = await database.unfit()
  if (odd === undefined) return
  const place = database.place(odd)
  const isMysql = database.session.dialect === 'mysql'
  throw new ArchiverError(
    'ROWS_REFUSED',
    isMysql
      ? `${place} has an engine without transactions: a batch that is rolled back would stay in it as finished, and never be done`
      : `${place} is unlogged: a crash of the server empties it, and with it what is known of finished batches`,
    { hint: `ALTER TABLE ${place} ${isMysql ? 'ENGINE = InnoDB' : 'SET LOGGED'}` },
  )
}
