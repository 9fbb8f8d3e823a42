import { describe, expect, it } from 'vitest'
import { ArchiverError } from '../../../../src/errors.ts'
import { networkError, Uncertain } from '../../../../src/stores/ucondb/web/network-errors.ts'
import { messageIn, refusal, saysTaken } from '../../../../src/stores/ucondb/web/error-replies.ts'

const NOW = Date.UTC(2026, 10, 21)
const reply = (status: number, body = '', headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: Buffer.from(body),
})
const page = (message: string): string =>
  `<html><body><h2>Application error</h2>\n<h3>${message}</h3>\n<pre>Traceback ...</pre></body></html>`

describe('the message in an error page', () => {
  it.each([
    [page('Version of object o with key 1 already exists'), 'Version of object o with key 1 already exists'],
    [page('two\nlines'), 'two lines'],
    [page(''), ''],
    [page('red \u001b[31m alert \u202e'), 'red [31m alert'],
    ['Folder not found', 'Folder not found'],
    ['<html><h1>502</h1> Bad <b>Gateway</b></html>', '502 Bad Gateway'],
    ['x'.repeat(10_000), 'x'.repeat(300)],
  ])('of %j is told on one line', (body, message) => {
    expect(messageIn(reply(500, body))).toBe(message)
  })
})

describe('a key that is taken', () => {
  it.each([
    [500, page('Version of object o with key 1 already exists'), true],
    [500, page('duplicate key value violates unique constraint "test01_object_key_inx"\nDETAIL: ...'), true],
    [500, page('duplicate key value violates unique constraint "test01_versions_pkey"'), false],
    [500, page('could not connect to server'), false],
    [200, page('already exists'), false],
  ])('is told by %i %j: %s', (status, body, taken) => {
    expect(saysTaken(reply(status, body))).toBe(taken)
  })
})

describe('a pause that a server asks for', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    ['99999999999', 30_000],
    [new Date(NOW + 5_000).toUTCString(), 5_000],
    [new Date(NOW - 5_000).toUTCString(), 0],
    [new Date(NOW + 1e12).toUTCString(), 30_000],
    ['-5 or so', undefined],
    ['tomorrow', undefined],
  ])('by %j is %s ms', (text, pause) => {
    const error = refusal(reply(503, '', { 'retry-after': text }), 'storing', NOW)
    expect(error).toBeInstanceOf(Uncertain)
    expect(error).toMatchObject({ retryAfter: pause })
  })
})

describe('H2, H12: what the network said', () => {
  it.each([
    ['ENOTFOUND', true, /DNS/],
    ['EAI_AGAIN', true, /DNS/],
    ['ECONNRESET', true, /reset/],
    ['UND_ERR_CONNECT_TIMEOUT', true, /connections/],
    ['CERT_HAS_EXPIRED', false, /trusted/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', false, /trusted/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', false, /trusted/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', false, /trusted/],
  ])('%s: whether it is worth another try: %s', (code, again, said) => {
    const error = networkError(Object.assign(new Error('x'), { code }), 'https://ucon.example')
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(said) as string })
    expect(error instanceof Uncertain).toBe(again)
    expect((error as Error).message).toContain('https://ucon.example')
  })

  it('is left as it is where it is a bug, or an error of ours', () => {
    const bug = new TypeError('x is not a function')
    expect(networkError(bug, '')).toBe(bug)
    const ours = new ArchiverError('CONFLICT', 'x')
    expect(networkError(ours, '')).toBe(ours)
  })
})
