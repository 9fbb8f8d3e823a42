import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { eventReply } from '../../src/web/event-reply.ts'
import { LiveHub } from '../../src/web/live.ts'

const LARGE = 'x'.repeat(100_000)

/** A page of 100,000 characters that changes with each look, and a reader of it. */
const changing = () => {
  let made = 0
  const hub = new LiveHub({
    ...{ revision: () => Promise.resolve(String(made)), partOf: () => undefined, base: '' },
    ...{ readLog: () => Promise.resolve(undefined), now: () => 0, every: 2, readersAtMost: 1 },
    view: () => {
      made += 1
      const blocks = [{ id: 'b-1', body: `version ${made} ${LARGE}` }]
      return Promise.resolve({ key: 'x', title: 'x', say: 'x', live: true, blocks })
    },
  })
  const app = new Hono().get('/events', (context) =>
    eventReply(context, hub, { path: '/', mayAct: false, log: undefined }),
  )
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((done) => setTimeout(done, 2))
  }
  const ask = async (method = 'GET'): Promise<Response> => app.request('/events', { method })
  return { hub, ask, until, made: () => made }
}

describe('a reader that takes nothing while its page changes', () => {
  it('is sent the page as it is when it has taken what waited, and none of those between', async () => {
    const { hub, ask, until, made } = changing()
    const reader = ((await ask()).body as ReadableStream<Uint8Array>).getReader()
    await until(() => made() > 50)
    const left = made()
    const versions: number[] = []
    const decoder = new TextDecoder()
    for (let text = ''; !versions.some((version) => version > left);) {
      text += decoder.decode((await reader.read()).value, { stream: true })
      versions.push(...[...text.matchAll(/version (\d+)/g)].map(([, version]) => Number(version)))
      text = text.slice(-20)
    }
    const waited = new Set(versions.filter((version) => version <= left))
    expect(waited.size).toBeGreaterThan(0)
    expect(waited.size).toBeLessThan(10)
    await reader.cancel()
    await until(() => hub.readers === 0)
    hub.close()
  })
})

describe('a reader that only asks for the head', () => {
  it('takes no place', async () => {
    const { hub, ask } = changing()
    const reply = await ask('HEAD')
    expect([reply.status, reply.headers.get('content-type'), hub.readers]).toEqual([
      200,
      'text/event-stream',
      0,
    ])
    hub.close()
  })
})
