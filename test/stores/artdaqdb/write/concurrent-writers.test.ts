import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkDatabase } from '../../../../src/stores/artdaqdb/check.ts'
import { repairDatabase } from '../../../../src/stores/artdaqdb/repair.ts'
import { never, NOW, openDb, sampleRun, store } from '../runs.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  path = join(folder, 'db')
  await store(openDb(path), sampleRun(1))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const listing = async () => {
  const { runs, incomplete, updates } = await openDb(path).list()
  return [runs.toString(), incomplete.toString(), updates.size]
}
const findings = async () =>
  (await checkDatabase(openDb(path).databases[0]!, new Set())).map(({ kind }) => kind)
const documentsOf = (collection: string): number => readdirSync(join(path, collection)).length - 1

const early = sampleRun(7, { boot: 'x: 1\n', metadata: 'm: 1\n' }, { signature: 'a', ended: false })
const late = sampleRun(7, { boot: 'x: 1\n', metadata: 'm: 2\n' }, { signature: 'b' })

/** Two processes on one database that have both listed it. */
const two = async () => {
  const [a, b] = [openDb(path), openDb(path)]
  await Promise.all([a.list(), b.list()])
  return { a, b }
}

describe('two processes that store the same run', () => {
  it('store it once, and to both it is stored', async () => {
    const { a, b } = await two()
    await Promise.all([a.put(early, never), b.put(early, never)])
    await a.put(sampleRun(8), never)
    await Promise.all([a.commit(), b.commit()])
    expect(await listing()).toEqual(['1,7-8', '', 0])
    expect(await findings()).toEqual([])
    expect(documentsOf('RunHistory')).toBe(9)
    expect((await openDb(path).read(7, never)).documents).toHaveLength(4)
    // The second set is kept, as everything is.
    expect(readdirSync(path).filter((name) => name.endsWith('.uncommitted'))).toHaveLength(4)
  })

  it('of a record that changed in between: the second is told that it does not know, and the next pass updates it', async () => {
    const { a, b } = await two()
    await a.put(early, never)
    await b.put(late, never)
    await b.put(sampleRun(8), never)
    await a.commit()
    await expect(b.commit()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('run 7') as string,
    })
    expect(await listing()).toEqual(['1,8', '7', 0])
    expect((await openDb(path).read(7, never)).manifest).toEqual(early.manifest)
    expect(await b.put(late, never)).toBe('updated')
    await b.commit()
    expect(await listing()).toEqual(['1,7-8', '', 1])
    expect((await openDb(path).read(7, never)).manifest).toEqual(late.manifest)
    expect(await findings()).toEqual([])
  })

  it('of which the second has set aside what the first was about to commit', async () => {
    const [a, b] = [openDb(path), openDb(path)]
    await a.list()
    await a.put(early, never)
    await b.list() // sees the documents of the first as orphans
    await b.put(late, never)
    await b.commit()
    await expect(a.commit()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const db = openDb(path)
    await db.list()
    expect(await db.put(late, never)).toBe('present')
    await db.commit()
    expect(await listing()).toEqual(['1,7', '', 0])
    expect((await openDb(path).read(7, never)).manifest).toEqual(late.manifest)
    expect(await findings()).toEqual([])
  })

  it('of which the second has taken over what the first was about to commit', async () => {
    const [a, b] = [openDb(path), openDb(path)]
    await a.list()
    await a.put(early, never)
    await b.list()
    expect(await b.put(early, never)).toBe('stored')
    await b.commit()
    await a.commit()
    expect(await listing()).toEqual(['1,7', '', 0])
    expect(await findings()).toEqual([])
    expect(documentsOf('RunHistory')).toBe(6)
  })

  it('of which the second has repaired the index that the first was about to write', async () => {
    const { a } = await two()
    await a.put(early, never)
    await repairDatabase(openDb(path).databases[0]!, { now: () => NOW })
    await a.commit()
    expect(await listing()).toEqual(['1,7', '', 0])
    expect(await findings()).toEqual([])
  })

  it('updates likewise', async () => {
    await store(openDb(path), early)
    const { a, b } = await two()
    await Promise.all([a.put(late, never), b.put(late, never)])
    await a.commit()
    await b.commit()
    expect(await listing()).toEqual(['1,7', '', 1])
    expect(await findings()).toEqual([])
  })
})
