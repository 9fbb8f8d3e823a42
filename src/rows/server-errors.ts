import { ArchiverError, messageOf } from '../errors.ts'
import type { Trouble } from './dialects/dialect.ts'

interface DriverError extends Error {
  readonly errno?: number
  readonly code?: string
  readonly sqlState?: string
  readonly fatal?: boolean
}

/** MySQL: deadlock, lock wait, too many connections, shutdown, killed connection, a row that changed under a snapshot, interrupted query. */
const TRANSIENT_NUMBERS = new Set([
  1205, 1213, 1040, 1053, 1077, 1079, 1158, 1159, 1160, 1161, 1020, 1317, 1927, 2006, 2013, 4031,
])
/** PostgreSQL: serialization, deadlock, lock wait, shutdown, connection. */
const TRANSIENT_STATES = /^(?:40001|40P01|55P03|57P0[1-3]|08\w{3}|53300)$/
const BROKEN = /^(?:PROTOCOL_\w+|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/
const BROKEN_TEXT =
  /Connection terminated|connection is in closed state|Client has encountered a connection error|not queryable/i

/** MySQL: a value that does not fit, a column without a value, a foreign key, a check, a trigger's own refusal, a packet. */
const DATA_NUMBERS = new Set([
  1048, 1153, 1263, 1264, 1265, 1292, 1364, 1366, 1406, 1411, 1416, 1451, 1452, 1526, 1644, 1690, 3819, 4025,
])

/** What kind of trouble a driver's error is: what to do about it depends on that alone. */
export const troubleOf = (error: unknown): Trouble => {
  if (error instanceof ArchiverError) return error.code === 'DATABASE_UNAVAILABLE' ? 'transient' : 'critical'
  if (!(error instanceof Error)) return 'critical'
  const { errno, code = '', sqlState, fatal } = error as DriverError
  if (errno === 1062 || errno === 1586 || /^23(?:505|P01)$/.test(code)) return 'duplicate'
  if (errno !== undefined && TRANSIENT_NUMBERS.has(errno)) return 'transient'
  if (fatal === true || BROKEN.test(code) || TRANSIENT_STATES.test(code) || BROKEN_TEXT.test(error.message))
    return 'transient'
  if (
    (errno !== undefined && DATA_NUMBERS.has(errno)) ||
    (sqlState === undefined && /^2[23]\w{3}$/.test(code))
  )
    return 'data'
  return 'critical'
}

/** The error as ours: what the server said, and what can be done about it. */
export const rowsError = (error: unknown, what: string): ArchiverError => {
  if (error instanceof ArchiverError) return error
  const trouble = troubleOf(error)
  if (trouble === 'transient')
    return new ArchiverError('DATABASE_UNAVAILABLE', `${what}: ${messageOf(error)}`, {
      cause: error,
      hint: 'run again: finished batches are skipped',
    })
  const isServers = error instanceof Error && ('sqlState' in error || 'severity' in error || 'errno' in error)
  if (!isServers) throw error
  return new ArchiverError('ROWS_FAILED', `${what}: ${messageOf(error)}`, {
    cause: error,
    hint: 'nothing of this batch was deleted; cure what the server says and run again',
  })
}

/** For what only looks: a connection that broke as DATABASE_UNAVAILABLE, any other error as it is. */
export const brokenError = (error: unknown, what: string): unknown =>
  troubleOf(error) === 'transient' ? rowsError(error, what) : error
