import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeArchive, packed } from '../../conformance/archive.ts'
import { UconServer } from '../../fakes/ucon-server.ts'
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

describe('a pass of puts', () => {
  let server: UconServer
  beforeEach(async () => {
    server = await UconServer.start()
  })
  afterEach(() => server.close())

  it('sends each blob once, with its length, under the run as key and tag, and never overrides', async () => {
    const archive = openTo(server, { verify: 'checksum' })
    for (const run of [1, 2, 3]) await archive.put(run, 0, packed(run, 'x'), signal)
    const puts = server.seen.filter(({ path }) => path.includes('key='))
    expect(puts.map(({ method, path }) => `${method} ${path}`)).toEqual(
      [1, 2, 3].map(
        (run) => `POST /data/test01/configuration?full_meta=yes&tag=${run}&key=${run}&override=no`,
      ),
    )
    expect(puts.map(({ bytes }) => bytes)).toEqual([1, 2, 3].map((run) => packed(run, 'x').length))
    await archive.close()
  })
})
