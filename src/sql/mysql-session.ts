import { createConnection, type RowDataPacket, type ResultSetHeader } from 'mysql2/promise'
import type { Result, Session, SessionOptions, Statement } from './session.ts'
import { countMysql } from './count-database.ts'

/**
 * Strict, so that a value that does not fit is an error. `NO_AUTO_VALUE_ON_ZERO`: a key 0 stays 0. Dates that other sessions could write (zero,
 * 31 February) are data like any other: they are copied as they are.
 */
const SQL_MODE = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'

/** Bytes of statements that are sent together; less where the server takes less. */
const SENT_TOGETHER = 1_000_000

const resultOf = (answer: RowDataPacket[] | ResultSetHeader): Result =>
  Array.isArray(answer) ? { rows: answer, affected: 0 } : { rows: [], affected: answer.affectedRows }

/** Opens a connection to MariaDB or MySQL, in UTC and READ COMMITTED. */
export const openMysqlSession = async ({ url, password, timeout }: SessionOptions): Promise<Session> => {
  const connection = await createConnection({
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
  // Without a listener a connection that breaks while it is idle would end the process; the next statement fails by itself.
  connection.on('error', () => undefined)
  countMysql(connection)
  const run = async (sql: string, parameters: readonly unknown[] = []): Promise<Result> => {
    const [answer] = await connection.query<RowDataPacket[] | ResultSetHeader>(sql, [...parameters])
    return resultOf(answer)
  }
  let packet = SENT_TOGETHER
  const send = async (texts: readonly string[]): Promise<readonly Result[]> => {
    const [only = ''] = texts
    if (texts.length === 1) return [await run(only)]
    const [answers] = await connection.query<RowDataPacket[][] | ResultSetHeader[]>(texts.join(';\n'))
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
      `SET SESSION sql_mode = '${SQL_MODE}', time_zone = '+00:00', autocommit = 1, foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, completion_type = 'NO_CHAIN', sql_select_limit = 18446744073709551615, sql_auto_is_null = 0, sql_big_selects = 1, innodb_lock_wait_timeout = ${Math.max(1, Math.ceil(timeout / 1000))}, net_write_timeout = 600, wait_timeout = 604800`,
    )
    await run('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE')
    // MariaDB alone has such a limit for other statements than reads.
    await run('SET SESSION max_statement_time = 0').catch(() => undefined)
    // MariaDB would turn a long list of ids into a join with a temporary table, and may then read the whole table.
    await run('SET SESSION in_predicate_conversion_threshold = 0').catch(() => undefined)
    const { rows } = await run('SELECT @@max_allowed_packet AS bytes')
    packet = Math.min(SENT_TOGETHER, Number(rows[0]?.['bytes'] ?? 0))
  } catch (error) {
    connection.destroy()
    throw error
  }
  return {
    dialect: 'mysql',
    isShared: false,
    run,
    runAll,
    destroy: () => connection.destroy(),
    close: () => connection.end().catch(() => connection.destroy()),
  }
}
