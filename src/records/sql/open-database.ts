import { ArchiverError, messageOf } from '../../errors.ts'
import type { DatabaseOptions, RecordsDatabase } from './database.ts'

/** Opens a database; servers are connected at the first query. Throws STORE_UNAVAILABLE. */
export const openRecordsDatabase = async (options: DatabaseOptions): Promise<RecordsDatabase> => {
  const { place } = options
  try {
    switch (place.dialect) {
      case 'sqlite':
        return (await import('./sqlite-database.ts')).openSqliteDatabase(place.file, options.timeout)
      case 'postgres':
        return (await import('./postgres-database.ts')).openPostgresDatabase(place.server, options)
      case 'mysql':
        return (await import('./mysql-database.ts')).openMysqlDatabase(place.server, options)
      case 'mssql':
        return await (await import('./mssql-database.ts')).openMssqlDatabase(place.server, options)
    }
  } catch (cause) {
    if (cause instanceof ArchiverError) throw cause
    throw new ArchiverError(
      'STORE_UNAVAILABLE',
      `cannot open the ${place.dialect} database: ${messageOf(cause)}`,
      { cause },
    )
  }
}
