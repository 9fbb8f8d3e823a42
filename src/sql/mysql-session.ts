import type { Socket } from 'node:net'
import {
  createConnection,
  type Connection,
  type ConnectionOptions,
  type RowDataPacket,
  type ResultSetHeader,
} from 'mysql2/promise'
import type { Result, Session, SessionOptions, Statement } from './session.ts'
import { countMysql } from './count-database.ts'
import { PLAIN_SETTINGS } from './mysql-settings.ts'
import { inTime, SilenceWatch, silentError } from './silence-watch.ts'

/**
 * Strict, so that a value that does not fit is an error. `NO_AUTO_VALUE_ON_ZERO`: a key 0 stays 0. Dates that other sessions could write (zero,
 * 31 February) are data like any other: they are copied as they are.
 */
const SQL_MODE = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'

/** Bytes of statements that are sent together; less where the server takes less. */
const SENT_TOGETHER = 1_000_000

const resultOf = (answer: RowDataPacket[] | ResultSetHeader): Result =>
  Array.isArray(answer) ? { rows: answer, affected: 0 } : { rows: [], affected: answer.affectedRows }

const optionsOf = ({ url, password, timeout }: SessionOptions): ConnectionOptions => ({
  uri: url.replace(/^mariadb:/i, 'mysql:'),
  ...(password === undefined ? {} : { password }),
  connectTimeout: timeout,
  charset: 'utf8mb4_bin',
  timezone: 'Z',
  supportBigNumbers: true,
  enableKeepAlive: true,
  // For runAll. Every value goes as a parameter, or as a literal that was checked.
  multipleStatements: true,
  // LOAD DATA LOCAL would let a server read files of this machine. FOUND_ROWS would count rows that an update did not change.
  flags: ['-LOCAL_FILES', '-FOUND_ROWS'],
  typeCast: (field) => field.string(),
})

/** mysql2 has no public field for it; that of the connection inside the one with promises is what its own pool uses. */
const socketOf = (connection: Connection): Socket =>
  (connection as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream

/** Fails what is in hand at once: the driver's own `destroy` only says goodbye, and a statement without an answer would wait for ever. */
const dropNow = (connection: Connection): void => {
  socketOf(connection).destroy(silentError('the connection was given up'))
}

const isAnswer = (error: unknown): boolean =>
  error instanceof Error && 'errno' in error && typeof error.errno === 'number' && error.errno > 0

/**
 * Asks over a connection of its own whether the server works on the statement of another one. A server that answers but does not show that one works, as
 * far as it says.
 */
const isAtWork = async (options: SessionOptions, id: string | undefined): Promise<boolean> => {
  let other: Connection
  try {
    other = await createConnection(optionsOf(options))
  } catch (error) {
    return isAnswer(error) // too many connections, for one
  }
  other.on('error', () => undefined)
  try {
    const question = other.query<RowDataPacket[]>(
      "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = ? AND COMMAND <> 'Sleep' AND COALESCE(STATE, '') NOT IN ('Writing to net', 'Sending to client')",
      [id ?? ''],
    )
    const [rows] = await inTime(question, options.timeout, 'no answer')
    return id === undefined || rows.length > 0
  } catch (error) {
    return isAnswer(error)
  } finally {
    dropNow(other)
  }
}

/** Opens a connection to MariaDB or MySQL, in UTC and READ COMMITTED. */
export const openMysqlSession = async (options: SessionOptions): Promise<Session> => {
  const { timeout } = options
  const connection = await createConnection(optionsOf(options))
  // Without a listener a connection that breaks while it is idle would end the process; the next statement fails by itself.
  connection.on('error', () => undefined)
  countMysql(connection)
  const watch = new SilenceWatch(socketOf(connection), timeout)
  const run = async (sql: string, parameters: readonly unknown[] = []): Promise<Result> => {
    const [answer] = await watch.during(() =>
      connection.query<RowDataPacket[] | ResultSetHeader>(sql, [...parameters]),
    )
    return resultOf(answer)
  }
  let packet = SENT_TOGETHER
  const send = async (texts: readonly string[]): Promise<readonly Result[]> => {
    const [only = ''] = texts
    if (texts.length === 1) return [await run(only)]
    const [answers] = await watch.during(() =>
      connection.query<RowDataPacket[][] | ResultSetHeader[]>(texts.join(';\n')),
    )
    return answers.map(resultOf)
  }
  const runAll = async (statements: readonly Statement[]): Promise<readonly Result[]> => {
    const results: Result[] = []
    let texts: string[] = []
    let size = 0
    for (const { sql, parameters = [] } of statements) {
      const text = connection.format(sql, [...parameters])
      const bytes = Buffer.byteLength(text) + 2
      if (texts.length > 0 && size + bytes > packet) {
        results.push(...(await send(texts)))
        texts = []
        size = 0
      }
      texts.push(text)
      size += bytes
    }
    if (texts.length > 0) results.push(...(await send(texts)))
    return results
  }
  try {
    await run(
      `SET SESSION sql_mode = '${SQL_MODE}', ${PLAIN_SETTINGS}, innodb_lock_wait_timeout = ${Math.max(1, Math.ceil(timeout / 1000))}, net_write_timeout = 600, wait_timeout = 604800`,
    )
    await run('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE')
    // MariaDB alone has such a limit for other statements than reads.
    await run('SET SESSION max_statement_time = 0').catch(() => undefined)
    // MariaDB would turn a long list of ids into a join with a temporary table, and may then read the whole table.
    await run('SET SESSION in_predicate_conversion_threshold = 0').catch(() => undefined)
    const { rows } = await run('SELECT @@max_allowed_packet AS bytes')
    packet = Math.min(SENT_TOGETHER, Number(rows[0]?.['bytes'] ?? 0))
    const own = await run(
      'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()', // a proxy may not show it
    )
    const id = own.rows[0]?.['id'] ?? undefined
    watch.askBy(() => isAtWork(options, id))
  } catch (error) {
    dropNow(connection)
    throw error
  }
  return {
    dialect: 'mysql',
    isShared: false,
    run,
    runAll,
    destroy: () => dropNow(connection),
    close: () => inTime(connection.end(), timeout, 'no goodbye').catch(() => dropNow(connection)),
  }
}
