import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pageRuns } from '../../src/app/page-runs.ts'
import type { Archiver } from '../../src/runs/archiver.ts'
import { RunSet } from '../../src/common/run-set.ts'
import { ArchiverError } from '../../src/errors.ts'
import type { ReportFacts } from '../../src/runs/report/report.ts'

const gather = () => Promise.reject(new Error('no snapshot is asked for here'))
const nowhere = () => Promise.reject(new ArchiverError('NOT_FOUND', 'no such run'))

/** An archive whose blob can be another one, or away. */
const siteOf = (get: () => Promise<Buffer>) => {
  const archiver = {
    records: { pathOf: nowhere },
    artdaq: { manifest: nowhere },
    archive: { get },
    config: { uconDb: { folderName: 'f', objectName: 'o' }, artdaqDb: { databaseUris: [] } },
  }
  return pageRuns(archiver as unknown as Archiver, 'c.yaml', gather)
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
    const runs = pageRuns(archiver, 'c.yaml', () => new Promise((done) => (end = done)))
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
