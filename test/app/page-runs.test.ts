import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pageRuns } from '../../src/app/page-runs.ts'
import type { Archiver } from '../../src/runs/archiver.ts'
import { ArchiverError } from '../../src/errors.ts'

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

  it('that could not be read are tried again a few seconds later', async () => {
    let away = true
    const runs = siteOf(() => (away ? Promise.reject(new Error('reset')) : Promise.resolve(Buffer.from('x'))))
    expect((await runs.copies(5)).archive).toEqual({ is: 'unknown', why: 'reset' })
    away = false
    vi.advanceTimersByTime(6000)
    expect((await runs.copies(5)).archive).toMatchObject({ is: 'present', bytes: 1 })
  })
})
