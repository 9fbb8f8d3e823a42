import { readdirSync, readFileSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { RunDocuments } from '../../../../src/stores/run-record.ts'
import type { NewRunPlace } from '../../../../src/stores/store.ts'
import { ArchiverError } from '../../../../src/errors.ts'
import { writeNewRun } from '../../../../src/stores/artdaqdb/write/write-new-run.ts'
import { never, openDb, sampleRun, store } from '../runs.ts'
import { path, documents, documentOf, listing, put, folderForEachTest } from './database-folder.ts'

folderForEachTest()

describe('a run of which only a part is there', () => {
  it('is incomplete, and is completed by the documents that are missing', async () => {
    const whole = sampleRun(12, { boot: 'a: 1\n', x: 'b: 2\n', metadata: 'c: 3\n' })
    const { manifest: _, attached: __, ...rest } = whole
    const half: RunDocuments = {
      ...rest,
      documents: whole.documents.slice(0, 2),
      manifest: undefined,
      attached: [],
    }
    await store(openDb(path), half)
    expect(await listing()).toMatchObject({ runs: '', incomplete: '12' })
    const [there] = [documentOf('boot')]
    const before = readFileSync(there, 'utf8')
    expect(await put(whole)).toBe('stored')
    expect(readFileSync(there, 'utf8')).toBe(before)
    expect(await listing()).toMatchObject({ runs: '12', incomplete: '' })
    const read = await openDb(path).read(12, never)
    expect(read.documents).toHaveLength(whole.documents.length)
    // The documents of the other program have no room for originals, so the schema carries those.
    expect(read.attached.map(({ name }) => name)).toEqual(['boot.fcl', 'x.fcl'])
  })

  it('is incomplete when a document is gone, cannot be read, and is made whole under the old oid', async () => {
    await store(openDb(path), sampleRun(12), sampleRun(13))
    const gone = documentOf('metadata', '"12/standard00001"')
    unlinkSync(gone)
    expect(await listing()).toMatchObject({ runs: '13', incomplete: '12' })
    await expect(openDb(path).read(12, never)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(gone) as string,
    })
    expect(await put(sampleRun(12))).toBe('stored')
    expect(documentOf('metadata', '"12/standard00001"')).toBe(gone)
    expect(await listing()).toMatchObject({ runs: '12-13', incomplete: '' })
  })

  it('takes over what a killed pass left, without writing it twice', async () => {
    await openDb(path).put(sampleRun(12), never) // never committed
    const left = documents('RunHistory')
    expect(await listing()).toMatchObject({ runs: '', incomplete: '12' })
    expect(await put(sampleRun(12))).toBe('stored')
    expect(documents('RunHistory')).toEqual(left)
    expect(await listing()).toMatchObject({ runs: '12', incomplete: '' })
  })

  it('sets aside what a killed pass left of a record that moved on since, and keeps it', async () => {
    await openDb(path).put(sampleRun(12, { boot: 'a: 1\n' }, { ended: false }), never)
    const warned: string[] = []
    const database = openDb(path, undefined, undefined, (message) => warned.push(message))
    expect(await database.put(sampleRun(12, { boot: 'a: 2\n' }), never)).toBe('stored')
    await database.commit()
    expect(readdirSync(path).filter((name) => name.endsWith('.uncommitted')).length).toBe(2)
    expect(warned).toEqual([
      expect.stringMatching(/: 2 documents of no version of its run.*\.json\.uncommitted/),
    ])
    expect(await listing()).toMatchObject({ runs: '12', incomplete: '', updates: [] })
    expect((await openDb(path).read(12, never)).documents[0]!.text.toString()).toBe('a: 2\n')
  })
})

describe('temporary files of killed writers', () => {
  it('are swept by the next commit when they are old, and left when somebody may still write them', async () => {
    await store(openDb(path), sampleRun(12))
    const old = join(path, '.archiver-0123456789abcdef.tmp')
    const young = join(path, '.archiver-fedcba9876543210.tmp')
    for (const file of [old, young]) writeFileSync(file, 'half')
    const time = Date.now() / 1000
    utimesSync(old, time - 7200, time - 7200)
    await store(openDb(path, Date.now), sampleRun(13))
    expect(readdirSync(path).filter((name) => name.endsWith('.tmp'))).toEqual([
      '.archiver-fedcba9876543210.tmp',
    ])
  })
})

describe('a run that fails before anything of it is written', () => {
  it('costs no second look at the database', async () => {
    await put(sampleRun(1))
    const db = openDb(path)
    await db.list()
    const looks = vi.spyOn(db.databases[0]!.collection('RunHistory'), 'oids')
    const bad = () => Promise.reject(new ArchiverError('RECORD_INVALID', 'bad'))
    for (const run of [2, 4, 6]) {
      await expect(db.putNew(run, bad, never)).rejects.toMatchObject({ code: 'RECORD_INVALID' })
      expect(await db.putNew(run + 1, (place) => write(run + 1, place), never)).toBeDefined()
    }
    await expect(db.put(sampleRun(1, { 'a b': 'x: 1\n' }), never)).rejects.toMatchObject({
      code: 'RECORD_INVALID',
    })
    expect(await db.put(sampleRun(8), never)).toBe('stored')
    expect(looks).not.toHaveBeenCalled()
  })

  it('unlike one of which some is: the next put takes that over', async () => {
    await put(sampleRun(1))
    const db = openDb(path)
    await db.list()
    const torn = async (place: NewRunPlace) => {
      await write(2, place)
      throw new ArchiverError('VERIFY_MISMATCH', 'the last document')
    }
    await expect(db.putNew(2, torn, never)).rejects.toMatchObject({ code: 'VERIFY_MISMATCH' })
    expect(await db.putNew(2, torn, never)).toBeUndefined()
    expect(await db.put(sampleRun(2), never)).toBe('stored')
    await db.commit()
    expect(documents('RunHistory')).toHaveLength(6)
  })
})

describe('a new run that waits for its commit', () => {
  it('is no run in part to the process that wrote it, as none that was put is', async () => {
    await put(sampleRun(1))
    const db = openDb(path)
    await db.putNew(2, (place) => write(2, place), never)
    await db.put(sampleRun(3), never)
    const { runs, incomplete, notes } = await db.list()
    expect([runs.toString(), incomplete.toString(), notes]).toEqual(['1', '', []])
  })
})

const write = (run: number, place: NewRunPlace) =>
  writeNewRun(sampleRun(run), place, () => crypto.randomUUID(), never)
