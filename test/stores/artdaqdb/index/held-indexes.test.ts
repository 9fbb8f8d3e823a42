import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileSystemDb } from '../../../../src/stores/artdaqdb/filesystem-db.ts'
import type { RunPlace } from '../../../../src/stores/index-data.ts'
import { CollectionIndex } from '../../../../src/stores/artdaqdb/format/search-index.ts'
import { maker, never, NOW, openDb, sampleRun, store } from '../runs.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'held-'))
  path = join(folder, 'db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = (paths: readonly [string, ...string[]], expectExisting = false): FileSystemDb =>
  new FileSystemDb({ paths, now: () => NOW, newUuid: () => crypto.randomUUID(), maker, expectExisting })

/** What one thread knows of where a run is, as another is given it. */
const told = async (run: number, one = openDb(path)): Promise<RunPlace> => {
  const place = structuredClone(await one.placeOf(run))
  if (!place) throw new Error(`run ${run} is nowhere`)
  return place
}
const read = (run: number, place: RunPlace, by = openDb(path)) =>
  by.knowing(run, place, async () => (await by.read(run, never)).run)

describe('an index that another thread has read', () => {
  it('gives its runs, and is not read from the file', async () => {
    await store(openDb(path), sampleRun(7))
    const place = await told(7)
    expect(place.indexes).toHaveLength(2)
    expect(await read(7, place)).toBe(7)
    const empty = place.indexes.map((one) => ({ ...one, data: CollectionIndex.EMPTY.data }))
    await expect(read(7, { ...place, indexes: empty })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is in memory that both have, and the same for the next run', async () => {
    await store(openDb(path), sampleRun(7))
    await store(openDb(path), sampleRun(8))
    const one = openDb(path)
    const [seven, eight] = [await one.placeOf(7), await one.placeOf(8)]
    for (const [at, { data }] of (seven?.indexes ?? []).entries()) {
      expect(data.ouid.buffer).toBeInstanceOf(SharedArrayBuffer)
      expect(data.documents.bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
      expect(eight?.indexes[at]?.data).toBe(data)
    }
    expect((await one.read(8, never)).run).toBe(8)
  })

  it('counts only while the file is the same', async () => {
    await store(openDb(path), sampleRun(7))
    const before = await told(7)
    await store(openDb(path), sampleRun(8))
    expect(await read(8, before)).toBe(8)
  })

  it('is asked for anew of a run that was stored since', async () => {
    await store(openDb(path), sampleRun(7))
    const one = openDb(path)
    await one.placeOf(7)
    await store(openDb(path), sampleRun(8))
    expect(await read(8, await told(8, one))).toBe(8)
  })

  it('is not given where it had to be made of the documents', async () => {
    await store(openDb(path), sampleRun(7))
    truncateSync(join(path, 'RunHistory', 'index.json'), 100)
    expect((await told(7)).indexes.map(({ name }) => name)).toEqual(['SystemLayout'])
  })

  it('says where a run is among several databases, only while it is there', async () => {
    const newer = join(folder, 'newer')
    await store(openDb(path), sampleRun(7))
    await store(openDb(newer), sampleRun(8))
    const place = await told(7, open([path, newer]))
    expect(place.path).toBe(path)
    const reader = open([path, newer], true)
    expect(await read(7, place, reader)).toBe(7)
    expect(await read(8, place, reader)).toBe(8)
    rmSync(path, { recursive: true })
    await expect(read(7, place, reader)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('is not asked for of a run that is nowhere', async () => {
    await store(openDb(path), sampleRun(7))
    expect(await openDb(path).placeOf(9)).toBeUndefined()
  })
})
