import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileSystemDb } from '../../../../src/stores/artdaqdb/filesystem-db.ts'
import type { HeldIndex } from '../../../../src/stores/index-data.ts'
import { CollectionIndex } from '../../../../src/stores/artdaqdb/format/search-index.ts'
import { maker, never, NOW, openDb, sampleRun, store } from '../runs.ts'

let path: string
beforeEach(() => (path = join(mkdtempSync(join(tmpdir(), 'held-')), 'db')))
afterEach(() => rmSync(path, { recursive: true, force: true }))

const reader = (heldIndexes: readonly HeldIndex[]): FileSystemDb =>
  new FileSystemDb({ paths: [path], now: () => NOW, newUuid: () => crypto.randomUUID(), maker, heldIndexes })

/** What one thread has read, as another is given it. */
const held = async (): Promise<readonly HeldIndex[]> => {
  const one = openDb(path)
  await one.list()
  return structuredClone(one.heldIndexes())
}

describe('an index that another thread has read', () => {
  it('gives its runs, and is not read from the file', async () => {
    await store(openDb(path), sampleRun(7))
    const indexes = await held()
    expect(indexes).toHaveLength(2)
    expect((await reader(indexes).read(7, never)).run).toBe(7)
    const empty = indexes.map((one) => ({ ...one, data: CollectionIndex.EMPTY.data }))
    await expect(reader(empty).read(7, never)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('counts only while the file is the same', async () => {
    await store(openDb(path), sampleRun(7))
    const before = await held()
    await store(openDb(path), sampleRun(8))
    expect((await reader(before).read(8, never)).run).toBe(8)
  })

  it('is not given where it had to be made of the documents', async () => {
    await store(openDb(path), sampleRun(7))
    truncateSync(join(path, 'RunHistory', 'index.json'), 100)
    const one = openDb(path)
    await one.list()
    expect(one.heldIndexes().map((index) => index.path)).toEqual([join(path, 'SystemLayout')])
  })
})
