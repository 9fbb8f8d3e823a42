import { describe, expect, it } from 'vitest'
import { ArchiverError } from '../../src/errors.ts'
import type { ExecutionLine, LedgerReads } from '../../src/web/model.ts'
import { viewAt } from '../../src/web/site.tsx'
import { SteadyLedger } from '../../src/web/steady.ts'

const NOW = Date.UTC(2026, 10, 28, 12)
const DAY = 86_400_000
const PAGES = ['/', '/history', '/performance', '/failures', '/executions/1', '/runs']

/** A ledger that is there until `isAway`, and answers every list with `length` entries. */
const ledger = (length = 0) => {
  const state = { isAway: false, now: NOW, revision: '1', asked: 0 }
  const answer =
    <T>(value: T) =>
    (): Promise<T> =>
      state.isAway
        ? Promise.reject(new ArchiverError('LEDGER_UNAVAILABLE', 'it is away'))
        : Promise.resolve(value)
  const none = answer([])
  const line = { id: 1, task: 'A', stage: 'DAILY', startedAt: NOW - 1000, standing: 'running' }
  const reads: LedgerReads = {
    ...{
      current: () => ((state.asked += 1), none()),
      tasks: none,
      days: none,
      story: none,
      failures: none,
      metrics: none,
      late: none,
    },
    executions: answer({ items: Array.from({ length }, () => line as ExecutionLine), next: undefined }),
    execution: answer(undefined),
    revision: () => answer(state.revision)(),
  }
  const steady = new SteadyLedger(reads, () => state.now)
  const site = {
    ...{ steady, hasToken: false, canAct: false, results: new Map() },
    sources: {
      ...{ site: 'x', version: '1', host: 'h', logRoots: [], runs: undefined, ledger: steady.reads },
      now: () => state.now,
      redact: (text: string) => text,
    },
  }
  return { state, steady, site }
}

describe('a ledger that goes away', () => {
  it.each(PAGES)('leaves %s as it was, however long it stays away', async (page) => {
    const { state, site } = ledger()
    const before = await viewAt(page, false, site)
    state.isAway = true
    for (const later of [1, 1000, 3 * 3_600_000]) {
      state.now = NOW + later
      const view = await viewAt(page, false, site)
      expect(view.status).toBe(before.status)
      expect(view.title).toBe(before.title)
    }
  })

  it('answers what was asked before, and refuses what was not', async () => {
    const { state, steady } = ledger()
    await steady.reads.failures(NOW - 400 * DAY, 2000)
    state.isAway = true
    state.now += 5000
    expect(await steady.reads.failures(state.now - 400 * DAY, 2000)).toEqual([])
    await expect(steady.reads.failures(state.now - 14 * DAY, 2000)).rejects.toThrow('it is away')
    await expect(steady.reads.failures(state.now - 400 * DAY, 7)).rejects.toThrow('it is away')
    await expect(steady.reads.revision()).rejects.toThrow('it is away')
  })

  it('has 20,000 entries of lists kept for it, the newest', async () => {
    const { state, steady } = ledger(1000)
    for (let at = 0; at < 100; at++) await steady.reads.executions({ limit: 1000, cursor: String(at) })
    state.isAway = true
    const isKept = async (at: number): Promise<boolean> =>
      steady.reads.executions({ limit: 1000, cursor: String(at) }).then(
        () => true,
        () => false,
      )
    const kept = await Promise.all(Array.from({ length: 100 }, (_, at) => isKept(at)))
    expect(kept.indexOf(true)).toBe(80)
    expect(kept.filter(Boolean)).toHaveLength(20)
  })
})

describe('what the overview asks', () => {
  it('is not read again while nothing was written, for five seconds', async () => {
    const { state, steady } = ledger()
    for (let i = 0; i < 10; i++) await steady.reads.current()
    expect(state.asked).toBe(1)
    state.now += 4999
    await steady.reads.current()
    expect(state.asked).toBe(1)
    state.now += 1
    await steady.reads.current()
    expect(state.asked).toBe(2)
  })

  it('is read again after a write, and when the clock was set back', async () => {
    const { state, steady } = ledger()
    await steady.reads.current()
    state.revision = '2'
    await steady.reads.current()
    expect(state.asked).toBe(2)
    state.now -= 1
    await steady.reads.current()
    expect(state.asked).toBe(3)
  })

  it('is never newer on the page than the revision under which it is kept', async () => {
    const { state, steady } = ledger()
    const first = steady.reads.current()
    // Written while it is read: what was read may be older than this, so it must not count as read after it.
    state.revision = '2'
    await first
    await steady.reads.current()
    expect(state.asked).toBe(2)
  })

  it('says that the ledger is away, though it was answered just now', async () => {
    const { state, steady } = ledger()
    await steady.reads.current()
    state.isAway = true
    expect(await steady.reads.current()).toEqual([])
    expect(steady.trouble).toMatchObject({ shownFrom: NOW, code: 'LEDGER_UNAVAILABLE' })
  })
})
