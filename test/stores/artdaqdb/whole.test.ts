import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunDocuments } from '../../../src/stores/run-record.ts'
import { repairDatabase } from '../../../src/stores/artdaqdb/repair.ts'
import { never, NOW, openDb, sampleRun } from './runs.ts'
import { sealedAgain } from './sealed-again.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  path = join(folder, 'db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const listing = async () => {
  const { runs, incomplete } = await openDb(path).list()
  return [runs.toString(), incomplete.toString()]
}
const put = async (run: RunDocuments): Promise<string> => {
  const db = openDb(path)
  await db.list()
  const result = await db.put(run, never)
  await db.commit()
  return result
}
const pathOf = (said: string): string =>
  readdirSync(join(path, 'RunHistory'))
    .filter((name) => name !== 'index.json')
    .map((name) => join(path, 'RunHistory', name))
    .find((file) => readFileSync(file, 'utf8').includes(said))!

/** A document of a collection under another oid, which no index knows: what a bulkloader of two threads leaves. */
const copyOf = (said: string, change: (text: string) => string = (text) => text): string => {
  const file = pathOf(said)
  const copy = join(path, 'RunHistory', `${'f'.repeat(24)}.json`)
  const oid = /([0-9a-f]{24})\.json/.exec(file)![1]!
  writeFileSync(copy, sealedAgain(change(readFileSync(file, 'utf8').replaceAll(oid, 'f'.repeat(24)))))
  return copy
}
const aside = (): readonly string[] => readdirSync(path).filter((name) => name.endsWith('.uncommitted'))

const going = sampleRun(12, { boot: 'a: 1\n', metadata: 'start: 1\n' }, { ended: false })
const ended = sampleRun(12, { boot: 'a: 1\n', metadata: 'start: 1\nstop: 2\n' })
const theirs = { ...going, manifest: undefined }

describe('a run that a put answers for is whole in the listing, too', () => {
  it('where a second copy of a document of ours was in no index: it is set aside', async () => {
    await put(going)
    copyOf('boot.fcl\\n')
    expect(await listing()).toEqual(['', '12'])
    expect(await put(going)).toBe('present')
    expect(await listing()).toEqual(['12', ''])
    expect(aside()).toHaveLength(1)
  })

  it('where it was another program that left it: it is taken into the index', async () => {
    await put(theirs)
    copyOf('"a" : "1"')
    expect(await put(theirs)).toBe('stored')
    expect(await listing()).toEqual(['12', ''])
    expect(aside()).toEqual([])
  })

  it('where documents of an update wait that the record took back', async () => {
    await put(going)
    await openDb(path).put(ended, never) // never committed
    expect(await listing()).toEqual(['', '12'])
    expect(await put(going)).toBe('present')
    expect(await listing()).toEqual(['12', ''])
    expect((await openDb(path).read(12, never)).update).toBe(0)
  })

  it('where the file of an earlier version is gone, which is history', async () => {
    await put(going)
    await put(ended)
    unlinkSync(pathOf('start: 1\\n"'))
    expect(await listing()).toEqual(['12', ''])
    expect(await put(ended)).toBe('present')
    expect((await openDb(path).read(12, never)).documents).toHaveLength(4)
  })

  it('where the file of the newest version is gone: it is written again, as that version', async () => {
    await put(going)
    await put(ended)
    const gone = pathOf('stop: 2\\n')
    unlinkSync(gone)
    expect(await listing()).toEqual(['', '12'])
    expect(await put(ended)).toBe('stored')
    expect(readFileSync(gone, 'utf8')).toContain('"version" : "12/standard00001v1"')
    expect(await listing()).toEqual(['12', ''])
    expect((await openDb(path).read(12, never)).manifest).toEqual(ended.manifest)
  })

  it('where a document of an earlier version is gone that is still what counts: it is written again as that', async () => {
    await put(going)
    await put(ended)
    const gone = pathOf('"entities" : [\n{\n"name" : "boot"')
    unlinkSync(gone)
    expect(await put(ended)).toBe('stored')
    expect(readFileSync(gone, 'utf8')).toContain('"version" : "12/standard00001"')
    expect(await listing()).toEqual(['12', ''])
  })

  it('where the record goes on while a document that counts is gone', async () => {
    await put(going)
    unlinkSync(pathOf('"entities" : [\n{\n"name" : "boot"'))
    expect(await put(ended)).toBe('updated')
    expect(await listing()).toEqual(['12', ''])
    await openDb(path).read(12, never)
  })
})

