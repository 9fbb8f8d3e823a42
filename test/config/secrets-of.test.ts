import { describe, expect, it } from 'vitest'
import { secretsOf } from '../../src/config/secrets-of.ts'
import { LEAST, parse } from './given.ts'

const hidden = (ledger: string): string[] =>
  secretsOf(parse(`${LEAST}ledger: ${ledger}\n`)).map((secret) => secret.reveal())

describe('what must never be seen of a configuration', () => {
  it.each([
    ['{url: "postgres://daq:p%40ss@h/d"}', ['p%40ss', 'p@ss']],
    ['{url: "postgres://daq@h/d", password: word}', ['word']],
    ['{url: "sqlite:ledger.db"}', []],
    ['{url: off}', []],
  ])('of the ledger %s is %j', (ledger, secrets) => {
    expect(hidden(ledger)).toEqual(secrets)
  })
  it('is the password in any other URL', () => {
    const yaml = LEAST.replace(
      /database_uri: .*/,
      `database_uri: "mongodb://arch:it's-hunter2@db/x"\n    use_tools: true`,
    )
    expect(secretsOf(parse(yaml)).map((secret) => secret.reveal())).toContain("it's-hunter2")
  })
  it('is every other secret whole', () => {
    const config = parse(
      `${LEAST}reporting: {slack: {enabled: true, webhook_url: "https://hooks.example.org/T/B/x"}}\n`,
    )
    expect(secretsOf(config).map((secret) => secret.reveal())).toEqual(['https://hooks.example.org/T/B/x'])
  })
})

describe('the password in the URL of a database', () => {
  it.each(['mssql', 'sqlserver', 'POSTGRES', 'MySQL'])('of %s is hidden wherever it stands', (scheme) => {
    const section = /sql?server|mssql/.test(scheme) ? 'records: {source_url' : 'rows: {source'
    const config = parse(`${LEAST}${section}: "${scheme}://daq:hunter2@h/d"}\n`)
    expect(secretsOf(config).map((secret) => secret.reveal())).toEqual(['hunter2', 'hunter2'])
  })
})
