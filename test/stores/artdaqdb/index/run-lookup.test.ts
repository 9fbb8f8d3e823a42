import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { indexText } from '../../../../src/stores/artdaqdb/format/index-text.ts'
import { CollectionIndex } from '../../../../src/stores/artdaqdb/format/search-index.ts'
import { indexedRuns } from '../../../../src/stores/artdaqdb/index/run-index.ts'
import { indexOfRun, lookUpRun } from '../../../../src/stores/artdaqdb/index/run-lookup.ts'
import { Database } from '../../../../src/stores/artdaqdb/index/database.ts'
import { readManifest } from '../../../../src/stores/artdaqdb/read/read-run.ts'
import type { IndexFacts } from '../../../../src/stores/store.ts'
import { openDb, sampleRun, store } from '../runs.ts'

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-lookup.'))
  path = join(folder, 'index.json')
})
afterAll(() => rm(folder, { recursive: true }))

const writeIndex = (index: CollectionIndex): void => writeFileSync(path, Buffer.concat([...indexText(index)]))

/** Runs that begin alike, several configurations and updates of one, and documents that only a run's number names. */
const document: fc.Arbitrary<IndexFacts> = fc
  .record({
    id: fc.integer({ min: 0, max: 0xffff }),
    run: fc.integer({ min: 1, max: 130 }),
    configurations: fc.uniqueArray(fc.constantFrom('a', 'standard00001', 'x.y-z_0'), { maxLength: 2 }),
    update: fc.integer({ min: 0, max: 2 }),
    day: fc.integer({ min: 10, max: 28 }),
  })
  .map(({ id, run, configurations, update, day }) => {
    const names = configurations.map((name) => `${run}/${name}`)
    return {
      oid: id.toString(16).padStart(24, '0'),
      version: `${run}/${configurations[0] ?? 'none'}${update > 0 ? `v${update}` : ''}`,
      configurations: names.map((name) => ({ name, assigned: `2026-11-${day}T15:28:41.350-0600` })),
      entities: ['schema'],
      aliases: [],
      runs: [String(run)],
    }
  })
const documents = fc.uniqueArray(document, { selector: ({ oid }) => oid, maxLength: 40 })

/** What an index says of a run, without its entities. */
const said = (index: CollectionIndex, run: number): unknown => {
  const configurations = indexedRuns(index).configurationsOf(run)
  const oids = new Set([
    ...configurations.flatMap((name) => index.list('configurations.name', name).items),
    ...index.list('runs.name', String(run)).items,
  ])
  return {
    configurations: configurations.map((name) => ({
      name,
      documents: index.list('configurations.name', name).items,
      assigned: index.list('configurations.assigned', name).items,
    })),
    number: index.list('runs.name', String(run)).items,
    versions: [...index.section('version')]
      .filter(([, list]) => [...oids].some((oid) => list.has(oid)))
      .map(([version, list]) => [version, list.items.filter((oid) => oids.has(oid))])
      .sort(),
  }
}

describe('what is looked up of one run', () => {
  it('is what the whole index says of it, however the file falls into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        documents,
        fc.integer({ min: 1, max: 130 }),
        fc.integer({ min: 1, max: 700 }),
        async (all, other, piece) => {
          const index = CollectionIndex.EMPTY.plus(all)
          writeIndex(index)
          for (const run of [other, Number(all[0]?.runs[0] ?? 1)]) {
            const found = await lookUpRun(path, run, piece)
            expect(found && said(found, run)).toEqual(said(index, run))
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  const one = (oid: string, run: string, version = `${run}/a`): IndexFacts => ({
    oid,
    version,
    configurations: [{ name: `${run}/a`, assigned: '2026-11-21T15:28:41.350-0600' }],
    entities: ['schema'],
    aliases: [],
    runs: [run],
  })

  it('is nothing of a run that is not there, also where its number begins that of another', async () => {
    writeIndex(CollectionIndex.EMPTY.plus([one('b', '123')]))
    const found = await lookUpRun(path, 12)
    expect(found && indexedRuns(found).has(12)).toBe(false)
  })

  it.each([
    ['cut short', (text: string) => text.slice(0, -40)],
    ['without a section', (text: string) => text.replace('"runs.name"', '"runs.nome"')],
    ['in another layout', (text: string) => JSON.stringify(JSON.parse(text))],
    [
      'with a name twice',
      (text: string) => text.replace('"123/a" : [\n', '"123/a" : [\n"b"\n],\n"123/a" : [\n'),
    ],
    [
      'with a list that does not end',
      (text: string) => text.replace('"b"\n]\n},\n"configurations.name"', '"b",\n},\n"configurations.name"'),
    ],
  ])('is left to who reads the whole file where that is %s', async (_damage, of) => {
    const text = Buffer.concat([...indexText(CollectionIndex.EMPTY.plus([one('b', '123')]))]).toString(
      'latin1',
    )
    expect(of(text)).not.toBe(text)
    writeFileSync(path, of(text))
    expect(await lookUpRun(path, 123)).toBeUndefined()
  })

  it('is left to it too where a document has a version of another program', async () => {
    writeIndex(CollectionIndex.EMPTY.plus([one('b', '123', 'v1.2')]))
    expect(await lookUpRun(path, 123)).toBeUndefined()
  })
})

describe('the manifest of a run that is looked up', () => {
  it('is the newest, as it is read by the whole index, and no index is held for it', async () => {
    const database = join(folder, 'db')
    await store(openDb(database), sampleRun(7))
    const changed = sampleRun(7, { boot: 'debug_level: 2\n', metadata: 'x: 1\n' }, { signature: 's2' })
    await store(openDb(database), changed)
    await store(openDb(database), { ...sampleRun(8), manifest: undefined })

    const opened = new Database(database)
    const marks = opened.collection('SystemLayout')
    const lookUp = async (run: number) => readManifest(opened, run, await indexOfRun(marks, run, 0))
    expect(await lookUp(7)).toEqual(changed.manifest)
    expect(await lookUp(8)).toBeUndefined()
    expect(marks.heldKey).toBeUndefined()
    expect(await readManifest(opened, 7)).toEqual(changed.manifest)
    expect(await openDb(database).manifestAlone(7)).toEqual(changed.manifest)
    await expect(openDb(database).manifestAlone(9)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
