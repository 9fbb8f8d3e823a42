import { ArchiverError } from '../errors.ts'

/** SQLSTATE class 42 is a statement that is wrong itself, which is ours to cure; a right that is missing (42501) and a table that is not there (42P01) are not. */
const WRONG_STATEMENT = /^(?:42(?!501|P01)|0A|26)/
/** MySQL: a syntax that it does not know, an unknown column, a parameter too few. */
const WRONG_STATEMENT_NUMBERS = new Set([1054, 1064, 1109, 1210, 1582])
/** SQLite: https://sqlite.org/rescode.html. SQLITE_ERROR is a wrong statement, SQLITE_MISUSE and SQLITE_RANGE a wrong call. */
const WRONG_CALL = /^SQLITE_(?:ERROR|MISUSE|RANGE|INTERNAL)/
const BROKEN =
  /^(?:Connection terminated|Can't add new command when connection is in closed state|timeout expired)/

/**
 * What a database said of its own state, as an error for the operator: a right, a table or space that is missing, a disk, a connection that broke.
 * Undefined for every other error. A wrong statement is one of those: it is our bug, and not the database's state.
 */
export const serverErrorOf = (error: unknown): ArchiverError | undefined => {
  if (!(error instanceof Error) || error instanceof ArchiverError) return undefined
  if (BROKEN.test(error.message)) return unavailable(error)
  const { code, errno, sqlState, severity, fatal } = error as Error & Partial<Record<string, unknown>>
  if (typeof code !== 'string') return undefined
  if (code.startsWith('PROTOCOL_') || (fatal === true && 'sqlState' in error)) return unavailable(error)
  if (typeof sqlState === 'string')
    return WRONG_STATEMENT_NUMBERS.has(Number(errno)) ? undefined : refused(error)
  if (typeof severity === 'string') return WRONG_STATEMENT.test(code) ? undefined : refused(error)
  return code.startsWith('SQLITE_') && !WRONG_CALL.test(code) ? refused(error) : undefined
}

const unavailable = (error: Error): ArchiverError =>
  new ArchiverError('DATABASE_UNAVAILABLE', `the connection to a database broke: ${error.message}`, {
    cause: error,
    hint: 'look at the server and its log, then run the command again',
  })

const refused = (error: Error): ArchiverError =>
  new ArchiverError('DATABASE_REFUSED', `a database refused what it was asked: ${error.message}`, {
    cause: error,
    hint: 'look at the rights of its user, at its tables and at its disk; doctor tries each database',
  })
