import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pageRuns } from '../../src/app/page-runs.ts'
import type { Archiver } from '../../src/runs/archiver.ts'
import { RunSet } from '../../src/common/run-set.ts'
import { ArchiverError } from '../../src/errors.ts'
import type { ReportFacts } from '../../src/runs/report/report.ts'

const gather = () => Promise.reject(new Error('no snapshot is asked for here'))
const warn = (): void => undefined
const nowhere = () => Promise.reject(new ArchiverError('NOT_FOUND', 'no such run'))

/** An archive whose blob can be another one, or away. */
const siteOf = (get: () => Promise<Buffer>) => {
  const archiver = {
    records: { pathOf: nowhere },
    artdaq: { manifest: nowhere },
    archive: { get },
    config: { uconDb: { folderName: 'f', objectName: 'o' }, artdaqDb: { databaseUris: [] } },
  }
  return pageRuns(archiver as unknown as Archiver, 'c.yaml', gather, warn)
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

const factsOf = (runs: RunSet): ReportFacts => {
  const known = <T>(value: T) => ({ known: true as const, value })
  const store = known({ runs, incomplete: RunSet.EMPTY, notes: [] })
  const memory = known({
    ...{ state: { lastContiguousRun: 3, lastAttemptedRun: 3 }, failed: RunSet.EMPTY },
    ...{ isFirst: false, savedAt: undefined },
  })
  return {
    ...{ now: 1000, config: 'c.yaml', recordsDirectory: '', databaseUri: '', serverUrl: '' },
    ...{ folderAndObject: '', artdaq: store, archive: store, import: memory, migrate: memory },
    records: known({ runs, ambiguous: RunSet.EMPTY, ignored: [] }),
    ...{ waiting: new Map<number, string>(), lastSuccess: undefined },
  }
}

describe('the first listing of the places', () => {
  const stage = {
    state: { lastContiguousRun: 3, lastAttemptedRun: 3 },
    failed: RunSet.of([2]),
    isFirst: false,
  }
  const archiver = {
    config: { app: { workDir: '/nowhere' } },
    peek: () => Promise.resolve(stage),
  } as unknown as Archiver

  it('is not waited for where it takes long: a page has what the memories know, and changes when it ends', async () => {
    vi.useFakeTimers()
    let end: (facts: ReportFacts) => void = () => undefined
    const runs = pageRuns(archiver, 'c.yaml', () => new Promise((done) => (end = done)), warn)
    const asked = runs.snapshot()
    await vi.advanceTimersByTimeAsync(1000)
    const first = await asked
    expect(first).toMatchObject({ isListing: true, records: { known: false }, archive: { known: false } })
    expect(first.missing.map(({ place }) => place)).toEqual(['run records', 'artdaqDB', 'UconDB'])
    expect(first.migrate).toEqual({
      known: true,
      value: { contiguous: 3, attempted: 3, failed: stage.failed },
    })
    const before = await runs.revision()
    end(factsOf(RunSet.of([1, 2, 3])))
    const listed = await runs.listed()
    expect(listed.isListing).toBe(false)
    expect(await runs.snapshot()).toBe(listed)
    expect(await runs.revision()).not.toBe(before)
  })
})

describe('a listing of the places that fails', () => {
  const archiver = {
    config: { app: { workDir: '/nowhere' } },
    peek: () =>
      Promise.resolve({
        ...{ state: { lastContiguousRun: 3, lastAttemptedRun: 3 }, failed: RunSet.EMPTY, isFirst: false },
      }),
  } as unknown as Archiver
  /** A site whose listing takes `seconds`, and ends as `outcome` says by then. */
  const siteThatTakes = (seconds: number) => {
    vi.useFakeTimers()
    const site = {
      outcome: new Error('the index has a hole') as Error | RunSet,
      asked: 0,
      warned: [] as string[],
    }
    const list = async (): Promise<ReportFacts> => {
      site.asked++
      await new Promise((done) => setTimeout(done, seconds * 1000))
      if (site.outcome instanceof Error) throw site.outcome
      return factsOf(site.outcome)
    }
    const runs = pageRuns(archiver, 'c.yaml', list, (message) => site.warned.push(message))
    const shown = async () => {
      const asked = runs.snapshot()
      await vi.advanceTimersByTimeAsync(1000)
      return asked
    }
    return { site, runs, shown }
  }

  it.each([0, 3])('after %d s: pages show what it met, and try again until it ends well', async (seconds) => {
    const { site, runs, shown } = siteThatTakes(seconds)
    await shown()
    await vi.advanceTimersByTimeAsync(3000)
    const before = await runs.revision()
    expect(await shown()).toMatchObject({
      isListing: false,
      unreadable: [expect.stringMatching(/cannot be listed since .*Z: the index has a hole/) as string],
      records: { known: false },
    })
    expect(site.warned).toEqual([expect.stringContaining('the index has a hole')])
    site.outcome = RunSet.of([1, 2, 3])
    await vi.advanceTimersByTimeAsync(6000)
    await shown()
    await vi.advanceTimersByTimeAsync(3000)
    expect(await shown()).toMatchObject({ isListing: false, unreadable: [], missing: [] })
    expect(await runs.revision()).not.toBe(before)
  })

  it('after one that worked leaves what that one found, and says since when and why', async () => {
    const { site, runs, shown } = siteThatTakes(0)
    site.outcome = RunSet.of([1, 2, 3])
    expect((await shown()).map.taken.size).toBe(3)
    const before = await runs.revision()
    site.outcome = new Error('too many open files')
    await vi.advanceTimersByTimeAsync(6000)
    await shown()
    const after = await shown()
    expect(after.map.taken.size).toBe(3)
    expect(after.unreadable).toEqual([expect.stringContaining('too many open files') as string])
    expect(after.missing).toContainEqual({ place: 'artdaqDB', shownFrom: 1000 })
    expect(await runs.revision()).not.toBe(before)
  })

  it('is not asked again by each reader', async () => {
    const { site, shown } = siteThatTakes(0)
    for (let reader = 0; reader < 4; reader++) await shown()
    expect(site.asked).toBe(1)
  })
})

describe('a listing of the places that hangs', () => {
  it('is shown as such after five minutes, with the place that has not answered', async () => {
    vi.useFakeTimers()
    const archiver = {
      config: { app: { workDir: '/nowhere' } },
      peek: () => Promise.reject(new ArchiverError('STATE_CORRUPT', 'not read here')),
    } as unknown as Archiver
    const runs = pageRuns(
      archiver,
      'c.yaml',
      (unanswered) => {
        unanswered.add('UconDB')
        return new Promise(() => undefined)
      },
      warn,
    )
    const shown = async () => {
      const asked = runs.snapshot()
      await vi.advanceTimersByTimeAsync(1000)
      return asked
    }
    expect(await shown()).toMatchObject({ isListing: true, unreadable: [] })
    await vi.advanceTimersByTimeAsync(300_000)
    expect(await shown()).toMatchObject({
      isListing: false,
      unreadable: [expect.stringMatching(/being listed since .*not answered: UconDB/) as string],
    })
  })
})

describe('the copies of a run', () => {
  it('are read once for all who look within a minute, and then again', async () => {
    let blob = Buffer.from('first')
    const runs = siteOf(() => Promise.resolve(blob))
    expect((await runs.copies(5)).archive).toMatchObject({ bytes: 5 })
    blob = Buffer.from('another')
    vi.advanceTimersByTime(59_000)
    expect((await runs.copies(5)).archive).toMatchObject({ bytes: 5 })
    vi.advanceTimersByTime(2000)
    expect((await runs.copies(5)).archive).toMatchObject({ bytes: 7 })
  })

  it('that a silent place holds are not waited for: it is said that it has not answered', async () => {
    vi.useFakeTimers()
    const asked = siteOf(() => new Promise(() => undefined)).copies(5)
    await vi.advanceTimersByTimeAsync(5000)
    expect((await asked).archive).toEqual({ is: 'unknown', why: 'it has not answered yet' })
  })

  it('that could not be read are tried again a few seconds later', async () => {
    let away = true
    const runs = siteOf(() => (away ? Promise.reject(new Error('reset')) : Promise.resolve(Buffer.from('x'))))
    expect((await runs.copies(5)).archive).toEqual({ is: 'unknown', why: 'reset' })
    away = false
    vi.advanceTimersByTime(6000)
    expect((await runs.copies(5)).archive).toMatchObject({ is: 'present', bytes: 1 })
  })
})
