import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DatabaseList } from '../../../src/stores/artdaqdb/database-list.ts'
import { Database } from '../../../src/stores/artdaqdb/index/database.ts'
import { WrittenDatabase } from '../../../src/stores/artdaqdb/write/written-database.ts'
import { maker, NOW, openDb, sampleRun, store } from './runs.ts'

let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'archiver-databases-'))
  for (let year = 0; year < 4; year++) await store(openDb(join(folder, `${year}`)), sampleRun(10 + year))
})
afterEach(() => rmSync(folder, { recursive: true }))

const listOf = (most: number) => {
  const options = { now: () => NOW, newUuid: () => crypto.randomUUID(), maker }
  const all = [0, 1, 2, 3].map((year) => new WrittenDatabase(new Database(join(folder, `${year}`)), options))
  return { all, list: new DatabaseList(all, undefined, most) }
}
const indexed = (all: readonly WrittenDatabase[]) => all.map(({ database }) => database.indexed > 0)

describe('a list of databases', () => {
  it('lets go of the indexes that it only asked, and does not read them again', async () => {
    const { all, list } = listOf(0)
    expect(await list.holding(10)).toBe(all[0])
    expect(indexed(all)).toEqual([true, false, false, true])
    expect(await list.holding(10)).toBe(all[0])
    expect(indexed(all)).toEqual([true, false, false, true])
    expect(await list.holding(12)).toBe(all[2])
    expect(indexed(all)).toEqual([false, false, false, true])
    expect(await list.holding(99)).toBeUndefined()
  })

  it('lets go of an index that was read again after all that it said was remembered', async () => {
    const { all, list } = listOf(0)
    const { database } = all[0]!
    await all[0]!.list()
    await list.using(all[0]!)
    await database.condense()
    const [collection] = await database.collections()
    await collection!.index()
    expect(database.indexed).toBeGreaterThan(0)
    await list.using(all[1]!)
    expect(database.indexed).toBe(0)
    expect([await database.knows(10), await database.knows(11), database.indexed]).toEqual([true, false, 0])
  })

  it('keeps all of them where there is room (the control)', async () => {
    const { all, list } = listOf(1_000_000)
    await list.holding(10)
    expect(indexed(all)).toEqual([true, true, true, true])
  })
})
