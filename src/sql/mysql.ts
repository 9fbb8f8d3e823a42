import { CompiledQuery, Kysely, MysqlDialect } from 'kysely'
import { createPool } from 'mysql2'
import type { Secret } from '../common/secret.ts'
import type { Database } from './connection.ts'
import { countMysql } from './count-database.ts'
import { freshMysql } from './fresh-password.ts'
import { PLAIN_SETTINGS } from './mysql-settings.ts'
import { watchMysql } from './watch-pool.ts'

/**
 * Strict, so that a value that does not fit is an error and not another value. Nothing of the server's own mode stays: the driver writes values into
 * the SQL with backslashes before their quotes, and under NO_BACKSLASH_ESCAPES a quote in a value would end it, with SQL behind it.
 */
const SQL_MODE = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'

/** Connects at the first query, not here. */
export const openMysql = <Schema>(
  server: string,
  password: Secret | undefined,
  { timeout, connections }: { readonly timeout: number; readonly connections: number },
): Database<Schema> => {
  const pool = createPool({
    uri: server,
    connectionLimit: connections,
    connectTimeout: timeout,
    dateStrings: true,
    decimalNumbers: true,
    timezone: 'Z',
    charset: 'utf8mb4',
  })
  freshMysql(pool, password)
  pool.on('connection', (connection) => {
    countMysql(connection)
    watchMysql(connection, timeout)
  })
  const kysely = new Kysely<Schema>({
    dialect: new MysqlDialect({
      pool,
      onCreateConnection: async (connection) => {
        await connection.executeQuery(CompiledQuery.raw(`SET ${PLAIN_SETTINGS}, sql_mode = '${SQL_MODE}'`))
        await connection.executeQuery(
          CompiledQuery.raw(`SET innodb_lock_wait_timeout = ${Math.ceil(timeout / 1000)}`),
        )
      },
    }),
  })
  return {
    dialect: 'mysql',
    kysely,
    schema: undefined,
    runNow: undefined,
    keepDamaged: undefined,
    close: () => kysely.destroy(),
  }
}
