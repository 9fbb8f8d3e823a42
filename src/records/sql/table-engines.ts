import { ArchiverError } from '../../errors.ts'
import { textIn, type RecordsDatabase } from './database.ts'

/** Engines of MariaDB and MySQL that take part in transactions. */
const ENGINES = /^(?:InnoDB|RocksDB|TokuDB|ndbcluster)$/i

/**
 * Throws STORE_REFUSED where a table of the target takes no part in transactions: an item that fails, or whose worker dies, would leave some of
 * its rows there, and a second try would add them again. Only MariaDB and MySQL have such tables.
 */
export const requireTransactions = async (
  { dialect, session }: RecordsDatabase,
  tables: readonly string[],
): Promise<void> => {
  if (dialect !== 'mysql') return
  for (const table of tables) {
    const [name = '', schema] = table.split('.').reverse()
    const [row] = await session.rows(
      `SELECT ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_NAME = ? AND TABLE_SCHEMA = ${schema === undefined ? 'DATABASE()' : '?'}`,
      schema === undefined ? [name] : [name, schema],
    )
    const engine = row && textIn(row, 'engine') // a view has none
    if (engine && !ENGINES.test(engine))
      throw new ArchiverError(
        'STORE_REFUSED',
        `the table ${table} has the engine ${engine}, which takes no part in transactions: an item that fails would leave some of its rows`,
        { hint: `ALTER TABLE ${table} ENGINE=InnoDB; nothing was written` },
      )
  }
}
