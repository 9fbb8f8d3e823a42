import {
  CommitUnknownError,
  type DatabaseOptions,
  type RecordsDatabase,
  type Session,
  type SqlRow,
} from './database.ts'
import { named } from './dialect.ts'
import { loadTedious, tediousConfig, type Tedious, type TediousConnection } from './mssql-driver.ts'
import { mssqlNumber } from './mssql-errors.ts'
import { MssqlPool, type Lent } from './mssql-pool.ts'

/**
 * Connects at the first query. Every value goes as NVarChar (bytes as VarBinary): the driver would multiply decimals as floating point, and
 * SQL Server turns a text into the column's type without losing a digit. Throws CONFIG_INVALID where `tedious` is not installed.
 */
export const openMssqlDatabase = async (
  server: string,
  options: DatabaseOptions,
): Promise<RecordsDatabase> => {
  const tedious = await loadTedious()
  const { connections, timeout, password } = options
  const pool = new MssqlPool(tedious, tediousConfig(server, password?.current(), timeout), connections + 1)
  const alone = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    pool.use((lent) => work(sessionOf(tedious, lent)))
  return {
    dialect: 'mssql',
    commitsTogether: 1,
    inOneTrip: undefined,
    session: {
      rows: (sql, values) => alone((session) => session.rows(sql, values)),
      change: (sql, values) => alone((session) => session.change(sql, values)),
    },
    transaction: (work) => pool.use((lent) => inTransaction(tedious, lent, work)),
    close: () => pool.close(),
  }
}

const inTransaction = async <T>(
  tedious: Tedious,
  lent: Lent,
  work: (session: Session) => Promise<T>,
): Promise<T> => {
  const { connection } = lent
  await answered(lent, (done) =>
    connection.beginTransaction(done, '', tedious.ISOLATION_LEVEL.READ_COMMITTED),
  )
  let result: T
  try {
    result = await work(sessionOf(tedious, lent))
  } catch (error) {
    // A deadlock has rolled back already; then this fails, and the connection is not used again.
    if (!lent.broken)
      await answered(lent, (done) => connection.rollbackTransaction(done)).catch(() => (lent.broken = true))
    throw error
  }
  try {
    await answered(lent, (done) => connection.commitTransaction(done))
    return result
  } catch (error) {
    lent.broken = true
    throw error instanceof Error && mssqlNumber(error) !== undefined ? error : new CommitUnknownError(error)
  }
}

/** What the driver tells a callback, as a promise. */
const answered = (lent: Lent, ask: (done: (error?: Error | null) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => ask((error) => (error ? reject(noted(lent, error)) : resolve())))

/** An error that the server did not send ends the use of its connection. */
const noted = (lent: Lent, error: Error): Error => {
  if (mssqlNumber(error) === undefined) lent.broken = true
  return error
}

const sessionOf = (tedious: Tedious, lent: Lent): Session => ({
  rows: async (sql, values = []) => (await run(tedious, lent, sql, values)).rows,
  change: async (sql, values = []) => (await run(tedious, lent, sql, values)).changed,
})

const run = (
  tedious: Tedious,
  lent: Lent,
  sql: string,
  values: readonly unknown[],
): Promise<{ readonly rows: SqlRow[]; readonly changed: number }> =>
  new Promise((resolve, reject) => {
    const rows: SqlRow[] = []
    const request = new tedious.Request(named(sql), (error, changed = 0) => {
      if (error) reject(noted(lent, error))
      else resolve({ rows, changed })
    })
    request.on('row', (columns) => {
      rows.push(Object.fromEntries(columns.map(({ metadata, value }) => [metadata.colName, value])))
    })
    values.forEach((value, index) => {
      const isBytes = value instanceof Uint8Array
      const bound =
        value === null || value === undefined ? null : isBytes ? Buffer.from(value) : textOf(value)
      request.addParameter(`p${index + 1}`, isBytes ? tedious.TYPES.VarBinary : tedious.TYPES.NVarChar, bound)
    })
    execute(lent.connection, request, reject)
  })

/** The driver throws for a connection that is gone. */
const execute = (
  connection: TediousConnection,
  request: Parameters<TediousConnection['execSql']>[0],
  reject: (error: unknown) => void,
): void => {
  try {
    connection.execSql(request)
  } catch (error) {
    reject(error)
  }
}

const textOf = (value: unknown): string => {
  if (typeof value === 'boolean') return value ? '1' : '0'
  return typeof value === 'string' ? value : String(value)
}
