import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sameRecord } from '../../../../src/stores/ucondb/blob/blob.ts'
import { Secret } from '../../../../src/common/secret.ts'
import { ArchiverError } from '../../../../src/errors.ts'
import { sha256Of } from '../../../../src/stores/ucondb/checksum-file.ts'
import type { UconArchive, UconArchiveOptions } from '../../../../src/stores/ucondb/web/archive.ts'
import { packed } from '../../../conformance/archive.ts'
import { FaultProxy } from '../../../fakes/fault-proxy.ts'
import type { Fault } from '../../../fakes/ucon-server-faults.ts'
import { UconServer, type UconServerOptions } from '../../../fakes/ucon-server.ts'
import { openTo } from './open-to.ts'

/** Each row of the fault catalogue's HTTP table; whatever happens, what is called archived is in the store. */
const signal = new AbortController().signal
const blob = packed(12000, 'x'.repeat(60_000))
const IMPATIENT = { timeoutMs: 300, totalTimeoutMs: 1_500 }

const closing: (() => Promise<void>)[] = []
let server: UconServer
const started = async (options: UconServerOptions = {}): Promise<UconServer> => {
  const one = await UconServer.start(options)
  closing.push(() => one.close())
  return one
}
const opened = (
  to: { readonly url: string } = server,
  more: Partial<UconArchiveOptions> = {},
): UconArchive => {
  const archive = openTo(to, more)
  closing.push(() => archive.close())
  return archive
}
const proxied = async (): Promise<{ proxy: FaultProxy; url: string }> => {
  const proxy = await FaultProxy.before(server)
  closing.push(() => proxy.close())
  return { proxy, url: proxy.urlFor(server) }
}

beforeEach(async () => {
  server = await started()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** What a put came to, as a word; checked against what the store really holds. */
const put = async (archive: UconArchive, run = 12000, what = blob): Promise<string> => {
  try {
    const result = await archive.put(run, 0, what, signal)
    const held = server.blob(`${run}`)
    expect(held && sameRecord(held, what), 'is called archived, and is not there').toBe(true)
    return result
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    expect(error.message).not.toContain('secret')
    return error.code
  }
}
const fails = (fault: Fault): void => server.faults.add(fault)
const posts = (): number =>
  server.seen.filter(({ path }) => path.includes('key=') && path.includes('override')).length

describe('a client that believes the status (the control of this file)', () => {
  const believes = async (url: string): Promise<boolean> => {
    const answer = await fetch(`${url}/data/test01/configuration?key=12000&override=no`, {
      method: 'POST',
      body: new Uint8Array(blob),
    })
    return answer.ok
  }
  it.each<Fault>([
    { kind: 'lie', stores: 'nothing' },
    { kind: 'lie', stores: 'half' },
    { kind: 'status', status: 200, body: '<html>Sign in to the guest network</html>' },
  ])('takes %j for success, and the blob is not there', async (fault) => {
    server = await started({ auth: 'none' })
    fails(fault)
    expect(await believes(server.url)).toBe(true)
    expect(server.blob('12000')?.equals(blob)).not.toBe(true)
  })
})

describe('H1: a server in trouble', () => {
  const statuses = [500, 502, 503, 504, 429]
  it.each(statuses)(
    'that answers %i for good stops the pass, after a bounded number of tries',
    async (status) => {
      const archive = opened()
      await archive.probe(signal)
      server.seen.length = 0
      fails({ kind: 'status', status, times: Infinity })
      expect(await put(archive)).toBe('STORE_UNAVAILABLE')
      expect(server.seen.length).toBeLessThanOrEqual(12)
    },
  )

  it.each(statuses)('that answers %i twice gets the blob in the end', async (status) => {
    fails({ kind: 'status', status, times: 2, path: 'key=' })
    expect(await put(opened())).toBe('stored')
  })

  it('that is overrun, and says so with a bare status line, gets it in the end', async () => {
    fails({ kind: 'overrun', times: 2, path: 'key=' })
    expect(await put(opened())).toBe('stored')
  })

  it.each([
    { said: '1', at: 1_000 },
    { said: new Date(Date.now() - 60_000).toUTCString(), at: 0 },
    { said: 'soon', at: 0 },
  ])('that asks for a pause of $said is given it', async ({ said, at }) => {
    fails({ kind: 'status', status: 503, headers: { 'Retry-After': said }, path: 'override' })
    const began = performance.now()
    expect(await put(opened())).toBe('stored')
    expect(performance.now() - began).toBeGreaterThanOrEqual(at)
  })

  it('that has an error for one blob alone does not hold up the others', async () => {
    fails({ kind: 'error', message: 'value too long', path: 'key=12000&override', times: Infinity })
    const archive = opened()
    expect([await put(archive), await put(archive, 12001), await put(archive)]).toEqual([
      'STORE_REFUSED',
      'stored',
      'STORE_REFUSED',
    ])
  })

  it.each([
    'permission denied for table test01_data',
    'permission denied for sequence test01_versions_id_seq',
    'cannot execute INSERT in a read-only transaction',
    'could not extend file "base/16384/2619": No space left on device HINT: Check free disk space.',
    'relation "public.test01_versions" does not exist LINE 1: insert into public.test01_versions',
    'duplicate key value violates unique constraint "test01_versions_pkey"',
    'nextval: reached maximum value of sequence "test01_data_key_seq" (2147483647)',
  ])('whose database refuses every write blames no run: %s', async (message) => {
    fails({ kind: 'error', message, path: 'override', times: Infinity })
    const archive = opened()
    expect([await put(archive), await put(archive, 12001)]).toEqual([
      'STORE_UNAVAILABLE',
      'STORE_UNAVAILABLE',
    ])
    expect(posts()).toBe(2) // no blob is sent twice for it
  })

  it.each([
    'could not connect to server: Connection refused',
    'terminating connection due to administrator command',
    'FATAL: remaining connection slots are reserved for non-replication superuser connections',
    'current transaction is aborted, commands ignored until end of transaction block',
  ])('whose database is busy is tried again, and blames no run: %s', async (message) => {
    fails({ kind: 'error', message, path: 'override', times: 2 })
    expect(await put(opened())).toBe('stored')
    fails({ kind: 'error', message, path: 'override', times: Infinity })
    expect(await put(opened(), 12001)).toBe('STORE_UNAVAILABLE')
  })

  it('whose database speaks another language leaves it to the next runs whom to blame', async () => {
    const message = 'keine Berechtigung für Tabelle test01_data'
    fails({ kind: 'error', message, path: 'override', times: Infinity })
    await expect(opened().put(12000, 0, blob, signal)).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      doubtful: true,
    })
  })

  it('whose database is down is unavailable, though it answers 200', async () => {
    server.databaseDown = true
    expect(await put(opened())).toBe('STORE_UNAVAILABLE')
    expect(posts()).toBe(0)
  })
})

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
    const large = packed(12000, 'x'.repeat(400_000))
    const { proxy, url } = await proxied()
    proxy.always({ kind: 'slow', bytesPerSecond: 200_000 })
    const archive = opened({ url }, { timeoutMs: 5_000, totalTimeoutMs: 1_000, attempts: 1 })
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
      server = await started({ keepAlive })
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

