import { isRefusal } from '../../sql/data-errors.ts'
import { sqliteCode } from '../../sql/libsql-database.ts'
import { CommitUnknownError } from './database.ts'
import type { ErrorClass } from './error-class.ts'
import { mssqlClass, mssqlConstraint, mssqlNumber } from './mssql-errors.ts'

const TRANSIENT_STATES = /^(?:40001|40P01|55P03|25P03|57014|57P01|57P02|57P03|08\w{3}|53300)$/
const TRANSIENT_NUMBERS = new Set([1205, 1213, 1040, 1053, 2006, 2013])
const TRANSIENT_CODES =
  /^(?:ECONNRESET|EPIPE|ETIMEDOUT|PROTOCOL_CONNECTION_LOST|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH)$/
const MYSQL_CONSTRAINTS = new Set([1048, 1364, 1216, 1217, 1451, 1452, 3819, 4025])

/** Its state is one of the connection, which the server closes, but the same item would meet it again. */
const PACKET_TOO_LARGE = 1153

export const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'errno' in error && error.errno === PACKET_TOO_LARGE

export const classOf = (error: unknown): ErrorClass => {
  if (error instanceof CommitUnknownError) return 'unknown'
  if (!(error instanceof Error)) return 'unavailable'
  const ofMssql = mssqlClass(error)
  if (ofMssql !== undefined) return ofMssql
  // A driver that cannot bind a value: the next item may be sound.
  if (error instanceof RangeError || error instanceof TypeError) return 'refused'
  const { code, errno, sqlState } = error as Error & Partial<Record<'code' | 'errno' | 'sqlState', unknown>>
  const sqlite = sqliteCode(error)
  if (sqlite !== '') return ofSqlite(sqlite)
  const state = typeof sqlState === 'string' ? sqlState : typeof code === 'string' ? code : ''
  if (state === '23505' || errno === 1062 || errno === 1586) return 'duplicate'
  if (typeof errno === 'number' && MYSQL_CONSTRAINTS.has(errno)) return 'constraint'
  if (/^23\w{3}$/.test(state) && typeof sqlState !== 'string') return 'constraint'
  if (errno === PACKET_TOO_LARGE) return 'refused'
  if (TRANSIENT_STATES.test(state) || (typeof errno === 'number' && TRANSIENT_NUMBERS.has(errno)))
    return 'transient'
  if (typeof code === 'string' && TRANSIENT_CODES.test(code)) return 'transient'
  if (/Connection terminated|connection is closed|timeout expired|Query read timeout/i.test(error.message))
    return 'transient'
  return isRefusal(error) ? 'refused' : 'unavailable'
}

const ofSqlite = (code: string): ErrorClass => {
  if (code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || code === 'SQLITE_CONSTRAINT_UNIQUE') return 'duplicate'
  if (code.startsWith('SQLITE_CONSTRAINT')) return 'constraint'
  if (/^SQLITE_(?:BUSY|LOCKED)/.test(code)) return 'transient'
  return /^SQLITE_(?:MISMATCH|TOOBIG)/.test(code) ? 'refused' : 'unavailable'
}

/** The constraint that an error names. Its message may quote values and is not shown. */
export const constraintOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined
  if (mssqlNumber(error) !== undefined) return mssqlConstraint(error)
  if ('constraint' in error && typeof error.constraint === 'string') return error.constraint
  const empty = columnWithoutValue(error)
  if (empty !== undefined) return empty
  const [, quotedName] =
    /CONSTRAINT `([^`]+)`|for key '([^']+)'|constraint failed: ([\w.]+)/.exec(error.message) ?? []
  return (
    quotedName ??
    /for key '([^']+)'/.exec(error.message)?.[1] ??
    /constraint failed: ([\w., ]+)$/.exec(error.message)?.[1]
  )
}

/** The column that must not be null and has no value: PostgreSQL names it apart, MySQL in its message. */
const columnWithoutValue = (error: Error): string | undefined => {
  const { code, table, column } = error as Error & Partial<Record<'code' | 'table' | 'column', unknown>>
  if (code === '23502' && typeof column === 'string')
    return typeof table === 'string' ? `${table}.${column}` : column
  const [, unset, missing] =
    /^Column '([^']+)' cannot be null|^Field '([^']+)' doesn't have a default value/.exec(error.message) ?? []
  return unset ?? missing
}
