import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readJson } from '../../../src/fhicl/json/parser.ts'
import { writeJson } from '../../../src/fhicl/json/printer.ts'
import { checkDatabase, type Finding } from '../../../src/stores/artdaqdb/check.ts'
import { repairDatabase } from '../../../src/stores/artdaqdb/repair.ts'
import { golden, hasGolden } from './golden.ts'
import { never, NOW, openDb, sampleRun, store } from './runs.ts'
import { sealedAgain } from './sealed-again.ts'
import { randomFrom } from '../../crash/random.ts'
import { sized } from '../../sized.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  path = join(folder, 'db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const check = (): Promise<readonly Finding[]> => checkDatabase(openDb(path).databases[0]!, new Set())
const kinds = async (): Promise<readonly string[]> =>
  [...new Set((await check()).map(({ kind }) => kind))].sort()
const repair = () => repairDatabase(openDb(path).databases[0]!, { now: () => NOW })
const documents = (collection: string): readonly string[] =>
  readdirSync(join(path, collection))
    .filter((name) => name !== 'index.json')
    .map((name) => join(path, collection, name))

describe('a sound database', () => {
  it('has nothing amiss, and nothing is repaired', async () => {
    await store(openDb(path), sampleRun(1), sampleRun(2))
    expect(await check()).toEqual([])
    const before = readFileSync(join(path, 'RunHistory', 'index.json'), 'utf8')
    expect((await repair()).map(({ reason, documents: count }) => [reason, count])).toEqual([
      [undefined, 6],
      [undefined, 2],
    ])
    expect(readFileSync(join(path, 'RunHistory', 'index.json'), 'utf8')).toBe(before)
  })
})

describe('a check', () => {
  beforeEach(() => store(openDb(path), sampleRun(1), sampleRun(2)))

  it.each<[string, () => void, string[]]>([
    ['a document that is gone', () => unlinkSync(documents('RunHistory')[0]!), ['incomplete', 'missing']],
    [
      'a document that is cut',
      () => writeFileSync(documents('RunHistory')[0]!, '{"document" : {'),
      ['unreadable'],
    ],
    [
      'a document under another name',
      () => renameSync(documents('RunHistory')[0]!, join(path, 'RunHistory', `${'0'.repeat(24)}.json`)),
      ['incomplete', 'missing', 'name', 'orphan'],
    ],
    [
      'a document beside the collections',
      () => cpSync(documents('RunHistory')[0]!, join(path, `${'f'.repeat(24)}.json`)),
      ['stray'],
    ],
    [
      'a document among those that artdaq keeps of the database',
      () => cpSync(documents('RunHistory')[0]!, join(path, 'SystemMetadata', `${'f'.repeat(24)}.json`)),
      ['stray'],
    ],
    [
      'a collection copied into a folder of artdaq',
      () => cpSync(join(path, 'RunHistory'), join(path, 'SystemMetadata', 'RunHistory'), { recursive: true }),
      ['stray'],
    ],
    [
      'a collection copied under the name of a folder of artdaq',
      () => cpSync(join(path, 'RunHistory'), join(path, 'system.indexes'), { recursive: true }),
      ['stray'],
    ],
    [
      'a value that was changed with its seal',
      () => {
        const document = documents('RunHistory').find((one) =>
          readFileSync(one, 'utf8').includes('"debug_level" : "1"'),
        )!
        const changed = readFileSync(document, 'utf8').replace('"debug_level" : "1"', '"debug_level" : "2"')
        expect(changed).not.toBe(readFileSync(document, 'utf8'))
        writeFileSync(document, sealedAgain(changed))
      },
      ['unreadable'],
    ],
    ['a lost index', () => unlinkSync(join(path, 'RunHistory', 'index.json')), ['index']],
    ['a file that is no document', () => writeFileSync(join(path, 'RunHistory', 'core.1234'), ''), ['stray']],
    [
      'a document in the wrong collection',
      () => cpSync(documents('SystemLayout')[0]!, join(path, 'RunHistory', `${'f'.repeat(24)}.json`)),
      ['incomplete', 'name', 'orphan'],
    ],
    [
      'a document that its index knows only in part',
      () => {
        const index = join(path, 'RunHistory', 'index.json')
        writeFileSync(index, readFileSync(index, 'utf8').replace('"boot" : [', '"boat" : ['))
      },
      ['damaged', 'surplus', 'unlisted'],
    ],
  ])('finds %s', async (_, damage, found) => {
    damage()
    expect(await kinds()).toEqual(found)
  })

  it('finds originals that are damaged', async () => {
    const file = documents('SystemLayout')[0]!
    writeFileSync(file, readFileSync(file, 'utf8').replace('"sha256"', '"sha265"'))
    expect(await kinds()).toEqual(['unreadable'])
  })

  it('finds a run that was loaded twice, and changes nothing', async () => {
    rmSync(path, { recursive: true })
    await store(openDb(path), { ...sampleRun(1), manifest: undefined })
    const twice = documents('RunHistory')[0]!
    const text = readFileSync(twice, 'utf8')
    const oid = /([0-9a-f]{24})\.json/.exec(twice)![1]!
    writeFileSync(join(path, 'RunHistory', `${'a'.repeat(24)}.json`), text.replaceAll(oid, 'a'.repeat(24)))
    await repair()
    const before = readFileSync(join(path, 'RunHistory', 'index.json'), 'utf8')
    expect(await kinds()).toEqual(['duplicate'])
    expect(readFileSync(join(path, 'RunHistory', 'index.json'), 'utf8')).toBe(before)
  })
})

