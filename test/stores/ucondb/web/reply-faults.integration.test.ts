import { describe, expect, it } from 'vitest'
import { sha256Of } from '../../../../src/stores/ucondb/checksum-file.ts'
import { packed } from '../../../conformance/archive.ts'
import type { Fault } from '../../../fakes/ucon-server-faults.ts'
import {
  signal,
  blob,
  server,
  opened,
  proxied,
  put,
  fails,
  restart,
  serverForEachTest,
} from './faulty-server.ts'

serverForEachTest()

describe('H4: a reply that is cut', () => {
  it.each<Fault>([
    { kind: 'cut', after: 0, path: 'override' },
    { kind: 'cut', after: 50, path: 'override' },
    { kind: 'cut', after: 0, method: 'GET', path: 'key=' },
    { kind: 'cut', after: 30_000, method: 'GET', path: 'key=' },
  ])('once, %j: the blob is there in the end', async (fault) => {
    fails(fault)
    expect(await put(opened())).toBe('stored')
  })

  it.each([false, true])(
    'for good (with Content-Length: %s): nothing is called archived, or given out',
    async (keepAlive) => {
      await restart({ keepAlive })
      const archive = opened()
      await put(archive)
      fails({ kind: 'cut', after: 30_000, method: 'GET', path: '/data', times: Infinity })
      await expect(archive.get(12000, 0, signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      fails({ kind: 'cut', after: 150, method: 'GET', path: '/versions', times: Infinity })
      await expect(archive.list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    },
  )

  it('wherever a listing is cut, it is not taken for a shorter one', async () => {
    const archive = opened(server, { attempts: 1 })
    for (const run of [1, 2, 3]) await put(archive, run, packed(run, 'x'))
    const whole = await (await fetch(`${server.url}/versions?folder=test01&object=configuration`)).text()
    for (let after = 0; after < whole.length; after++) {
      fails({ kind: 'cut', after, path: '/versions' })
      await expect(archive.list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
    expect((await archive.list()).runs.size).toBe(3)
  })
})

describe('H5: something else that answers 200', () => {
  const portal =
    'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html><h1>Sign in</h1></html>'
  it('to everything: nothing is archived, nothing is listed, nothing is sent', async () => {
    const { proxy, url } = await proxied()
    proxy.always({ kind: 'answer', text: portal })
    const archive = opened({ url })
    expect(await put(archive)).toBe('STORE_UNAVAILABLE')
    await expect(archive.list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(archive.get(1, 0, signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(archive.fingerprint()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(server.seen).toEqual([])
  })

  it.each(['<html>Sign in</html>', '{}', '[]', 'null', '17', '', '{"key": "12000", "data_size": 1}'])(
    'to the put, with %j: what the store holds decides',
    async (body) => {
      fails({ kind: 'status', status: 200, body, path: 'override' })
      expect(await put(opened())).toBe('stored')
      expect(server.blob('12000')?.equals(blob)).toBe(true)
    },
  )
})

describe('H6: a server that says 200 and stores something else', () => {
  it.each(['nothing', 'empty', 'half', 'other'] as const)(
    '%s: reading back finds it, with both digests',
    async (stores) => {
      fails({ kind: 'lie', stores })
      const refused = opened().put(12000, 0, blob, signal)
      await expect(refused).rejects.toMatchObject({ code: 'VERIFY_MISMATCH', run: 12000 })
      await expect(refused).rejects.toThrow(sha256Of(blob))
      const held = server.blob('12000')
      if (held) await expect(refused).rejects.toThrow(sha256Of(held))
    },
  )

  it('and says so in its reply: the checksum finds it, without reading back', async () => {
    const meta = '{"key": "12000", "data_size": 0, "uadler32": 1}'
    fails({ kind: 'status', status: 200, body: meta, path: 'override' })
    expect(await put(opened(server, { verify: 'checksum' }))).toBe('VERIFY_MISMATCH')
  })

  it('is not forgotten by the next try', async () => {
    fails({ kind: 'lie', stores: 'other' })
    const archive = opened()
    expect([await put(archive), await put(archive), await put(opened())]).toEqual([
      'VERIFY_MISMATCH',
      'CONFLICT',
      'CONFLICT',
    ])
  })
})

describe('H14: a reply that is not to be believed', () => {
  const endless = {
    kind: 'raw',
    text: `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(3_000_000)}`,
    times: Infinity,
  } as const
  it('goes on after it should have ended', async () => {
    fails(endless)
    expect(await put(opened())).toBe('STORE_UNAVAILABLE')
  })

  it('is a blob larger than is fetched', async () => {
    await put(opened())
    await expect(opened(server, { largestBlob: 1_000 }).get(12000, 0, signal)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
  })

  it.each([
    {
      what: 'labelled as compressed',
      text: 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n3.9.7',
    },
    { what: 'of a negative length', text: 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n3.9.7' },
    { what: 'without a status line', text: '3.9.7' },
    { what: 'of another protocol', text: 'SSH-2.0-OpenSSH_9.2\r\n' },
    {
      what: 'with headers without end',
      text: `HTTP/1.1 200 OK\r\n${'X-Header: 1\r\n'.repeat(100_000)}\r\n3.9.7`,
    },
  ])('is $what', async ({ text }) => {
    fails({ kind: 'raw', text, times: Infinity })
    expect(await put(opened())).toBe('STORE_UNAVAILABLE')
  })

  it.each([
    Buffer.from([0x5b, 0xff, 0xfe, 0x5d]).toString('latin1'),
    '[{"key": 7, "tr": 1.0}]',
    '{"key": "7", "tr": 1.0}',
    '[{"key": "7", "tr": 1.0}',
    '[{"key": "7", "tr": 1.0}]]',
    `[{"key": "${'7'.repeat(2_000_000)}`,
  ])('is a listing that is none', async (text) => {
    const body = `HTTP/1.1 200 OK\r\nContent-Type: text/json\r\nConnection: close\r\n\r\n${text}`
    fails({ kind: 'raw', text: body, times: Infinity })
    await expect(opened().list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
