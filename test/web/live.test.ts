import { describe, expect, it } from 'vitest'
import { LiveHub } from '../../src/web/live.ts'
import type { View } from '../../src/web/view.ts'

/** A page that shows the blocks of `ids`, and a reader of it. */
const reading = async (ids: string[]) => {
  let revision = 0
  const view = (): Promise<View> =>
    Promise.resolve({
      ...{ key: 'x', title: 'x', say: 'x', live: true },
      blocks: ids.map((id) => ({ id, body: 'text' })),
    })
  const hub = new LiveHub({
    ...{ revision: () => Promise.resolve(String(revision)), partOf: () => undefined, view, base: '' },
    ...{ readLog: () => Promise.resolve(undefined), now: () => 0, every: 5, readersAtMost: 1 },
  })
  const sent: (readonly [event: string, data: unknown])[] = []
  hub.enter({ path: '/', mayAct: false, send: (event, data) => void sent.push([event, data]) })
  const next = async (event: string, from: number): Promise<unknown> => {
    for (;;) {
      const found = sent.slice(from).find(([name]) => name === event)
      if (found) return found[1]
      await new Promise((done) => setTimeout(done, 1))
    }
  }
  const first = await next('parts', 0)
  return { hub, sent, first, next, change: () => (revision += 1) }
}

describe('a reader of a page whose parts come and go', () => {
  it('is sent which parts there are, at first and when that changes, before what is in them', async () => {
    const ids = ['b-1', 'b-2']
    const { hub, sent, first, next, change } = await reading(ids)
    expect(first).toEqual({ ids: ['b-1', 'b-2'] })
    ids.unshift('b-trouble')
    ids.pop()
    const before = sent.length
    change()
    expect(await next('parts', before)).toEqual({ ids: ['b-trouble', 'b-1'] })
    await next('patch', before)
    const events = sent.slice(before).map(([event]) => event)
    expect(events.indexOf('parts')).toBeLessThan(events.indexOf('patch'))
    hub.close()
  })
})

describe('a reader that is let out twice', () => {
  it('does not take the page from one that came in between', async () => {
    let revision = 0
    const view = (): Promise<View> =>
      Promise.resolve({
        ...{ key: 'x', title: 'x', say: String(revision), live: true },
        blocks: [],
      })
    const hub = new LiveHub({
      ...{ revision: () => Promise.resolve(String(revision)), partOf: () => undefined, view, base: '' },
      ...{ readLog: () => Promise.resolve(undefined), now: () => 0, every: 5, readersAtMost: 9 },
    })
    const leave = hub.enter({ path: '/', mayAct: false, send: () => undefined })
    leave?.()
    const sent: unknown[] = []
    hub.enter({ path: '/', mayAct: false, send: (_event, data) => void sent.push(data) })
    leave?.()
    revision = 7
    await expect.poll(() => JSON.stringify(sent)).toContain('>7<')
    expect(hub.readers).toBe(1)
    hub.close()
  })
})

describe('a reader that comes while its page cannot be made', () => {
  it('is sent the page when it can be made again: its own is of before', async () => {
    let [revision, isAway] = [0, true]
    const view = (): Promise<View> =>
      isAway
        ? Promise.reject(new Error('away'))
        : Promise.resolve({
            ...{ key: 'x', title: 'x', say: 'x', live: true },
            blocks: [{ id: 'b-1', body: 'text' }],
          })
    const hub = new LiveHub({
      ...{ revision: () => Promise.resolve(String(revision)), partOf: () => undefined, view, base: '' },
      ...{ readLog: () => Promise.resolve(undefined), now: () => 0, every: 5, readersAtMost: 2 },
    })
    const seen: string[][] = [[], []]
    const enter = (at: number) =>
      hub.enter({
        path: '/',
        mayAct: false,
        send: (event, data) => void seen[at]?.push(event + JSON.stringify(data)),
      })
    const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds))
    enter(0)
    await wait(30)
    expect(seen[0]).toEqual([])
    isAway = false
    revision += 1
    enter(1)
    await wait(60)
    const parts = 'parts{"ids":["b-1"]}'
    for (const events of seen) {
      expect(events.filter((one) => one === parts)).toHaveLength(1)
      expect(events.filter((one) => one.startsWith('patch') && one.includes('b-1'))).toHaveLength(1)
    }
    hub.close()
  })
})
