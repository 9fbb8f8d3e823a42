import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeArchive, packed } from '../../../conformance/archive.ts'
import { UconServer } from '../../../fakes/ucon-server.ts'
import type { UconArchive, UconArchiveOptions } from '../../../../src/stores/ucondb/web/archive.ts'
import { openTo } from './open-to.ts'

const signal = new AbortController().signal

describe.each(['checksum', 'content'] as const)('with verify: %s', (verify) => {
  describeArchive('UconDB', async () => {
    const server = await UconServer.start()
    const archive = openTo(server, { verify })
    return {
      archive,
      close: async () => {
        await archive.close()
        await server.close()
      },
    }
  })
})

describeArchive('UconDB behind a front end that keeps connections open', async () => {
  const server = await UconServer.start({ keepAlive: true })
  const archive = openTo(server)
  return {
    archive,
    close: async () => {
      await archive.close()
      await server.close()
    },
  }
})

describe('a UconDB object', () => {
  let server: UconServer
  const open: UconArchive[] = []
  const opened = (more: Partial<UconArchiveOptions> = {}): UconArchive => {
    const archive = openTo(server, more)
    open.push(archive)
    return archive
  }
  beforeEach(async () => {
    server = await UconServer.start()
  })
  afterEach(async () => {
    for (const archive of open.splice(0)) await archive.close()
    await server.close()
  })

  it('that is new lists as empty, and takes its first blob', async () => {
    const archive = opened()
    expect((await archive.list()).runs.size).toBe(0)
    expect(await archive.put(1, 0, packed(1, 'x'), signal)).toBe('stored')
    expect([...(await archive.list()).runs]).toEqual([1])
  })

  it('that is empty where runs were archived is an error', async () => {
    await expect(opened({ expectExisting: true }).list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('gets each blob once, with its length, under the run as key and tag, and is never told to override', async () => {
    const archive = opened({ verify: 'checksum' })
    for (const run of [1, 2, 3]) await archive.put(run, 0, packed(run, 'x'), signal)
    const puts = server.seen.filter(({ path }) => path.includes('key='))
    expect(puts.map(({ method, path }) => `${method} ${path}`)).toEqual(
      [1, 2, 3].map(
        (run) => `POST /data/test01/configuration?full_meta=yes&tag=${run}&key=${run}&override=no`,
      ),
    )
    expect(puts.map(({ bytes }) => bytes)).toEqual([1, 2, 3].map((run) => packed(run, 'x').length))
  })

  it.each(['é', '→', '日本語', '\u0000', '\ud83d\ude00'])(
    'keeps %j as the bytes that it is',
    async (text) => {
      const archive = opened()
      await archive.put(1, 0, packed(1, text), signal)
      expect(server.blob('1')?.includes(Buffer.from(text))).toBe(true)
      expect((await archive.get(1, 'newest', signal)).equals(packed(1, text))).toBe(true)
    },
  )

  it('on a server that accepts and is silent does not hang anybody', async () => {
    server.faults.add({ kind: 'stall', times: Infinity })
    const archive = opened({ timeoutMs: 200, totalTimeoutMs: 800, attempts: 1 })
    for (const call of [
      () => archive.list(),
      () => archive.put(1, 0, packed(1, 'x'), signal),
      () => archive.probe(signal),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('is opened without a word to its server, so that one which is down stops nothing else', () => {
    opened()
    expect(server.connections).toBe(0)
  })

  it('whose upload stalls is left alone when the time is up, so that the server can serve others', async () => {
    const patient = opened({ connections: 1 })
    await patient.probe(signal)
    server.faults.add({ kind: 'stall', path: 'override' })
    const caller = new AbortController()
    const stuck = opened().put(1, 0, packed(1, 'x'), caller.signal)
    setTimeout(() => caller.abort(), 100)
    await expect(stuck).rejects.toMatchObject({ name: 'AbortError' })
    expect(await patient.put(2, 0, packed(2, 'x'), signal)).toBe('stored')
  })

  it.each(['../x', 'a b', "a'b", 'a/b', ''])('is not named %j', (name) => {
    expect(() => opened({ object: name })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(() => opened({ folder: name })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
