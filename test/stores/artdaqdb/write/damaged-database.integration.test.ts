import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { never, openDb, sampleRun, store } from '../runs.ts'
import { path, documentOf, listing, put, folderForEachTest } from './database-folder.ts'

folderForEachTest()

describe('an index that is damaged', () => {
  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['cut', '{\n"ouid" : [\n"12'],
    ['garbled', '\0\0\0\0'],
  ])('is read from the documents when it is %s, mended by the next commit, and kept', async (_, text) => {
    await store(openDb(path), sampleRun(12), sampleRun(13))
    const index = join(path, 'RunHistory', 'index.json')
    if (text === undefined) unlinkSync(index)
    else writeFileSync(index, text)
    const { runs, notes } = await openDb(path).list()
    expect(runs.toString()).toBe('12-13')
    expect(notes.join()).toContain(index)
    expect(await put(sampleRun(14))).toBe('stored')
    expect(await listing()).toMatchObject({ runs: '12-14', incomplete: '' })
    expect((await openDb(path).list()).notes).toEqual([])
    const kept = readdirSync(path).filter((name) => name.startsWith('RunHistory-index.json.damaged'))
    expect(kept.map((name) => readFileSync(join(path, name), 'utf8'))).toEqual([text ?? ''])
  })
})

describe('an original that was damaged in artdaqDB', () => {
  it('is found when the run is put again, and when it is read', async () => {
    await store(openDb(path), sampleRun(12))
    const file = documentOf('boot')
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('boot.fcl\\ndebug_level: 1', 'boot.fcl\\ndebug_level: 2'),
    )
    const damaged = { code: 'STORE_CORRUPT', message: expect.stringContaining('boot') as string }
    await expect(openDb(path).read(12, never)).rejects.toMatchObject(damaged)
    await expect(put(sampleRun(12))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
