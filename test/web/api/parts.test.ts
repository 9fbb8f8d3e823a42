import { describe, expect, it } from 'vitest'
import { RunSet } from '../../../src/common/run-set.ts'
import type { ExecutionQuery, LedgerReads, RunReads } from '../../../src/web/model.ts'
import { runMap } from '../../../src/web/runs/run-map.ts'
import { pageServer } from '../../../src/web/server.ts'

const lines = (many: number) => Array.from({ length: many }, (_, i) => ({ id: i + 1, task: 't' }))

/** A page of so many executions, and of records of these runs. */
const siteOf = (executions: number, records: readonly number[] = []) => {
  const all = lines(executions)
  const nothing = RunSet.EMPTY
  let taken = RunSet.of(records)
  const server = pageServer({
    ...{ hosts: new Set(['page']), token: undefined, writeToken: undefined, base: '/b', secure: false },
    ...{ now: () => 0, place: () => '', keys: true, actions: undefined },
    assets: { names: { page: '', theme: '', style: '', sans: '', mono: '' }, files: new Map() },
    sources: {
      ...{ site: '', version: '', host: '', logRoots: [], now: () => 0, redact: (text: string) => text },
      ledger: {
        revision: () => Promise.resolve('1'),
        days: () => Promise.resolve([]),
        failures: () => Promise.reject(new Error('away')),
        executions: ({ limit, cursor }: ExecutionQuery) => {
          const from = Number(cursor?.split('-')[0] ?? 0)
          const next = from + limit < executions ? `${from + limit}-1` : undefined
          return Promise.resolve({ items: all.slice(from, from + limit), next })
        },
      } as unknown as LedgerReads,
      runs: {
        snapshot: () =>
          Promise.resolve({
            ...{ at: 0, isListing: false, missing: [], import: { known: false }, migrate: { known: false } },
            map: runMap({
              records: taken,
              artdaq: nothing,
              archive: nothing,
              failed: nothing,
              waiting: nothing,
            }),
          }),
      } as unknown as RunReads,
    },
  })
  const get = (path: string) =>
    Promise.resolve(server.fetch(new Request(`http://page/b/api/v1${path}`, { headers: { host: 'page' } })))
  return { get, take: (runs: readonly number[]) => (taken = RunSet.of(runs)) }
}
const rowsIn = async (answer: Response): Promise<number> =>
  (await answer.text()).trim().split('\r\n').length - 1

describe('a list as CSV, which has no place for the rest of it', () => {
  it('is whole where nobody limits it', async () => {
    const answer = await siteOf(2500).get('/executions?format=csv')
    expect(await rowsIn(answer)).toBe(2500)
    expect(answer.headers.get('link')).toBeNull()
  })
  it('says in its headers where the rest is', async () => {
    const limited = await siteOf(250).get('/executions?task=t&format=csv&limit=100')
    expect(await rowsIn(limited)).toBe(100)
    expect(limited.headers.get('link')).toBe('<?task=t&format=csv&limit=100&cursor=100-1>; rel="next"')
    const large = await siteOf(12_000).get('/executions?format=csv')
    expect(await rowsIn(large)).toBe(10_000)
    expect(large.headers.get('link')).toContain('cursor=10000-1')
  })
})

describe('the part of a list behind another one', () => {
  const even = Array.from({ length: 10 }, (_, i) => 100 + 2 * i)
  it('has every gap once, although some of those before it have gone', async () => {
    const { get, take } = siteOf(0, even)
    const first = (await (await get('/runs/gaps?limit=5')).json()) as {
      items: { first: number }[]
      next: string
    }
    expect(first.items.map((gap) => gap.first)).toEqual([118, 117, 116, 115, 114])
    take(even.filter((run) => run < 116)) // in the list the gap 113 has the fifth place no more
    const { items } = (await (await get(`/runs/gaps?limit=5&cursor=${first.next}`)).json()) as typeof first
    expect(items.map((gap) => gap.first)).toEqual([113, 112, 111, 110, 109])
  })
  it('is refused where its cursor is none, and does not begin again', async () => {
    expect((await siteOf(1).get('/stats?cursor=nonsense')).status).toBe(400)
    expect((await siteOf(1).get('/stats?cursor=2026-11-27%20task')).status).toBe(200)
  })
})

describe('the map of runs while the ledger is away', () => {
  it('has the states of all runs, without the causes', async () => {
    const answer = await siteOf(0, [1, 2, 4]).get('/runs/map')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ first: 1, last: 4, rle: [4, 2, 0, 1, 4, 1], failed: [] })
  })
})
