import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { RunSet } from '../../../../src/common/run-set.ts'
import { checkDatabase } from '../../../../src/stores/artdaqdb/check.ts'
import { never, openDb, sampleRun, store } from '../runs.ts'
import { documentOf, folder, path, folderForEachTest } from './database-folder.ts'

folderForEachTest()

const CHANGED = { boot: 'a: 7\n', metadata: 'b: 1\n' }
let older: string
beforeEach(async () => {
  older = join(folder, '2025')
  await store(openDb(path), sampleRun(1), sampleRun(2), sampleRun(3))
  await store(openDb(path), sampleRun(2, CHANGED))
})

const move = (runs: string) => openDb([older, path]).moveTo(older, RunSet.parse(runs), never)

describe('runs that are moved to another database', () => {
  it('are there as they were, with their updates, and in the old one no longer', async () => {
    const before = await openDb(path).read(2, never)
    const { moved, left, absent } = await move('1-2')
    expect([moved.toString(), left, absent.size]).toEqual(['1-2', [], 0])
    const both = openDb([older, path])
    const { runs, incomplete, updates, notes } = await both.list()
    expect([runs.toString(), incomplete.size, [...updates], notes]).toEqual(['1-3', 0, [[2, 1]], []])
    const after = await both.read(2, never)
    expect(after.manifest).toEqual(before.manifest)
    expect(after.documents.map(({ text }) => String(text))).toEqual(
      before.documents.map(({ text }) => String(text)),
    )
    expect((await openDb(path).list()).runs.toString()).toBe('3')
    for (const database of both.databases) expect(await checkDatabase(database, new Set())).toEqual([])
    expect(readdirSync(join(path, 'RunHistory'))).toHaveLength(3 + 1)
  })

  it('are present when their records are put again, and updated there when these have changed', async () => {
    await move('1-2')
    const both = openDb([older, path])
    await both.list()
    expect(await both.put(sampleRun(1), never)).toBe('present')
    expect(await both.put(sampleRun(1, CHANGED), never)).toBe('updated')
    await both.commit()
    expect((await openDb(older).list()).updates.get(1)).toBe(1)
    expect((await openDb(path).list()).runs.toString()).toBe('3')
  })

  it('stay where a document is damaged, with the reason, and the others go', async () => {
    const damaged = documentOf('boot', '"1/standard00001"')
    writeFileSync(damaged, '{')
    const { moved, left } = await move('1-3')
    expect(moved.toString()).toBe('2-3')
    expect(left).toEqual([{ run: 1, reason: expect.stringContaining(damaged) as string }])
    expect((await openDb([older, path]).list()).runs.toString()).toBe('1-3')
  })

  it('are told where no database has them', async () => {
    const { moved, absent } = await move('3-5')
    expect([moved.toString(), absent.toString()]).toEqual(['3', '4-5'])
    expect((await move('3')).absent.size).toBe(0) // it is where it is to be
  })

  it('are not stored again in the old one by a pass that had begun before', async () => {
    const pass = openDb([older, path])
    await pass.list()
    expect(await pass.put(sampleRun(1, CHANGED), never)).toBe('updated')
    expect((await move('1')).moved.toString()).toBe('1')
    await expect(pass.commit()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const next = openDb([older, path])
    const { runs, updates } = await next.list()
    expect([runs.toString(), updates.get(1)]).toEqual(['1-3', undefined])
    expect((await next.read(1, never)).update).toBe(0)
    expect(await next.put(sampleRun(1, CHANGED), never)).toBe('updated')
    await next.commit()
    const after = openDb([older, path])
    expect((await after.list()).updates.get(1)).toBe(1)
    expect(String((await after.read(1, never)).documents[0]?.text)).toBe(CHANGED.boot)
  })

  it('stay whole where the other database cannot be made', async () => {
    mkdirSync(older)
    writeFileSync(join(older, 'RunHistory'), '')
    await expect(move('1-2')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((await openDb(path).list()).runs.toString()).toBe('1-3')
    expect((await openDb(path).read(2, never)).update).toBe(1)
  })
})
