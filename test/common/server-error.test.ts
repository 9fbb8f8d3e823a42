import { describe, expect, it } from 'vitest'
import { serverErrorOf } from '../../src/common/server-error.ts'
import { ArchiverError } from '../../src/errors.ts'

const errorOf = (message: string, more: Record<string, unknown>): Error =>
  Object.assign(new Error(message), more)
const postgres = (code: string): Error => errorOf(`state ${code}`, { code, severity: 'ERROR' })
const mysql = (errno: number, sqlState = 'HY000'): Error =>
  errorOf(`number ${errno}`, { code: 'ER_X', errno, sqlState })
const sqlite = (code: string): Error => errorOf(code, { code })

describe('an error of a database that a command did not expect', () => {
  it.each([
    ['a right that is missing', postgres('42501')],
    ['a table that is gone', postgres('42P01')],
    ['a full disk', postgres('53100')],
    ['a server that shuts down', postgres('57P01')],
    ['a right that is missing', mysql(1142, '42000')],
    ['a table that is gone', mysql(1146, '42S02')],
    ['a temporary table that another server removed', mysql(6, 'HY000')],
    ['a full disk', mysql(1021)],
    ['a full disk', sqlite('SQLITE_FULL')],
    ['a file that may not be written', sqlite('SQLITE_READONLY')],
    ['a lock', sqlite('SQLITE_BUSY_SNAPSHOT')],
  ])('is told as such: %s (%s)', (_what, error) => {
    expect(serverErrorOf(error)).toMatchObject({ code: 'DATABASE_REFUSED', exitCode: 1, cause: error })
    expect(serverErrorOf(error)?.message).toContain(error.message)
  })
  it.each([
    errorOf('Connection terminated unexpectedly', {}),
    errorOf('Connection lost: The server closed the connection.', { code: 'PROTOCOL_CONNECTION_LOST' }),
  ])('is told as a connection that broke: %s', (error) => {
    expect(serverErrorOf(error)).toMatchObject({ code: 'DATABASE_UNAVAILABLE', exitCode: 1 })
  })
  it.each([
    ['a syntax', postgres('42601')],
    ['an unknown column', postgres('42703')],
    ['a syntax', mysql(1064, '42000')],
    ['an unknown column', mysql(1054, '42S22')],
    ['a statement', sqlite('SQLITE_ERROR')],
    ['no database', new TypeError('x is undefined')],
    ['a file', errorOf('ENOENT', { code: 'ENOENT', errno: -2, syscall: 'open' })],
    ['our own', new ArchiverError('ROWS_FAILED', 'no')],
    ['no error', 'text'],
  ])('stays what it is where it is ours: %s (%s)', (_what, error) => {
    expect(serverErrorOf(error)).toBeUndefined()
  })
})
