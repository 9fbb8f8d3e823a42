/** SQLSTATE classes: a key twice in one statement, data that does not fit, a constraint, a limit of the program. */
const SQLSTATES = /^(?:21|22|23|54)[0-9A-Z]{3}$/

const SQLITE = /^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG)/

/** MySQL gives these a state that says nothing: a text or number that is wrong for its column, a column without a value, a date for a number. */
const MYSQL_NUMBERS = [1265, 1364, 1366]

/**
 * Whether an error of any of the three engines says that a value is wrong, so that the row will never be taken as it is; what comes of the
 * connection, the disk, a lock, a right or a missing table passes, and is none.
 */
export const isRefusal = (error: unknown): error is Error => {
  if (!(error instanceof Error)) return false
  const { code, sqlState, errno } = error as Error & Partial<Record<'code' | 'sqlState' | 'errno', unknown>>
  if (typeof sqlState === 'string') return SQLSTATES.test(sqlState) || MYSQL_NUMBERS.includes(Number(errno))
  return typeof code === 'string' && (SQLSTATES.test(code) || SQLITE.test(code))
}
