import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import {
  CommitUnknownError,
  type DatabaseOptions,
  type RecordsDatabase,
  type Session,
  type SqlRow,
} from './database.ts'
import { countMysql } from '../../sql/count-database.ts'
import { watchMysql } from '../../sql/watch-pool.ts'

type Runner = (sql: string, values: unknown[]) => Promise<[RowDataPacket[] | ResultSetHeader, unknown]>

/** Connects at the first query. Every session is strict, so that a value that does not fit is an error and not another value. */
export const openMysqlDatabase = (server: string, options: DatabaseOptions): RecordsDatabase => {
  const { connections, timeout, password } = options
  const pool = createPool({
    uri: server,
    ...(password === undefined ? {} : { password: password.current() }),
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
  pool.pool.on('connection', (connection) => {
    connection.on('error', () => undefined)
    countMysql(connection)
    watchMysql(connection, timeout)
    connection.query(
      // The driver writes values into the SQL, with backslashes before their quotes.
      "SET time_zone = '+00:00', sql_mode = CONCAT(REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''), ',STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION')",
      () => undefined,
    )
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
