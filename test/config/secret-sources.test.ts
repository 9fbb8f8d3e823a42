import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redactor } from '../../src/common/redact.ts'
import { readConfig } from '../../src/config/load-config.ts'
import { databasePassword } from '../../src/sql/fresh-password.ts'
import { secretsOf } from '../../src/config/secrets-of.ts'
import { CANARY, type Env, LEAST, parse, problemsOf, withSection } from './given.ts'

describe('a secret', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'secret-'))
    mkdirSync(join(folder, 'credentials'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const file = (name: string, mode: number, text = `${CANARY}-${name}\n`): string => {
    writeFileSync(join(folder, name), text)
    chmodSync(join(folder, name), mode)
    return join(folder, name)
  }
  const secretOf = (lines: string[], env: Env = {}): string | undefined =>
    parse(
      withSection('ucon_db', 'server_url: file:///a', ...lines),
      env,
      join(folder, 'config.yaml'),
    ).uconDb.writerPassword?.reveal()

  it('is taken from its file, then a credential, then the environment, then the configuration', () => {
    const lines = ['writer_password: inline', `writer_password_file: ${file('named', 0o640)}`]
    file('credentials/ucon_db.writer_password', 0o400)
    const env = {
      CREDENTIALS_DIRECTORY: join(folder, 'credentials'),
      RUN_ARCHIVER_UCON_DB_WRITER_PASSWORD: 'variable',
    }
    expect(secretOf(lines, env)).toBe(`${CANARY}-named`)
    expect(secretOf(lines.slice(0, 1), env)).toBe(`${CANARY}-credentials/ucon_db.writer_password`)
    expect(secretOf(lines.slice(0, 1), { ...env, CREDENTIALS_DIRECTORY: undefined })).toBe('variable')
    expect(secretOf(lines.slice(0, 1))).toBe('inline')
  })
  it('named by a relative file is a credential first, then a file beside the configuration', () => {
    file('token', 0o600)
    file('credentials/token', 0o400)
    expect(
      secretOf(['writer_password_file: token'], { CREDENTIALS_DIRECTORY: join(folder, 'credentials') }),
    ).toBe(`${CANARY}-credentials/token`)
    expect(secretOf(['writer_password_file: token'])).toBe(`${CANARY}-token`)
  })
  it('may come in a folder of credentials', () => {
    file('credentials/run-archiver_ledger.password', 0o400)
    const { ledger } = parse(LEAST, { CREDENTIALS_DIRECTORY: join(folder, 'credentials') })
    expect(ledger.password?.reveal()).toBe(`${CANARY}-credentials/run-archiver_ledger.password`)
  })
  it('is read from its file again when it is handed out, and as it was where that is not possible', () => {
    const lines = ['server_url: file:///a', `writer_password_file: ${file('changed', 0o600, 'old\n')}`]
    const { writerPassword } = parse(withSection('ucon_db', ...lines)).uconDb
    expect(writerPassword?.current()).toBe('old')
    file('changed', 0o600, 'new\n')
    expect(writerPassword?.current()).toBe('new')
    expect(writerPassword?.reveal()).toBe('old')
    file('changed', 0o644, 'for all to see\n')
    expect(writerPassword?.current()).toBe('new')
    rmSync(join(folder, 'changed'))
    expect(writerPassword?.current()).toBe('new')
    expect(
      parse(
        withSection('ucon_db', 'server_url: file:///a', 'writer_password: inline'),
      ).uconDb.writerPassword?.current(),
    ).toBe('inline')
  })
  it.each([
    ['ledger', 'url', ({ ledger }: ReturnType<typeof parse>) => ledger.url],
    ['queue', 'url', ({ queue }: ReturnType<typeof parse>) => queue.url],
    ['records', 'target_url', ({ records }: ReturnType<typeof parse>) => records.targetUrl],
    ['rows', 'source', ({ rows }: ReturnType<typeof parse>) => rows.source],
  ])('%s.%s is the URL of a database, whose password is read again and masked', (section, key, urlOf) => {
    const url = (password: string): string => file('url', 0o600, `postgres://a:${password}@b/c\n`)
    const config = parse(`${LEAST}\n${section}:\n  ${key}_file: ${url('oldold%21')}\n`)
    const found = urlOf(config)
    const password = databasePassword({ url: found, password: undefined })
    const mask = redactor(secretsOf(config))
    expect(password?.current()).toBe('oldold!')
    url('newnew%21')
    expect(password?.current()).toBe('newnew!')
    expect(mask('oldold! newnew! newnew%21')).toBe('***** ***** *****'.replaceAll('*****', mask('newnew!')))
    expect(mask('newnew!')).not.toContain('newnew')
    file('url', 0o600, 'no URL')
    expect(password?.current()).toBe('newnew!')
    file('url', 0o600, 'postgres://a:other@elsewhere/c')
    expect(password?.current()).toBe('newnew!')
  })
  it('is masked as its file has it now', () => {
    const config = parse(
      withSection(
        'ucon_db',
        'server_url: file:///a',
        `writer_password_file: ${file('changed', 0o600, 'oldold')}`,
      ),
    )
    const mask = redactor(secretsOf(config))
    file('changed', 0o600, 'newnew')
    config.uconDb.writerPassword?.current()
    expect(mask('oldold, newnew')).toBe('[secret], [secret]')
  })
  it('keeps its digits, blanks and dollars', () => {
    expect(secretOf(['writer_password: 0001'])).toBe('0001')
    expect(secretOf(['writer_password: " a$b$${c} "'])).toBe(' a$b${c} ')
    expect(secretOf(['writer_password: "${PASSWORD}"'], { PASSWORD: 'a${HOME}b' })).toBe('a${HOME}b')
  })
  it.each([0o644, 0o660, 0o604, 0o777])('in a file of mode %o is refused', (mode) => {
    expect(() => secretOf([`writer_password_file: ${file('open', mode)}`])).toThrow(
      /open to others \(mode 0[0-7]{3}\); chmod 0640/,
    )
  })
  it('in a file that is missing or empty is refused, with the file', () => {
    expect(() => secretOf(['writer_password_file: /nowhere/token'])).toThrow(
      'cannot read the file /nowhere/token (ENOENT)',
    )
    expect(() => secretOf([`writer_password_file: ${file('void', 0o600, '\n')}`])).toThrow('is empty')
  })
  it('written into a file that others can read is warned of', () => {
    const path = file(
      'config.yaml',
      0o644,
      withSection('ucon_db', 'server_url: file:///a', `writer_password: ${CANARY}`),
    )
    const { warnings } = readConfig(path, {})
    expect(warnings).toEqual([
      `${path}:7:5 ucon_db.writer_password: stands in a file that others can read; use writer_password_file, or chmod 640`,
    ])
  })
  it.each([
    ['mysql://app@db/shop', false],
    ['file:///var/archive', false],
    ['postgres://app:${PASSWORD}@db/shop', false],
    ['postgres://app:word@db/shop', true],
  ])('as the URL %s is warned of: %s', (url, isWarned) => {
    const path = file('rows.yaml', 0o644, `${LEAST}rows: {archive: {url: "${url}"}}\n`)
    expect(readConfig(path, { PASSWORD: 'x' }).warnings.length > 0).toBe(isWarned)
  })
  it('never shows, whatever is done with the configuration or wrong with it', () => {
    const secrets = ['writer_password', 'reporting.slack.bot_token']
    const lines = ['server_url: file:///a', `writer_password: ${CANARY}`]
    const config = parse(withSection('ucon_db', ...lines))
    expect(inspect(config, { depth: null, showHidden: true })).not.toContain(CANARY)
    expect(JSON.stringify(config)).not.toContain(CANARY)
    expect(config.uconDb.writerPassword?.reveal()).toBe(CANARY)
    const faults = [
      ...secrets.map(() => withSection('ucon_db', ...lines, 'nonsense: 1')),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: [${CANARY}]`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: {a: ${CANARY}}`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: "${CANARY}" ${CANARY}`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: "${CANARY}`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: '${CANARY}' : x`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: *${CANARY}`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: !${CANARY} x`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: @${CANARY}`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: |${CANARY}`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: "\\q${CANARY}"`),
      withSection('ucon_db', 'server_url: file:///a', `writer_password: a`, `  ${CANARY}`, `b ${CANARY}`),
      withSection('artdaq_db', `database_uri: "mongo://daq:${CANARY}@h"`),
      withSection('app', 'batch_size: "${PASSWORD}"'),
      `${LEAST}ledger: {url: "oracle://daq:${CANARY}@h/d"}\n`,
      `${LEAST}${CANARY}`,
    ]
    for (const text of faults) {
      const told = problemsOf(text, { PASSWORD: CANARY }).join('\n')
      expect(told, text).not.toContain(CANARY)
    }
  })
})
