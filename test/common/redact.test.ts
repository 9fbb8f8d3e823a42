import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isSecretKey,
  printable,
  printableJson,
  redact,
  redactor,
  redactUrl,
} from '../../src/common/redact.ts'
import { Secret } from '../../src/common/secret.ts'

describe('a text that looks as if it held a secret', () => {
  it.each([
    ['postgres://archiver:hunter22@db/ledger', 'postgres://archiver:[secret]@db/ledger'],
    ['mongodb://u:p@ss@host:27017/x', 'mongodb://u:[secret]@host:27017/x'],
    ['Authorization: Bearer abcdefgh12345', 'Authorization: [secret] [secret]'],
    ['xoxb-123456-abcdef was refused', '[secret] was refused'],
    ['https://hooks.slack.com/services/T0/B0/abc', 'https://hooks.slack.com/services/[secret]'],
    ['writer_password: "two words", next', 'writer_password: [secret], next'],
    ['?user=a&password=b&x=1', '?user=a&password=[secret]&x=1'],
    ['(password: YESTERDAY)', '(password: [secret]'],
  ])('%s', (text, masked) => expect(redact(text)).toBe(masked))

  it.each([
    'run 12000 of https://host:8080/a@b',
    'mail to daq@example.org',
    'tokens 12, no secrets here',
    "Access denied for user 'a'@'b' (using password: NO)",
    "Access denied for user 'a'@'b' (using password: YES)",
  ])('and one that holds none stays: %s', (text) => expect(redact(text)).toBe(text))
})

describe('a secret that is changed in its file while the program runs', () => {
  it('is masked as it was and as it is', () => {
    let text = 'the-old-password'
    const secret = new Secret(text, () => text)
    const mask = redactor([secret])
    text = 'the-new-password'
    secret.current()
    expect(mask('the-old-password, then the-new-password')).toBe('[secret], then [secret]')
  })
})

describe('a text of any length', () => {
  it.each(['x', 'a-', 'a.', 'token', 'a:', 'a://', 'Bearer ', 'xoxa-', "'", 'password= '])(
    'is looked through in a moment: %j many times',
    (piece) => {
      const began = performance.now()
      redact(piece.repeat(200_000))
      // With a pattern that begins with a run of any length: more than a minute.
      expect(performance.now() - began).toBeLessThan(5000)
    },
  )
})

describe('a URL as it is configured', () => {
  it.each([
    ["postgres://arch:it's-hunter2@db/x", 'postgres://arch:[secret]@db/x'],
    ['postgres://arch:two words"@db/x', 'postgres://arch:[secret]@db/x'],
    ['mongodb://u:p@ss@h1,h2:27017/x', 'mongodb://u:[secret]@h1,h2:27017/x'],
    ['postgres://arch:a/b#c?d@db/x', 'postgres://arch:[secret]@db/x'],
    ['postgres://arch@db:5432/x', 'postgres://arch@db:5432/x'],
    ['postgres://db/x?user=a&password=b', 'postgres://db/x?user=a&password=[secret]'],
    ['https://host:8443/instance/app', 'https://host:8443/instance/app'],
    ['filesystemdb:///data/db', 'filesystemdb:///data/db'],
    ['sqlite:ledger.db', 'sqlite:ledger.db'],
  ])('%s is shown without its password, whatever that is made of', (url, shown) =>
    expect(redactUrl(url)).toBe(shown),
  )
})

describe('a secret that is known', () => {
  it('is found as it is, in a URL, in base64 and in JSON', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6 }), fc.string(), (text, around) => {
        const mask = redactor([new Secret(text)])
        fc.pre(!'[secret]'.includes(text) && !around.includes(text))
        for (const form of [text, Buffer.from(text).toString('base64'), JSON.stringify(text).slice(1, -1)])
          expect(mask(`${around}|${form}|`)).not.toContain(`|${form}|`)
      }),
    )
  })
})

describe('a text made printable', () => {
  it('has no character left that steers a terminal or starts a line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }),
    )
  })

  it('gives its value back when it is JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = printableJson(value)
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('a key', () => {
  it.each(['password', 'writer_password', 'bot_token', 'Authorization', 'clientSecret', 'api_key'])(
    '%s never shows its value',
    (key) => expect(isSecretKey(key)).toBe(true),
  )
  it.each(['run', 'stage', 'path', 'bypass_count'])('%s does', (key) => expect(isSecretKey(key)).toBe(false))
})