describe('H8: a key that is taken', () => {
  it('by the same record: present, told by one put and one look', async () => {
    await put(opened())
    const archive = opened()
    await archive.probe(signal)
    server.seen.length = 0
    expect(await put(archive)).toBe('present')
    expect(server.seen.filter(({ path }) => path.includes('key=')).map(({ method }) => method)).toEqual([
      'POST',
      'GET',
    ])
  })

  it('by another record: a conflict, nothing overwritten, nothing tried', async () => {
    await put(opened(), 12000, packed(12000, 'first'))
    expect(await put(opened())).toBe('CONFLICT')
    expect(server.blob('12000')?.equals(packed(12000, 'first'))).toBe(true)
    expect(server.seen.every(({ path }) => !path.includes('override=yes'))).toBe(true)
  })

  it.each(['same', 'other'] as const)(
    'in a race that another server process won, with %s bytes',
    async (bytes) => {
      fails({ kind: 'race', with: bytes })
      expect(await put(opened())).toBe(bytes === 'same' ? 'present' : 'CONFLICT')
    },
  )

  it('and is to be overridden for this one run, by hand: stored and proved, the other keeps its bytes without a key', async () => {
    const first = packed(12000, 'first')
    await put(opened(), 12000, first)
    await put(opened(), 12001, packed(12001, 'first'))
    const archive = opened(server, { overrideConflict: 12000 })
    expect(await put(archive)).toBe('stored')
    expect(await put(archive, 12001)).toBe('CONFLICT')
    expect(server.folder.versions[0]).toMatchObject({ key: null })
    expect((await archive.list()).runs.size).toBe(2)
  })

  it('and is overridden, and the reply is lost: stored all the same', async () => {
    await put(opened(), 12000, packed(12000, 'first'))
    fails({ kind: 'reset', when: 'before reply', path: 'override=yes' })
    expect(await put(opened(server, { overrideConflict: 12000 }))).toBe('stored')
    expect(server.folder.versions).toHaveLength(2)
  })
})

