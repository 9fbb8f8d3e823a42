import { describe, expect, it } from 'vitest'
import { isSameServer } from '../../src/commands/records/same-server.ts'

describe('two URLs', () => {
  it.each([
    ['postgres://a:b@db/one', 'postgresql://c@DB:5432/two?sslmode=disable'],
    ['mysql://a@127.0.0.1/one', 'mariadb://a@localhost:3306/one'],
    ['mssql://a@db/one?instance=X', 'sqlserver://a@db/one?instance=x'],
    ['postgres://a@db/one?host=/run/pg', 'postgres://a@other/one?host=/run/pg'],
    ['mysql://a@db/one?host=other', 'mysql://a@db/one'],
    ['sqlite:a.db', 'sqlite:/work/a.db'],
  ])('lead to one server: %s and %s', (one, other) => {
    expect(isSameServer(one, other)).toBe(true)
  })
  it.each([
    ['postgres://a@db/one', 'postgres://a@other/one'],
    ['postgres://a@db/one', 'postgres://a@db:5433/one'],
    ['postgres://a@db/one', 'mysql://a@db:5432/one'],
    ['postgres://a@db/one', 'postgres://a@db/one?host=other'],
    ['postgres://a@db/one', 'postgres://a@db/one?port=5433'],
    ['mysql://a@db/one', 'mysql://a@db/one?socketPath=/run/mysqld.sock'],
    ['mssql://a@db/one?instance=X', 'mssql://a@db/one?instance=Y'],
    ['mssql://a@db/one?instance=X', 'mssql://a@db/one'],
  ])('lead to two servers: %s and %s', (one, other) => {
    expect(isSameServer(one, other)).toBe(false)
  })
})
