import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { withAnySignal } from '../../src/engine/any-signal.ts'

const untilAborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })

describe('a signal of several', () => {
  it.each([0, 1])('aborts with the one of them that does, for its reason: number %i', async (which) => {
    const sources = [new AbortController(), new AbortController()]
    const ended = withAnySignal(
      sources.map(({ signal }) => signal),
      untilAborted,
    )
    sources[which]?.abort('why')
    expect(await ended).toBe('why')
  })

  it('has aborted from the start where one of them had', async () => {
    expect(
      await withAnySignal([new AbortController().signal, AbortSignal.abort('before')], (signal) =>
        Promise.resolve(signal.reason as unknown),
      ),
    ).toBe('before')
  })

  it('leaves nothing behind in its sources, however the work ends', async () => {
    const { signal } = new AbortController()
    const left = (): number => getEventListeners(signal, 'abort').length
    expect(await withAnySignal([signal], () => Promise.resolve(left()))).toBe(1)
    await withAnySignal([signal], () => Promise.reject(new Error('failed'))).catch(() => undefined)
    expect(left()).toBe(0)
  })
})