describe('H9: a listing that is not quite right', () => {
  it('names a run twice, and keys that are none: counted once, and told', async () => {
    const object = 'configuration'
    for (const [key, tr] of [
      ['7', 3],
      ['000211', 2],
      [null, 1],
    ] as const)
      server.folder.store(object, key, packed(7, 'x'), { tr })
    const twice = (await (await fetch(`${server.url}/versions?folder=test01&object=${object}`)).text()).slice(
      1,
      -1,
    )
    fails({ kind: 'status', status: 200, body: `[${twice}, ${twice}]`, path: '/versions' })
    const { runs, notes } = await opened().list()
    expect([...runs]).toEqual([7])
    expect(notes.join()).toContain('"000211"')
  })

  it('names a run that cannot be fetched: not found, and a put stores it', async () => {
    const body = '[{"key": "12000", "tr": 1.0, "data_size": 1, "uadler32": 1}]'
    await put(opened(), 1, packed(1, 'x'))
    fails({ kind: 'status', status: 200, body, path: '/versions' })
    const archive = opened()
    expect((await archive.list()).runs.has(12000)).toBe(true)
    await expect(archive.get(12000, 'newest', signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await put(archive)).toBe('stored')
  })

  it('leaves out a run that is there (its version is marked as deleted): the put compares, and finds it', async () => {
    await put(opened())
    await put(opened(), 1, packed(1, 'x'))
    server.folder.versions[0]!.deleted = true
    expect([...(await opened().list()).runs]).toEqual([1])
    expect(await put(opened())).toBe('present')
    expect(await put(opened(), 12000, packed(12000, 'other'))).toBe('CONFLICT')
  })
})

describe('a key that the server calls taken and does not find', () => {
  it('fails its run, and holds up no other', async () => {
    fails({
      kind: 'error',
      message: 'Version with key 12000 already exists',
      path: 'key=12000&override',
      times: Infinity,
    })
    const archive = opened()
    expect([await put(archive), await put(archive, 12001)]).toEqual(['STORE_REFUSED', 'stored'])
  })
})

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
    server = await started({ users })
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
    server = await started({ auth: 'none' })
    expect(await put(opened())).toBe('stored')
    expect(server.seen.every(({ authorization }) => authorization === undefined)).toBe(true)
  })
})

describe('H11: a server that sends elsewhere', () => {
  it.each([301, 302, 303, 307, 308])(
    '%i to another origin: nobody follows, nothing is told to the other',
    async (status) => {
      const other = await started()
      const archive = opened()
      await archive.probe(signal)
      fails({
        kind: 'status',
        status,
        headers: { Location: `${other.url}/data/test01/configuration` },
        path: 'override',
      })
      await expect(archive.put(1, 0, blob, signal)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        hint: expect.stringContaining(other.url) as string,
      })
      expect(other.seen).toEqual([])
    },
  )

  it.each(['http://169.254.169.254/', '/instance/app/loop', 'http://localhost/'])(
    '%s: not followed',
    async (location) => {
      fails({ kind: 'status', status: 308, headers: { Location: location }, times: Infinity })
      expect(await put(opened())).toBe('STORE_UNAVAILABLE')
      expect(server.seen.length).toBe(1)
    },
  )
})

describe('H13: a server that will not take it', () => {
  it('413: this run fails, the next is stored', async () => {
    fails({ kind: 'status', status: 413, path: 'key=12000&override' })
    const archive = opened()
    expect([await put(archive), await put(archive, 12001)]).toEqual(['STORE_REFUSED', 'stored'])
  })

  it.each([400, 404, 405, 507])('%i: the pass stops', async (status) => {
    fails({ kind: 'status', status, path: 'override', times: Infinity })
    expect(await put(opened())).toBe('STORE_UNAVAILABLE')
  })

  it('a folder that is not there, and a server that is read-only: the pass stops before anything is sent', async () => {
    expect(await put(opened(server, { folder: 'nosuch' }))).toBe('STORE_UNAVAILABLE')
    server = await started({ readOnly: true })
    expect(await put(opened())).toBe('STORE_UNAVAILABLE')
    expect(server.seen.every(({ bytes }) => bytes === 0)).toBe(true)
  })

  it('a folder that is not there is not listed as empty', async () => {
    await expect(opened(server, { folder: 'nosuch' }).list()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
  })

  it('a path that is not that of the service: the pass stops', async () => {
    const url = server.url.replace('/instance/app', '/elsewhere')
    expect(await put(opened({ url }))).toBe('STORE_UNAVAILABLE')
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

describe('H15: a kept-open connection that the server closes between two runs', () => {
  it('costs nothing: the next blob is there', async () => {
    server = await started({ keepAlive: true })
    const archive = opened(server, { connections: 1 })
    for (let run = 1; run <= 5; run++) {
      expect(await put(archive, run, packed(run, 'x'))).toBe('stored')
      server.hangUp()
    }
    expect(server.folder.versions).toHaveLength(5)
  })

  it('is one connection for a whole pass where it stays open', async () => {
    server = await started({ keepAlive: true })
    const archive = opened(server, { connections: 1 })
    for (let run = 1; run <= 5; run++) await put(archive, run, packed(run, 'x'))
    expect(server.connections).toBe(1)
  })
})
