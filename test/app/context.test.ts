import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { untilStopped, type Context } from '../../src/app/context.ts'
import { printing } from '../records/databases.ts'

describe('a command that only reads', () => {
  const within = (signal: AbortSignal): Context => printing({ signal }).context
  it.each([
    ['ends', () => Promise.resolve(0)],
    ['fails', () => Promise.reject(new Error('no'))],
  ])('and %s leaves nothing behind on the signal of a process that goes on', async (_how, work) => {
    const { signal } = new AbortController()
    await untilStopped(work)({}, within(signal)).catch(() => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
  it('ends by the first signal wherever it is', async () => {
    const controller = new AbortController()
    const ended = untilStopped(() => new Promise<number>(() => undefined))({}, within(controller.signal))
    controller.abort('SIGINT')
    expect(await ended).toBe(130)
  })
})