const valueOf = (bytes: Buffer): string => writeJson(readJson(bytes.toString()))

describe('one flipped bit', () => {
  const attached = [{ name: 'notes.bin', mode: 0o640, content: Buffer.from([0, 255, 1]) }]

  it('anywhere in a document of ours is found by a check, and never read', async () => {
    await store(openDb(path), sampleRun(1, undefined, { attached }))
    const random = randomFrom(20261128)
    for (const file of [...documents('RunHistory'), ...documents('SystemLayout')]) {
      const bytes = readFileSync(file)
      for (let flips = 0; flips < sized(12, 60); flips++) {
        const at = Math.floor(random() * bytes.length)
        const harmed = Buffer.from(bytes)
        harmed[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
        writeFileSync(file, harmed)
        const read = await openDb(path)
          .read(1, never)
          .catch(() => undefined)
        // The layout alone may differ: artdaq's tools write documents anew.
        if (read) expect(valueOf(harmed)).toBe(valueOf(bytes))
        else expect(await check()).not.toEqual([])
      }
      writeFileSync(file, bytes)
    }
    expect(await check()).toEqual([])
  })
})

describe('a repair', () => {
  it.each([
    ['missing', (index: string) => unlinkSync(index)],
    ['cut', (index: string) => writeFileSync(index, readFileSync(index).subarray(0, 400))],
    [
      'short',
      (index: string) => writeFileSync(index, readFileSync(index, 'utf8').replace(/"[0-9a-f]{24}",\n/, '')),
    ],
    [
      'empty again, as artdaq makes one that it misses',
      (index: string) =>
        writeFileSync(
          index,
          '{"ouid":[], "version":{},"configurations.name":{}, "entities.name":{},"aliases.active.name":{}, "runs.name":{},"configurations.assigned":{} }',
        ),
    ],
  ])('makes an index that is %s what it was, and keeps the old one', async (damage, harm) => {
    let time = NOW
    const db = openDb(path, () => time)
    for (const run of [3, 1, 2]) {
      await store(db, sampleRun(run))
      time += 1000
    }
    const index = join(path, 'RunHistory', 'index.json')
    const before = readFileSync(index, 'utf8')
    harm(index)
    const harmed = damage === 'missing' ? undefined : readFileSync(index, 'utf8')
    const [repaired] = await repair()
    expect(sortedNames(readFileSync(index, 'utf8'))).toEqual(sortedNames(before))
    expect(
      Object.keys((JSON.parse(readFileSync(index, 'utf8')) as { 'runs.name': object })['runs.name']),
    ).toEqual(Object.keys((JSON.parse(before) as { 'runs.name': object })['runs.name']))
    expect(repaired?.reason).toBeDefined()
    if (harmed !== undefined) expect(readFileSync(join(path, repaired!.keptAs!), 'utf8')).toBe(harmed)
    expect((await openDb(path).list()).runs.toString()).toBe('1-3')
    expect(await check()).toEqual([])
    await openDb(path).read(2, never)
  })
})

const sortedNames = (text: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(JSON.parse(text) as Record<string, object>).map(([section, value]) => [
      section,
      Array.isArray(value) ? value : Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)),
    ]),
  )

