import type { Socket } from 'node:net'
import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import {
  CommitUnknownError,
  type DatabaseOptions,
  type RecordsDatabase,
  type Session,
  type SqlRow,
} from './database.ts'
import { countMysql } from '../../sql/count-database.ts'
import { freshMysql } from '../../sql/fresh-password.ts'
import { PLAIN_SETTINGS } from '../../sql/mysql-settings.ts'
import { watchMysql } from '../../sql/watch-pool.ts'

type Runner = (sql: string, values: unknown[]) => Promise<[RowDataPacket[] | ResultSetHeader, unknown]>

/**
 * Modes of the server under which a value would become another one: the driver writes values into the SQL, with backslashes before their quotes; an
 * empty text would be NULL; a CHAR is read with blanks. The others stay, because a mapping's query is written for them. In their place stands one of
 * ours: an empty text is NULL as long as its mode is on.
 */
const SERVERS_MODE = ['NO_BACKSLASH_ESCAPES', 'EMPTY_STRING_IS_NULL', 'PAD_CHAR_TO_FULL_LENGTH'].reduce(
  (mode, name) => `REPLACE(${mode}, '${name}', 'STRICT_ALL_TABLES')`,
  '@@sql_mode',
)

/** Strict; and a key 0 stays 0, where a column with AUTO_INCREMENT would take its next number. */
const OUR_MODE = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'

/** Connects at the first query. Every session is strict, so that a value that does not fit is an error and not another value. */
export const openMysqlDatabase = (server: string, options: DatabaseOptions): RecordsDatabase => {
  const { connections, timeout, password } = options
  const pool = createPool({
    uri: server,
    connectionLimit: connections + 1,
    connectTimeout: timeout,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    // As objects their numbers would lose digits.
    jsonStrings: true,
    timezone: 'Z',
    charset: 'utf8mb4_bin',
    flags: ['FOUND_ROWS', 'MULTI_STATEMENTS'],
  })
  freshMysql(pool.pool, password)
  pool.pool.on('connection', (connection) => {
    connection.on('error', () => undefined)
    countMysql(connection)
    watchMysql(connection, timeout)
    connection.query(`SET ${PLAIN_SETTINGS}, sql_mode = CONCAT(${SERVERS_MODE}, ',${OUR_MODE}')`, (error) => {
      // Without these settings no statement may follow. The driver has no public field for its socket, and its own `destroy` only says goodbye.
      if (error) (connection as unknown as { readonly stream: Socket }).stream.destroy(error)
    })
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', () => undefined)
    connection.query(`SET innodb_lock_wait_timeout = ${Math.ceil(timeout / 1000)}`, () => undefined)
  })
  return {
    dialect: 'mysql',
    commitsTogether: 1,
    session: sessionOf((sql, values) => pool.query(sql, values)),
    transaction: async (work) => {
      const connection = await pool.getConnection()
      const state = { broken: false }
      try {
        await connection.beginTransaction()
        const result = await work(sessionOf((sql, values) => connection.query(sql, values)))
        try {
          await connection.commit()
        } catch (error) {
          state.broken = true
          throw isServerAnswer(error) ? error : new CommitUnknownError(error)
        }
        return result
      } catch (error) {
        if (!state.broken)
          await connection.rollback().catch(() => {
            state.broken = true
          })
        throw error
      } finally {
        if (state.broken) connection.destroy()
        else connection.release()
      }
    },
    inOneTrip: async (inserts) => {
      const connection = await pool.getConnection()
      let isBroken = true
      try {
        const sql = ['START TRANSACTION', ...inserts.map((insert) => insert.sql), 'COMMIT'].join(';')
        await connection.query(
          sql,
          inserts.flatMap(({ values }) => values),
        )
        isBroken = false
      } catch (error) {
        if (!isServerAnswer(error)) throw new CommitUnknownError(error)
        // What follows a statement that fails is not done; what came before it is undone here.
        await connection.rollback().then(
          () => (isBroken = false),
          () => undefined,
        )
        throw error
      } finally {
        if (isBroken) connection.destroy()
        else connection.release()
      }
    },
    close: () => pool.end(),
  }
}

/** An error that the server sent, and not one of the connection. */
const isServerAnswer = (error: unknown): boolean =>
  error instanceof Error && 'sqlState' in error && !('fatal' in error && error.fatal === true)

const sessionOf = (query: Runner): Session => ({
  rows: async (sql, values = []) => {
    const [rows] = await query(sql, [...values])
    return rows as SqlRow[]
  },
  change: async (sql, values = []) => {
    const [header] = await query(sql, [...values])
    return (header as ResultSetHeader).affectedRows
  },
})
