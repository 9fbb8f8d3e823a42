import { describe, expect, it } from 'vitest'
import { sameRecord } from '../../../../src/stores/ucondb/blob/blob.ts'
import { packed } from '../../../conformance/archive.ts'
import type { Fault } from '../../../fakes/ucon-server-faults.ts'
import { UconServer } from '../../../fakes/ucon-server.ts'
import {
  signal,
  blob,
  IMPATIENT,
  server,
  opened,
  proxied,
  put,
  fails,
  restart,
  serverForEachTest,
} from './faulty-server.ts'

serverForEachTest()

describe('H2: a server that is not there, or silent', () => {
  it('refuses connections: the pass stops', async () => {
    const gone = await UconServer.start()
    const { url } = gone
    await gone.close()
    await expect(opened({ url }).put(1, 0, blob, signal)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('refuses connections') as string,
    })
  })

  it.each<Fault>([
    { kind: 'stall', path: 'override' },
    { kind: 'stall', after: 20, path: 'override' },
    { kind: 'stall', after: 30_000, method: 'GET', path: 'key=' },
    { kind: 'trickle', milliseconds: 200, path: 'override' },
  ])('falls silent or crawls once (%j): the blob is there in the end', async (fault) => {
    fails(fault)
    expect(await put(opened(server, IMPATIENT))).toBe('stored')
  })

  it.each<Fault>([
    { kind: 'stall', times: Infinity },
    { kind: 'trickle', milliseconds: 250, times: Infinity },
  ])('does so for good (%j): the pass stops before long', async (fault) => {
    const archive = opened(server, { ...IMPATIENT, attempts: 2 })
    fails(fault)
    const began = performance.now()
    expect(await put(archive)).toBe('STORE_UNAVAILABLE')
    expect(performance.now() - began).toBeLessThan(8_000)
  })

  it('takes connections and says nothing: the pass stops', async () => {
    const { proxy, url } = await proxied()
    proxy.always({ kind: 'silence' })
    expect(await put(opened({ url }, { ...IMPATIENT, attempts: 1 }))).toBe('STORE_UNAVAILABLE')
  })

  it('is behind a slow link: a large blob is given the time that its bytes need', async () => {
    // 4 s on this link, more than the 3 s that a request is given without its bytes; a busy host answers a small one in less.
    const large = packed(12000, 'x'.repeat(800_000))
    const { proxy, url } = await proxied()
    proxy.always({ kind: 'slow', bytesPerSecond: 200_000 })
    const archive = opened({ url }, { timeoutMs: 10_000, totalTimeoutMs: 3_000, attempts: 1 })
    expect(await put(archive, 12000, large)).toBe('stored')
    expect(sameRecord(await archive.get(12000, 0, signal), large)).toBe(true)
  })

  it('is left at once when the caller gives up', async () => {
    const archive = opened()
    await archive.probe(signal)
    fails({ kind: 'stall', times: Infinity })
    const caller = new AbortController()
    setTimeout(() => caller.abort(), 50)
    await expect(archive.put(1, 0, blob, caller.signal)).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('is left at once by calls, too, that were still waiting for a connection', async () => {
    const archive = opened(server, { connections: 1 })
    await archive.probe(signal)
    fails({ kind: 'stall', times: Infinity })
    const caller = new AbortController()
    const calls = [1, 2, 3].map((run) => archive.get(run, 0, caller.signal))
    setTimeout(() => caller.abort(), 50)
    const began = performance.now()
    const ends = await Promise.allSettled(calls)
    expect(ends.map((end) => end.status === 'rejected' && (end.reason as Error).name)).toEqual(
      Array(3).fill('AbortError'),
    )
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})

describe('H3: a connection that breaks', () => {
  it.each<Fault>([
    { kind: 'reset', when: 'at once', path: 'override' },
    { kind: 'reset', when: 'after body', path: 'override' },
    { kind: 'reset', when: 'before reply', path: 'override' },
  ])('%j: the blob is there once', async (fault) => {
    fails(fault)
    expect(await put(opened())).toBe('stored')
    expect(server.folder.versions).toHaveLength(1)
  })

  it.each([
    { kind: 'refuse' },
    { kind: 'reset upload', after: 100 },
    { kind: 'reset upload', after: 30_000 },
    { kind: 'reset reply', after: 0 },
    { kind: 'reset reply', after: 40 },
    { kind: 'close reply', after: 0 },
    { kind: 'close reply', after: 40 },
    { kind: 'delay', milliseconds: 100 },
  ] as const)('on the wire, %j: the blob is there once', async (fault) => {
    const { proxy, url } = await proxied()
    const archive = opened({ url })
    await archive.probe(signal)
    proxy.next(fault)
    // The first request of this pass is its check; the put is the fifth.
    proxy.next(fault, fault, fault, fault)
    expect(await put(archive)).toMatch(/stored|STORE_UNAVAILABLE/)
    expect(await put(archive)).toMatch(/stored|present/)
    expect(server.folder.versions).toHaveLength(1)
  })

  it('after the blob was stored, and the record is packed anew in the next minute: present', async () => {
    fails({ kind: 'reset', when: 'before reply', path: 'override' })
    fails({ kind: 'status', status: 503, times: Infinity })
    expect(await put(opened(), 5, packed(5, 'a', '15:50'))).toBe('STORE_UNAVAILABLE')
    server.faults.clear()
    expect(await put(opened(), 5, packed(5, 'a', '15:51'))).toMatch(/present|stored/)
  })
})

describe('H7: a blob that changes while it is sent', () => {
  it('is sent with the length it had, and is not called archived unless the store holds what was given', async () => {
    const given = packed(12000, 'x'.repeat(4_000_000))
    const before = Buffer.from(given)
    const archive = opened()
    await archive.probe(signal)
    const putting = archive.put(12000, 0, given, signal).catch((error: unknown) => error)
    for (let i = 0; i < 50; i++) {
      given[100 + i * 70_000] = 0x79
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const outcome = await putting
    if (outcome === 'stored') expect(server.blob('12000')?.equals(before)).toBe(true)
    else expect(outcome).toMatchObject({ code: expect.stringMatching(/VERIFY_MISMATCH|CONFLICT/) as string })
  })
})

describe('H15: a kept-open connection that the server closes between two runs', () => {
  it('costs nothing: the next blob is there', async () => {
    await restart({ keepAlive: true })
    const archive = opened(server, { connections: 1 })
    for (let run = 1; run <= 5; run++) {
      expect(await put(archive, run, packed(run, 'x'))).toBe('stored')
      server.hangUp()
    }
    expect(server.folder.versions).toHaveLength(5)
  })

  it('is one connection for a whole pass where it stays open', async () => {
    await restart({ keepAlive: true })
    const archive = opened(server, { connections: 1 })
    for (let run = 1; run <= 5; run++) await put(archive, run, packed(run, 'x'))
    expect(server.connections).toBe(1)
  })
})
