import { chmodSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { checkDatabase } from '../../../../src/stores/artdaqdb/check.ts'
import { unprivileged } from '../../../unprivileged.ts'
import { ListingCache } from '../../../../src/runs/listing-cache.ts'
import { FileSystemDb } from '../../../../src/stores/artdaqdb/filesystem-db.ts'
import type { Remember } from '../../../../src/stores/store.ts'
import { maker, never, NOW, openDb, sampleRun, store } from '../runs.ts'
import { folder, path, folderForEachTest } from './database-folder.ts'

folderForEachTest()

const CHANGED = { boot: 'a: 7\n', metadata: 'b: 1\n' }
let older: string
beforeEach(async () => {
  older = join(folder, '2025')
  await store(openDb(older), sampleRun(1), sampleRun(2))
})

describe('several databases', () => {
  it('are read as one, and new runs go into the last', async () => {
    const both = openDb([older, path])
    await store(both, sampleRun(3))
    expect((await both.list()).runs.toString()).toBe('1-3')
    expect((await both.read(2, never)).run).toBe(2)
    expect(await both.put(sampleRun(2), never)).toBe('present')
    expect((await openDb(path).list()).runs.toString()).toBe('3')
    expect((await openDb(older).list()).runs.toString()).toBe('1-2')
  })

  it('keep a run that has changed where it is, as its update', async () => {
    const both = openDb([older, path])
    expect(await both.put(sampleRun(2, CHANGED), never)).toBe('updated')
    expect(await both.put(sampleRun(3), never)).toBe('stored')
    await both.commit()
    for (const db of [both, openDb([older, path])]) {
      const { runs, incomplete, updates, notes } = await db.list()
      expect([runs.toString(), incomplete.size, [...updates], notes]).toEqual(['1-3', 0, [[2, 1]], []])
      const { update, documents } = await db.read(2, never)
      expect([update, String(documents[0]?.text)]).toEqual([1, CHANGED.boot])
    }
    expect((await openDb(path).list()).runs.toString()).toBe('3')
    for (const database of both.databases) expect(await checkDatabase(database, new Set())).toEqual([])
  })

  it('take over what a kill between put and commit left in the older one', async () => {
    expect(await openDb([older, path]).put(sampleRun(2, CHANGED), never)).toBe('updated')
    const next = openDb([older, path])
    const { runs, incomplete } = await next.list()
    expect([runs.toString(), incomplete.toString()]).toEqual(['1', '2'])
    expect(await next.put(sampleRun(2, CHANGED), never)).toBe('updated')
    await next.commit()
    expect((await openDb([older, path]).list()).updates).toEqual(new Map([[2, 1]]))
    for (const database of next.databases) expect(await checkDatabase(database, new Set())).toEqual([])
  })

  it('refuse a changed run, and no other, where its database may not be written', async () => {
    for (const name of readdirSync(older).filter((one) => !one.startsWith('.')))
      chmodSync(join(older, name), 0o555)
    chmodSync(older, 0o555)
    await unprivileged(folder, async () => {
      const both = openDb([older, path])
      await expect(both.put(sampleRun(2, CHANGED), never)).rejects.toMatchObject({
        code: 'STORE_REFUSED',
        message: expect.stringContaining(`run 2 is in ${older}, which may not be written`) as string,
      })
      await store(both, sampleRun(3))
      expect((await both.list()).runs.toString()).toBe('1-3')
    })
    chmodSync(older, 0o755)
  })

  it('do not take a run for new while the disk of the one that holds it is away', async () => {
    const both = openDb([older, path])
    await both.list()
    renameSync(older, `${older}.away`)
    await expect(both.put(sampleRun(2, CHANGED), never)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(
      both.putNew(2, () => Promise.reject(new Error('must not be asked')), never),
    ).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('know their runs when their indexes were let go, until another program writes there', async () => {
    const database = openDb(older).databases[0]!
    expect([await database.knows(2), await database.counts(2), database.indexed > 0]).toEqual([
      true,
      true,
      true,
    ])
    await database.condense()
    expect([await database.knows(2), await database.counts(2), await database.knows(3)]).toEqual([
      true,
      true,
      false,
    ])
    expect(database.indexed).toBe(0)
    await store(openDb(older), sampleRun(3))
    expect([await database.knows(3), await database.counts(3)]).toEqual([true, true])
    await openDb(older).put(sampleRun(4), never) // no index names it yet
    expect(await database.knows(4)).toBe(false)
  })

  it('are all read, also those whose indexes were let go', async () => {
    const paths = ['a', 'b', 'c', 'd'].map((name) => join(folder, name))
    for (const [at, one] of paths.entries()) await store(openDb(one), sampleRun(10 + at))
    const db = openDb(paths as [string, ...string[]])
    expect((await db.list()).runs.toString()).toBe('10-13')
    for (const one of db.databases) await one.condense()
    for (let run = 10; run < 14; run++) {
      expect((await db.read(run, never)).run).toBe(run)
      expect(await db.put(sampleRun(run), never)).toBe('present')
    }
    expect(await db.putNew(11, () => Promise.reject(new Error('must not be asked')), never)).toBeUndefined()
  })

  it('are not read again by the next pass where nothing has changed in the older ones', async () => {
    const kept = new ListingCache(join(folder, 'listings.json'), () => 0)
    const open = () => {
      const options = { now: () => NOW, newUuid: () => crypto.randomUUID(), maker }
      const remember: Remember = (name, listed) => kept.list(name, listed)
      return new FileSystemDb({ ...options, paths: [older, path], remember })
    }
    await store(open(), sampleRun(3))
    expect((await open().listRemembered()).runs.toString()).toBe('1-3')
    const next = open()
    expect((await next.listRemembered()).runs.toString()).toBe('1-3')
    await store(next, sampleRun(4))
    expect(next.databases[0]!.indexed).toBe(0)
    const third = open() // a pass whose listing is remembered whole: where a run is, it asks without one
    await store(third, sampleRun(5))
    expect(third.databases[0]!.indexed).toBe(0)
    expect(await third.put(sampleRun(2), never)).toBe('present')
    await store(openDb(older), sampleRun(6)) // by another program
    expect((await third.listRemembered()).runs.toString()).toBe('1-6')
    expect(await third.put(sampleRun(6), never)).toBe('present')
  })
})
