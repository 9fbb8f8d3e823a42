import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Secret } from '../common/secret.ts'
import type { Database } from './connection.ts'
import { countPostgres } from './count-database.ts'
import { clientAt } from './fresh-client.ts'
import { watchPostgres } from './watch-pool.ts'

/** Types that come as our own: 64-bit counters and decimals as numbers, times and JSON as texts. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [pg.types.builtins.INT8]: Number,
  [pg.types.builtins.NUMERIC]: Number,
  [pg.types.builtins.TIMESTAMPTZ]: String,
  [pg.types.builtins.JSONB]: String,
}

/** Connects at the first query, not here. A server that goes away is an error of the next query and of nothing else. */
export const openPostgres = <Schema>(
  server: string,
  password: Secret | undefined,
  schema: string | undefined,
  { timeout, connections }: { readonly timeout: number; readonly connections: number },
): Database<Schema> => {
  const pool = new pg.Pool({
    Client: clientAt(() => withOurs(server, password)),
    max: connections,
    connectionTimeoutMillis: timeout,
    statement_timeout: timeout,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    allowExitOnIdle: true,
    application_name: 'run-archiver',
    types: {
      getTypeParser: (type, format) =>
        PARSERS[type] ?? (pg.types.getTypeParser(type, format) as (text: string) => unknown),
    },
  })
  // Without these two listeners a connection that breaks would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
    countPostgres(client)
    watchPostgres(client, timeout)
  })
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  return {
    dialect: 'postgres',
    kysely,
    schema,
    runNow: undefined,
    keepDamaged: undefined,
    close: () => kysely.destroy(),
  }
}

/**
 * The URL with the password, and with how our sessions read and write times, after options of its own. What pg finds in a URL, an empty
 * password too, it prefers to all other settings.
 */
const withOurs = (server: string, password: Secret | undefined): string => {
  const url = new URL(server)
  const own = url.searchParams.get('options')
  const options = '-c TimeZone=UTC -c DateStyle=ISO'
  url.searchParams.set('options', own === null ? options : `${own} ${options}`)
  if (password !== undefined) url.searchParams.set('password', password.current())
  return url.href
}