describe.skipIf(!hasGolden)('a database of which artdaq lost index entries', () => {
  it('is found out, and repaired to what artdaq rebuilt of it', async () => {
    cpSync(join(golden, 'damaged', 'db'), path, { recursive: true })
    const findings = await check()
    expect(findings.filter(({ kind }) => kind === 'orphan')).toHaveLength(16)
    expect(findings.filter(({ kind }) => kind === 'incomplete').map(({ run }) => run)).toEqual([2001, 2100])
    await repair()
    expect(await check()).toEqual([])
    const theirs = readFileSync(join(golden, 'damaged', 'rebuilt_db', 'RunHistory', 'index.json'), 'utf8')
    expect(sortedNames(readFileSync(join(path, 'RunHistory', 'index.json'), 'utf8'))).toEqual(
      sortedNames(theirs),
    )
  })
})

describe('a document that cannot be read, of which an index that can be read knows', () => {
  it('stays in that index when a repair writes it again: its run is not made whole without it', async () => {
    await store(openDb(path), sampleRun(1), sampleRun(2))
    const [cut, twin] = documents('RunHistory') as [string, string]
    const oid = /([0-9a-f]{24})\.json/.exec(cut)![1]!
    writeFileSync(cut, '')
    unlinkSync(twin) // a reason to write the index again
    const [repaired] = await repair()
    expect(repaired).toMatchObject({ documents: 5, unreadable: [expect.stringContaining(cut) as string] })
    const index = JSON.parse(readFileSync(join(path, 'RunHistory', 'index.json'), 'utf8')) as {
      ouid: string[]
      'entities.name': Record<string, string[]>
      version: Record<string, string[]>
    }
    expect(index.ouid).toContain(oid)
    expect(Object.values(index['entities.name']).flat()).toContain(oid)
    expect(Object.values(index.version).flat()).toContain(oid)
  })
})

describe('a document of ours whose data were damaged', () => {
  const rot = (from: string, to: string): string => {
    const file = documents('RunHistory').find((path) => readFileSync(path, 'utf8').includes(from))!
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
    return file
  }

  it.each([
    ['"debug_level" : "1"', '"debug_level" : "2"'],
    ['"comment" : "# about it"', '"comment" : "# about us"'],
    ['"name" : "boot"', '"name" : "boat"'],
  ])('is written again as it was by a repair, and the damaged file is kept (%s)', async (from, to) => {
    await store(openDb(path), sampleRun(1))
    const before = new Map(documents('RunHistory').map((file) => [file, readFileSync(file, 'utf8')]))
    const file = rot(from, to)
    const harmed = readFileSync(file, 'utf8')
    const [repaired] = await repair()
    expect(repaired!.mended).toHaveLength(1)
    for (const [name, text] of before) expect(readFileSync(name, 'utf8')).toBe(text)
    const kept = readdirSync(path).find((name) => name.includes('.json.damaged-'))!
    expect(readFileSync(join(path, kept), 'utf8')).toBe(harmed)
    expect(await check()).toEqual([])
  })

  it('and whose original was damaged too stays as it is: nothing proves what it was', async () => {
    await store(openDb(path), sampleRun(1))
    const file = rot('boot.fcl\\ndebug_level: 1', 'boot.fcl\\ndebug_level: 3')
    const harmed = readFileSync(file, 'utf8')
    expect((await repair())[0]!.mended).toEqual([])
    expect(readFileSync(file, 'utf8')).toBe(harmed)
    await expect(openDb(path).read(1, never)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
