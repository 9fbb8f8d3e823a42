import { describe, expect, it } from 'vitest'
import { Secret } from '../../../../src/common/secret.ts'
import { packed } from '../../../conformance/archive.ts'
import { signal, blob, server, opened, put, fails, restart, serverForEachTest } from './faulty-server.ts'

serverForEachTest()

describe('H10: a server that refuses the password', () => {
  it('for good: the pass stops with a hint, and no blob is sent', async () => {
    const archive = opened(server, { password: new Secret('wrong') })
    await expect(archive.put(1, 0, blob, signal)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      hint: expect.stringContaining('writer_user') as string,
    })
    expect(server.seen.every(({ bytes }) => bytes === 0)).toBe(true)
    expect(server.seen.length).toBeLessThanOrEqual(6)
  })

  it('where none is configured: the pass stops with a hint', async () => {
    const archive = opened(server, { user: undefined, password: undefined })
    await expect(archive.put(1, 0, blob, signal)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      hint: expect.stringContaining('writer_password') as string,
    })
  })

  it('that was changed meanwhile, in its file too: the new one is sent', async () => {
    const users: Record<string, string> = { writer: 'old' }
    await restart({ users })
    const archive = opened(server, { password: new Secret('old', () => users['writer'] ?? '') })
    expect(await put(archive, 1)).toBe('stored')
    users['writer'] = 'new'
    expect(await put(archive, 2)).toBe('stored')
  })

  it('every second time: the blobs are there', async () => {
    const archive = opened()
    for (let run = 1; run <= 5; run++) {
      fails({ kind: 'status', status: 401, path: 'override' })
      expect(await put(archive, run, packed(run, 'x'))).toBe('stored')
    }
  })

  it('with a fresh challenge in the middle of a pass: it is answered', async () => {
    const archive = opened()
    await put(archive, 1, packed(1, 'x'))
    const headers = {
      'WWW-Authenticate': `Digest realm="public.test01", nonce="b'ZnJlc2g='", algorithm=MD5, qop="auth"`,
    }
    fails({ kind: 'status', status: 401, headers, path: 'override' })
    expect(await put(archive, 2, packed(2, 'x'))).toBe('stored')
    expect(server.seen.at(-2)?.authorization).toContain(`nonce="b'ZnJlc2g='"`)
  })

  it('403: the pass stops', async () => {
    const archive = opened()
    await archive.probe(signal)
    fails({ kind: 'status', status: 403, path: 'override', times: Infinity })
    expect(await put(archive)).toBe('STORE_UNAVAILABLE')
  })

  it('is asked once in a pass: one nonce, its count going up', async () => {
    const archive = opened(server, { verify: 'checksum' })
    for (let run = 1; run <= 20; run++) await put(archive, run, packed(run, 'x'))
    const signed = server.seen.flatMap(({ authorization }) => authorization ?? [])
    expect(new Set(signed.map((header) => /nonce="([^"]*)"/.exec(header)?.[1])).size).toBe(1)
    const counts = signed.map((header) => parseInt(/nc=([0-9a-f]{8})/.exec(header)?.[1] ?? '', 16))
    expect(counts).toEqual(Array.from({ length: 21 }, (_, i) => i + 1))
    expect(
      server.seen.filter(({ authorization, method }) => !authorization && method === 'POST'),
    ).toHaveLength(1)
  })

  it('is not sent a password that was not asked for, where anybody may write', async () => {
    await restart({ auth: 'none' })
    expect(await put(opened())).toBe('stored')
    expect(server.seen.every(({ authorization }) => authorization === undefined)).toBe(true)
  })
})