describe('a run that no put can make whole', () => {
  const refusal = (file: string) => ({
    code: 'STORE_CORRUPT',
    run: 12,
    message: expect.stringContaining(file) as string,
    hint: expect.stringContaining('artdaq repair') as string,
  })
  const repair = () => repairDatabase(openDb(path).databases[0]!, { now: () => NOW })

  it('is refused by the file of another program that is in no index and says something else', async () => {
    await put(theirs)
    const copy = copyOf('"a" : "1"', (text) => text.replace('"a" : "1"', '"a" : "2"'))
    await expect(put(theirs)).rejects.toMatchObject(refusal(copy))
    await repair()
    expect(await listing()).toEqual(['12', ''])
    expect(['present', 'CONFLICT']).toContain(
      await put(theirs).catch((error: unknown) => (error as { code: string }).code),
    )
  })

  it('is refused by the document that is gone and that its record does not have', async () => {
    await put(sampleRun(12, { boot: 'a: 1\n', late: 'b: 1\n' }, { ended: false }))
    await put(sampleRun(12, { boot: 'a: 1\n' }))
    const gone = pathOf('"entities" : [\n{\n"name" : "late"')
    unlinkSync(gone)
    await expect(put(sampleRun(12, { boot: 'a: 1\n' }))).rejects.toMatchObject(refusal(gone))
    await repair()
    expect(await listing()).toEqual(['12', ''])
    expect(await put(sampleRun(12, { boot: 'a: 1\n' }))).toBe('present')
    await openDb(path).read(12, never)
  })
})

describe('what a pass that was killed before the schema left', () => {
  const kill = async (run: RunDocuments): Promise<void> => {
    const before = new Set(readdirSync(join(path, 'SystemLayout')))
    await openDb(path).put(run, never) // never committed
    for (const name of readdirSync(join(path, 'SystemLayout')))
      if (!before.has(name)) unlinkSync(join(path, 'SystemLayout', name))
  }
  const moved = sampleRun(12, { boot: 'a: 2\n', metadata: 'start: 1\nstop: 2\n' })
  const harm = {
    'is cut': () => writeFileSync(join(path, 'RunHistory', 'index.json'), '{\n"ouid" : [\n"12'),
    'is repaired': () => repairDatabase(openDb(path).databases[0]!, { now: () => NOW }),
    'is cut and repaired': async () => {
      writeFileSync(join(path, 'RunHistory', 'index.json'), '')
      await repairDatabase(openDb(path).databases[0]!, { now: () => NOW })
    },
    'is cut as the other one': () => {
      for (const collection of ['RunHistory', 'SystemLayout'])
        writeFileSync(join(path, collection, 'index.json'), '{')
    },
  } as const

  it.each(Object.entries(harm))(
    'does not count where the index %s, and is no conflict when the record goes on',
    async (_, damage) => {
      await put(sampleRun(1))
      await kill(going)
      await damage()
      expect(await listing()).toEqual(['1', '12'])
      expect(await put(moved)).toBe('stored')
      expect(await listing()).toEqual(['1,12', ''])
      expect((await openDb(path).read(12, never)).manifest).toEqual(moved.manifest)
    },
  )

  it.each(Object.entries(harm))(
    'does not hide the version that counts where the index %s',
    async (_, damage) => {
      await put(going)
      await kill(ended)
      await damage()
      expect((await openDb(path).read(12, never)).manifest).toEqual(going.manifest)
      expect(await listing()).toEqual(['', '12'])
      expect(await put(ended)).toBe('updated')
      expect((await openDb(path).read(12, never)).manifest).toEqual(ended.manifest)
      expect(await listing()).toEqual(['12', ''])
    },
  )
})
