import type { ErrorClass } from './error-class.ts'

const DUPLICATE = new Set([2601, 2627])
/** A reference or a check, and a column that must not be null. */
const CONSTRAINT = new Set([515, 547])
/** Chosen as the victim of a deadlock, a lock that was waited for in vain, a snapshot that is out of date, a server that hands over. */
const TRANSIENT = new Set([1204, 1205, 1222, 3960, 10928, 10929, 40197, 40501, 40613, 49918, 49919, 49920])
/** A text that would be cut, a value of another type, a number that is too large, a date that the type has not, an identity column. */
const REFUSED = new Set([
  220, 232, 241, 242, 244, 245, 248, 295, 296, 2628, 8114, 8115, 8134, 8152, 8169, 9803, 13609,
])

const CONNECTION = new Set(['ESOCKET', 'ECLOSE', 'ETIMEOUT', 'ECONNCLOSED', 'EINVALIDSTATE', 'EINSTLOOKUP'])

/** The number of an error that SQL Server sent; undefined for an error of the connection and of other engines. */
export const mssqlNumber = (error: Error): number | undefined =>
  'number' in error && typeof error.number === 'number' ? error.number : undefined

/** What an error of SQL Server or of its driver means for the item in hand; undefined for an error of another engine. */
export const mssqlClass = (error: Error): ErrorClass | undefined => {
  const number = mssqlNumber(error)
  if (number !== undefined) {
    if (DUPLICATE.has(number)) return 'duplicate'
    if (CONSTRAINT.has(number)) return 'constraint'
    if (TRANSIENT.has(number)) return 'transient'
    // 4060, 18456 and every other: the database is not there, or not for us.
    return REFUSED.has(number) ? 'refused' : 'unavailable'
  }
  const code = 'code' in error ? error.code : undefined
  if (code === 'ELOGIN') return 'unavailable'
  return typeof code === 'string' && CONNECTION.has(code) ? 'transient' : undefined
}

/** The constraint, index or column that an error of SQL Server names; its message quotes values and is not shown. */
export const mssqlConstraint = (error: Error): string | undefined => {
  const [, constraint, index, column] =
    /constraint ['"]([^'"]+)['"]|unique index '([^']+)'|NULL into column '([^']+)'/.exec(error.message) ?? []
  return constraint ?? index ?? column
}
