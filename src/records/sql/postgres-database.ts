import pg from 'pg'
import {
  CommitUnknownError,
  type DatabaseOptions,
  type RecordsDatabase,
  type Session,
  type SqlRow,
} from './database.ts'
import { numbered } from './dialect.ts'
import { countPostgres } from '../../sql/count-database.ts'
import { clientAt } from '../../sql/fresh-client.ts'
import { watchPostgres } from '../../sql/watch-pool.ts'

/** Everything but texts, numbers of 32 bits and bytes comes as the server writes it. */
const RAW = new Set([
  pg.types.builtins.INT8,
  pg.types.builtins.NUMERIC,
  pg.types.builtins.DATE,
  pg.types.builtins.TIMESTAMP,
  pg.types.builtins.TIMESTAMPTZ,
  pg.types.builtins.JSON,
  pg.types.builtins.JSONB,
])

/** Milliseconds after which a transaction of ours that does nothing belongs to a frozen process, whose locks others wait for. */
const FROZEN = 10_000

/** Connects at the first query. A server that goes away is an error of the next query and of nothing else. */
export const openPostgresDatabase = (server: string, options: DatabaseOptions): RecordsDatabase => {
  const { connections, timeout, password } = options
  const address = (): string => {
    const url = new URL(server)
    const own = url.searchParams.get('options')
    url.searchParams.set(
      'options',
      [
        ...(own === null ? [] : [own]),
        // Values are read as they are stored, whatever the database's defaults are: with fewer digits a row would differ from itself.
        '-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=3 -c bytea_output=hex -c standard_conforming_strings=on',
        `-c idle_in_transaction_session_timeout=${Math.min(timeout, FROZEN)}`,
      ].join(' '),
    )
    if (password !== undefined) url.searchParams.set('password', password.current())
    return url.href
  }
  const pool = new pg.Pool({
    Client: clientAt(address),
    max: connections + 1,
    connectionTimeoutMillis: timeout,
    statement_timeout: timeout,
    keepAlive: true,
    allowExitOnIdle: true,
    application_name: 'run-archiver records',
    types: {
      getTypeParser: (type, format) =>
        RAW.has(type) ? String : (pg.types.getTypeParser(type, format) as (text: string) => unknown),
    },
  })
  // Without these two listeners a connection that breaks would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
    countPostgres(client)
    watchPostgres(client, timeout)
  })
  return {
    dialect: 'postgres',
    commitsTogether: 1,
    session: sessionOf(pool),
    transaction: async (work) => {
      const client = await pool.connect()
      const state = { broken: false }
      try {
        await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
        const result = await work(sessionOf(client))
        try {
          await client.query('COMMIT')
        } catch (error) {
          state.broken = true
          if (error instanceof pg.DatabaseError) throw error
          throw new CommitUnknownError(error)
        }
        return result
      } catch (error) {
        if (!state.broken)
          await client.query('ROLLBACK').catch(() => {
            state.broken = true
          })
        throw error
      } finally {
        client.release(state.broken)
      }
    },
    inOneTrip: async ([first, ...others]) => {
      if (!first) return
      const parts = others.map(({ sql }, index) => `part_${index} AS (${sql})`)
      const sql = parts.length === 0 ? first.sql : `WITH ${parts.join(', ')} ${first.sql}`
      const values = [...others, first].flatMap((insert) => insert.values)
      const client = await pool.connect()
      let isBroken = true
      try {
        // A statement by itself is a transaction: all of its parts or none.
        await client.query(numbered(sql), values)
        isBroken = false
      } catch (error) {
        isBroken = !(error instanceof pg.DatabaseError)
        throw isBroken ? new CommitUnknownError(error) : error
      } finally {
        client.release(isBroken)
      }
    },
    close: () => pool.end(),
  }
}

const sessionOf = (on: {
  query(sql: string, values: unknown[]): Promise<pg.QueryResult<SqlRow>>
}): Session => ({
  rows: async (sql, values = []) => (await on.query(numbered(sql), [...values])).rows,
  change: async (sql, values = []) => (await on.query(numbered(sql), [...values])).rowCount ?? 0,
})
