import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportedFiles } from '../../../src/stores/artdaqdb/read/export-run.ts'
import type { FileSystemDb } from '../../../src/stores/artdaqdb/filesystem-db.ts'
import { golden, hasGolden } from './golden.ts'
import { never, openDb } from './runs.ts'

const db = (name: string): FileSystemDb =>
  openDb(join(golden, name, name === 'damaged/rebuilt_db' ? '' : 'db'))

const filesBelow = (folder: string, prefix = ''): readonly [string, string][] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesBelow(join(folder, entry.name), `${prefix}${entry.name}/`)
      : [[prefix + entry.name, readFileSync(join(folder, entry.name), 'utf8')] as [string, string]],
  )

const exportOf = async (store: FileSystemDb, run: number): Promise<ReadonlyMap<string, string>> =>
  new Map((await exportedFiles(store.databases[0]!, run)).map(({ path, text }) => [path, text]))

describe.skipIf(!hasGolden)('a database that bulkloader wrote', () => {
  it('lists its runs as whole, with nothing to be told', async () => {
    const { runs, incomplete, updates, notes } = await db('main').list()
    expect(runs.toString()).toBe('2001,2100,1001506-1001507')
    expect([incomplete.size, updates.size, notes]).toEqual([0, 0, []])
  })

  it.each([1001506, 1001507, 2001, 2100])(
    "exports run %i in bulkdownloader's folders, byte for byte",
    async (run) => {
      const folder = readdirSync(join(golden, 'main', 'export_bulkdownloader')).find((name) =>
        name.startsWith(`${run}_`),
      )!
      const expected = new Map(filesBelow(join(golden, 'main', 'export_bulkdownloader', folder)))
      expect(new Map([...(await exportOf(db('main'), run))].sort())).toEqual(new Map([...expected].sort()))
    },
  )

  it('gives the same texts to a reader of the run, who finds no manifest in it', async () => {
    const read = await db('main').read(1001507, never)
    const expected = new Map(filesBelow(join(golden, 'main', 'export_origin', '1001507_standard00001')))
    expect(
      new Map(
        read.documents.map((one) => [`${one.entity}.fcl`, one.canonical()]).sort() as [string, string][],
      ),
    ).toEqual(new Map([...expected].sort()))
    expect(
      read.documents.map(({ entity, collection }) => (collection === 'SystemLayout' ? entity : '')).join(''),
    ).toBe('schema')
    expect([read.configName, read.update, read.manifest]).toEqual(['standard00001', 0, undefined])
    expect(await db('main').manifest(1001507)).toBeUndefined()
  })

  it('does not have a run that it does not have', async () => {
    await expect(db('main').read(4711, never)).rejects.toMatchObject({ code: 'NOT_FOUND', run: 4711 })
  })
})

describe.skipIf(!hasGolden)('a run that was loaded twice and then updated', () => {
  it('is one run, without an update of ours, and the double load is noted', async () => {
    const { runs, updates, notes } = await db('dup').list()
    expect(runs.toString()).toBe('7')
    expect([...updates]).toEqual([])
    expect(notes).toEqual(['7/std00001 was loaded 2 times: the documents with the smallest oid count'])
  })

  it('exports the greatest version, and of equal versions the smallest oid', async () => {
    const expected = new Map(filesBelow(join(golden, 'dup', 'export_bulkdownloader', '7_std00001')))
    expect(await exportOf(db('dup'), 7)).toEqual(expected)
    expect((await db('dup').read(7, never)).update).toBe(0)
  })
})

describe.skipIf(!hasGolden)('a database that was changed by aliases, configurations and entities', () => {
  it('is read: names that are no run are told, runs without a schema are incomplete', async () => {
    const { runs, incomplete, notes } = await db('mutated').list()
    expect(runs.isEmpty).toBe(true)
    expect(incomplete.toString()).toBe('2001,2100,1001506-1001507')
    expect(notes.join()).toMatch(/notprovided, special00001/)
  })

  it('exports what artdaq would: a document that was given a second name goes by both', async () => {
    const files = await exportOf(db('mutated'), 1001506)
    const main = new Map(filesBelow(join(golden, 'main', 'export_bulkdownloader', '1001506_standard00001')))
    for (const name of ['metadata', 'component01', 'ranks', 'EventBuilder3'])
      expect(files.get(`standard/${name}.fcl`)).toBe(main.get(`standard/${name}.fcl`))
    // add_entity gave the name to another document than the one it was told, of a smaller oid.
    expect(files.get('standard/DataflowConfiguration.fcl')).toBe(main.get('standard/metadata.fcl'))
  })
})

describe.skipIf(!hasGolden)('a database whose index lost entries', () => {
  it('has no whole run, and says how many documents are left out', async () => {
    const { runs, incomplete, notes } = await db('damaged').list()
    expect(runs.isEmpty).toBe(true)
    expect(incomplete.toString()).toBe('2001,2100')
    expect(notes.join()).toMatch(/RunHistory: 16 documents are not in the index/)
  })

  it("is found whole in artdaq's own rebuild of it", async () => {
    const { runs, incomplete } = await db('damaged/rebuilt_db').list()
    expect([runs.toString(), incomplete.size]).toEqual(['2001,2100', 0])
  })

  it("is rebuilt to the index that artdaq's rebuild gives", async () => {
    const { index, unreadable } = await db('damaged').databases[0]!.collection('RunHistory').rebuilt()
    const theirs = (await db('damaged/rebuilt_db').databases[0]!.collection('RunHistory').index()).index
    expect(unreadable).toEqual([])
    expect(index.ouid.items).toEqual(theirs.ouid.items)
    for (const section of [
      'version',
      'configurations.name',
      'entities.name',
      'runs.name',
      'configurations.assigned',
    ] as const) {
      const mine = new Map([...index.section(section)].map(([name, list]) => [name, list.items]))
      expect(mine).toEqual(new Map([...theirs.section(section)].map(([name, list]) => [name, list.items])))
    }
  })
})

describe.skipIf(!hasGolden)('reading a database', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
    cpSync(join(golden, 'mutated', 'db'), join(folder, 'db'), { recursive: true })
    rmSync(join(folder, 'db', 'SystemMetadata'), { recursive: true })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const tree = (path: string): readonly string[] =>
    (readdirSync(path, { recursive: true }) as string[]).map((name) => {
      const { size, mtimeMs, ctimeMs } = statSync(join(path, name))
      return `${name} ${size} ${mtimeMs} ${ctimeMs}`
    })

  it('creates and changes nothing, neither in it nor where no database is', async () => {
    const before = tree(folder)
    for (const path of [join(folder, 'db'), join(folder, 'none')]) {
      const store = openDb(path)
      await store.list()
      await store.fingerprint()
      await store.probe(never)
      await store.read(1001506, never).catch(() => undefined)
      await store.manifest(1001506).catch(() => undefined)
    }
    expect(tree(folder)).toEqual(before)
  })
})
