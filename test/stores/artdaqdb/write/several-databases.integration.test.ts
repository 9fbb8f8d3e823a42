import { chmodSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { checkDatabase } from '../../../../src/stores/artdaqdb/check.ts'
import { unprivileged } from '../../../unprivileged.ts'
import { never, openDb, sampleRun, store } from '../runs.ts'
import { folder, path } from './database-folder.ts'

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
})
