import { describe, expect, it } from 'vitest'
import type { Fault } from '../../../fakes/ucon-server-faults.ts'
import {
  blob,
  fails,
  opened,
  posts,
  put,
  restart,
  server,
  signal,
  started,
  serverForEachTest,
} from './faulty-server.ts'

serverForEachTest()

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
    await restart({ auth: 'none' })
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
    await restart({ readOnly: true })
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
