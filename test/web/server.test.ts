import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/common/secret.ts'
import { RunSet } from '../../src/common/run-set.ts'
import type { RunReads, RunsSnapshot } from '../../src/web/model.ts'
import { pageServer } from '../../src/web/server.ts'

const serverOf = (runs?: RunReads, base = '') =>
  pageServer({
    ...{ hosts: new Set(['page']), token: new Secret('the-token'), writeToken: undefined, secure: false },
    ...{ now: () => 0, place: () => 'page', keys: true, actions: () => NO_ACTIONS, base },
    assets: { names: { page: '', theme: '', style: '', sans: '', mono: '' }, files: new Map() },
    sources: {
      ...{ ledger: undefined, runs, site: '', version: '', host: '', logRoots: [] },
      ...{ now: () => 0, redact: (text: string) => text },
    },
  })
const server = serverOf()
const refused = () => Promise.reject(new Error('an action was done'))
const NO_ACTIONS = { retry: refused, cancel: refused, scrub: refused, silence: refused }

/** A body of so many bytes that says nothing of its length, and how many of them were taken. */
const streamOf = (bytes: number) => {
  const seen = { taken: 0 }
  const piece = new Uint8Array(65_536).fill(0x61)
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (seen.taken >= bytes) {
          controller.close()
          return
        }
        seen.taken += piece.length
        controller.enqueue(piece)
      },
    },
    { highWaterMark: 0 },
  )
  return { body, seen }
}
const post = (
  path: string,
  body: string | ReadableStream<Uint8Array>,
  headers: Record<string, string> = {},
) =>
  server.fetch(
    new Request(`http://page${path}`, {
      method: 'POST',
      headers: { host: 'page', 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    }),
  )

describe('a write', () => {
  it.each(['/login', '/actions/scrub', '/api/v1/runs/retry', '/nowhere'])(
    'to %s with a body without end is refused before it fills the memory',
    async (path) => {
      const { body, seen } = streamOf(50_000_000)
      expect((await post(path, body)).status).toBe(413)
      expect(seen.taken).toBeLessThan(20_000_000)
    },
  )
  it('of a form without its length is taken', async () => {
    const { body } = streamOf(1000)
    const answer = await post('/login', body)
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login?wrong'])
  })
  it('that asks for a retry of a stage that is none is refused', async () => {
    const answer = await post('/actions/retry/nothing', '', { authorization: 'Bearer the-token' })
    expect(answer.status).toBe(400)
  })
})

describe('pages drawn before anybody asks', () => {
  /** Which runs' copies were read. */
  const warmed = async (snapshot: RunReads['snapshot'], base?: string): Promise<readonly number[]> => {
    const asked: number[] = []
    const copies = (run: number) => {
      asked.push(run)
      return Promise.reject(new Error('the store is away'))
    }
    await serverOf({ config: 'c.yaml', snapshot, copies }, base).warm()
    return asked
  }
  const holding = { artdaq: { known: true, value: RunSet.of([3, 12]) } } as unknown as RunsSnapshot

  it.each(['', '/archive'])('are one of the newest run, under "%s"', async (base) => {
    expect(await warmed(() => Promise.resolve(holding), base)).toEqual([12])
  })
  it('leave what cannot be read to who asks for it', async () => {
    expect(await warmed(() => Promise.reject(new Error('nothing answers')))).toEqual([])
  })
})
