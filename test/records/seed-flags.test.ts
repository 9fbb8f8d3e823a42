import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { namedTarget, targetNameOf } from '../../src/commands/records/named-target.ts'
import { readSeedFlags } from '../../src/commands/records/seed-flags.ts'

describe('flags of the original', () => {
  it('that have nothing to do are told once each', () => {
    expect(readSeedFlags({})).toEqual([])
    expect(readSeedFlags({ chunkSize: '500', disableMars: true })).toEqual([
      expect.stringContaining('--chunk-size does nothing'),
      expect.stringContaining('--disable-mars does nothing'),
    ])
  })
  it('are refused where they hold a password, without its value', () => {
    const refused = (): unknown => readSeedFlags({ password: 'hidden-word' })
    expect(refused).toThrow('--password is refused')
    expect(refused).not.toThrow('hidden-word')
  })
})

describe('--server and --database', () => {
  const url = 'postgres://writer:word@db.example:5433/old?sslmode=disable'
  const named = (flags: Parameters<typeof namedTarget>[0], from: string | undefined = url) =>
    namedTarget(flags, { url: from, engine: undefined })

  it('leave a configured target as it is where they are not given', () => {
    expect(named({})).toBe(url)
  })
  it.each([
    // Another server has another password, and a URL without a port means the port of the engine.
    [{ server: 'other' }, 'postgres://writer@other/old?sslmode=disable'],
    [{ server: 'other,6000' }, 'postgres://writer@other:6000/old?sslmode=disable'],
    [{ server: 'tcp:other:6000' }, 'postgres://writer@other:6000/old?sslmode=disable'],
    [{ server: '[::1],6000' }, 'postgres://writer@[::1]:6000/old?sslmode=disable'],
    [{ server: '.' }, 'postgres://writer@localhost/old?sslmode=disable'],
    [{ server: 'db.example' }, 'postgres://writer@db.example/old?sslmode=disable'],
    [{ server: 'DB.example,5433' }, 'postgres://writer:word@DB.example:5433/old?sslmode=disable'],
    [{ database: 'new/one?x' }, 'postgres://writer:word@db.example:5433/new%2Fone%3Fx?sslmode=disable'],
    [{ username: 'writer' }, url],
    // Another user has another password.
    [{ username: 'a b' }, 'postgres://a%20b@db.example:5433/old?sslmode=disable'],
  ])('replace what they name: %j', (flags, expected) => {
    expect(named(flags)).toBe(expected)
  })
  it.each([
    [
      'postgres://writer:word@db.example/old',
      { server: 'db.example,5432' },
      'postgres://writer:word@db.example:5432/old',
    ],
    [
      'postgres://writer:word@127.0.0.1:5432/old',
      { server: 'localhost' },
      'postgres://writer:word@localhost/old',
    ],
    // A driver takes what stands behind the ? before the rest of the URL.
    [
      'postgres://writer@db/old?host=real&port=1&password=word',
      { server: 'other' },
      'postgres://writer@other/old',
    ],
    ['postgres://db/old?user=writer&password=word', { username: 'me' }, 'postgres://me@db/old'],
    [
      'postgres://db/old?user=writer&password=word',
      { username: 'writer' },
      'postgres://db/old?user=writer&password=word',
    ],
    ['mysql://writer:word@db/old?socketPath=/run/m.sock', { server: 'db' }, 'mysql://writer@db/old'],
  ])('understand the server of %s: %j', (from, flags, expected) => {
    expect(named(flags, from)).toBe(expected)
  })
  it('make a target where the configuration names the engine alone', () => {
    const flags = { server: 'db', database: 'loans', username: 'me' }
    expect(namedTarget(flags, { url: undefined, engine: 'mysql' })).toBe('mysql://me@db/loans')
    expect(() => namedTarget({ server: 'db' }, { url: undefined, engine: 'mysql' })).toThrow('go together')
    expect(() => namedTarget(flags, { url: undefined, engine: undefined })).toThrow('need an engine')
    expect(() => namedTarget({}, { url: undefined, engine: 'mysql' })).toThrow(
      'records.target_url is missing',
    )
  })
  it.each([
    [{ server: 'db\\SQLEXPRESS' }, 'mssql://sa@db/old?encrypt=false&instance=SQLEXPRESS'],
    // Where a port is named, no instance is asked for.
    [{ server: 'db\\SQLEXPRESS,1500' }, 'mssql://sa@db:1500/old?encrypt=false'],
    [{ server: '.\\X', database: 'new' }, 'mssql://sa@localhost/new?encrypt=false&instance=X'],
  ])('name an instance of SQL Server: %j', (flags, expected) => {
    expect(named(flags, 'mssql://sa@h/old?encrypt=false')).toBe(expected)
    expect(targetNameOf('mssql://sa:x@db/old?instance=X')).toEqual({ server: 'db\\X', database: 'old' })
  })
  it('name an instance for an engine alone', () => {
    const flags = { server: 'db\\X,1500', database: 'loans' }
    expect(namedTarget(flags, { url: undefined, engine: 'mssql' })).toBe('mssql://db:1500/loans')
  })
  it('name a file of SQLite, which has no server', () => {
    expect(named({ database: 'a.db' }, 'sqlite:old.db')).toBe(`sqlite:${resolve('a.db')}`)
    expect(named({ database: '/x/a.db', server: '(local)' }, 'sqlite:old.db')).toBe('sqlite:/x/a.db')
    expect(() => named({ server: 'db', database: 'a.db' }, 'sqlite:old.db')).toThrow('SQLite has no server')
  })
  it.each(['db\\SQLEXPRESS', 'db/x', 'me@db', 'db:1:2', 'a b', 'db,99999', 'db?x', 'db#x'])(
    'refuse what is no server: %s',
    (server) => {
      expect(() => named({ server })).toThrow('is not HOST')
    },
  )
  it('show no user and no password in a metrics file', () => {
    expect(targetNameOf(url)).toEqual({ server: 'db.example:5433', database: 'old' })
    expect(targetNameOf('sqlite:/x/a.db')).toEqual({ server: null, database: '/x/a.db' })
  })
})
