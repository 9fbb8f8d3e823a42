import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { never, NOW, openDb, sampleRun, store } from '../runs.ts'
import { folder, path, documents, listing, put, folderForEachTest } from './database-folder.ts'

folderForEachTest()

describe('a run that is stored', () => {
  it('counts only after the commit, and then in every process', async () => {
    const db = openDb(path)
    expect(await db.put(sampleRun(12), never)).toBe('stored')
    expect((await openDb(path).list()).runs.isEmpty).toBe(true)
    await db.commit()
    expect((await db.list()).runs.toString()).toBe('12')
    expect(await listing()).toEqual({ runs: '12', incomplete: '', updates: [] })
  })

  it('is given back byte for byte, modes and odd bytes too', async () => {
    const odd = [
      { name: 'rc_info_start.txt', mode: 0o600, content: Buffer.from('20 \xb0C\r\n', 'latin1') },
      { name: 'sub folder/%0A"\\.bin', mode: 0o4755, content: Buffer.from([...Array(256).keys()]) },
      { name: 'empty', mode: 0o644, content: Buffer.alloc(0) },
      { name: 'large', mode: 0o644, content: Buffer.alloc((9 << 20) + 1, 'x\u00e9') },
    ]
    const run = sampleRun(
      12,
      { boot: 'a: "\\t"   // c\r\n', layout: '# only a comment\n' },
      { attached: odd },
    )
    await store(openDb(path), run)
    const read = await openDb(path).read(12, never)
    expect(read.attached.map(({ name, mode }) => [name, mode])).toEqual(
      odd.map(({ name, mode }) => [name, mode]),
    )
    for (const [i, { content }] of odd.entries()) expect(read.attached[i]!.content.equals(content)).toBe(true)
    expect(read.manifest).toEqual(run.manifest)
    expect(read.documents.map(({ collection, entity }) => `${collection}/${entity}`)).toEqual(
      run.documents.map(({ collection, entity }) => `${collection}/${entity}`),
    )
    for (const [i, { original, text }] of run.documents.entries()) {
      expect(read.documents[i]!.original).toEqual(original)
      expect(read.documents[i]!.text).toEqual(text)
    }
    expect(read.documents[0]!.canonical()).toBe('\na: "\\t" // c\n')
    expect([read.configName, read.update]).toEqual(['standard00001', 0])
  })

  it('is present when it is put again, by its content and not by its time stamps', async () => {
    await store(openDb(path), sampleRun(12))
    const before = documents('RunHistory').length
    const later = openDb(path, () => NOW + 86_400_000)
    expect(await later.put(sampleRun(12, undefined, { signature: 'touched' }), never)).toBe('present')
    await later.commit()
    expect(documents('RunHistory')).toHaveLength(before)
  })

  it('costs one write of each index, whatever the number of runs', async () => {
    const db = openDb(path)
    for (let run = 1; run <= 20; run++) await db.put(sampleRun(run), never)
    const inode = (): string => readFileSync(join(path, 'RunHistory', 'index.json'), 'utf8')
    const empty = inode()
    await db.commit()
    expect(inode()).not.toBe(empty)
    expect(await listing()).toMatchObject({ runs: '1-20' })
  })
})

describe('a commit that is due', () => {
  it('waits nine times as long as the last one took, so that indexes stay a tenth of the time', async () => {
    let time = NOW
    const db = openDb(path, () => time)
    expect(db.commitDue()).toBe(false)
    await db.put(sampleRun(1), never)
    expect(db.commitDue()).toBe(false)
    time += 250
    expect(db.commitDue()).toBe(true)
    const slow = db.commit()
    time += 1000
    await slow
    await db.put(sampleRun(2), never)
    time += 8999
    expect(db.commitDue()).toBe(false)
    time += 1
    expect(db.commitDue()).toBe(true)
  })
})

describe('names that artdaq would hand to a shell', () => {
  it.each([
    'beam; touch MARKER',
    'a b',
    'x"y',
    'back\\slash',
    '$(id)',
    '../up',
    '',
    'a/b',
    'n\u00e4me',
    'nul\0',
  ])('are refused as a configuration and as an entity: %j', async (name) => {
    const refusal = { code: 'RECORD_INVALID', run: 12 }
    await expect(put(sampleRun(12, undefined, { configName: name }))).rejects.toMatchObject(refusal)
    await expect(put(sampleRun(12, { [name]: 'a: 1\n' }))).rejects.toMatchObject(refusal)
    expect(readdirSync(folder)).toEqual([])
  })
})
