import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { golden, hasGolden } from './golden.ts'
import { countingUuids, fromFolder, openDb, store } from './runs.ts'

const RUNS = [
  [1001506, 'standard00001'],
  [1001507, 'standard00001'],
  [2001, 'np04_teststand_tests00003'],
  [2100, 'nodigits'],
] as const

const FIXED = Date.parse('2017-07-18T12:48:10.123-0500')

/** Every file of a collection, index included, with its oids replaced by the entity that bears them. */
function withoutOids(collection: string): ReadonlyMap<string, string> {
  const texts = new Map(
    readdirSync(collection).map((name) => [name, readFileSync(join(collection, name), 'utf8')]),
  )
  const names = new Map<string, string>()
  for (const [name, text] of texts) {
    if (name === 'index.json') continue
    const version = /"version" : "([^"]*)"/.exec(text.slice(text.lastIndexOf('"origin" : {')))?.[1] ?? ''
    const entity = /"entities" : \[\n\{\n"name" : "([^"]*)"/.exec(text)?.[1] ?? ''
    names.set(name.slice(0, -5), `<${version} ${entity}>`)
  }
  const replace = (text: string): string => text.replace(/[0-9a-f]{24}/g, (oid) => names.get(oid) ?? oid)
  const inIndex = (text: string): string =>
    // Lists are sorted by oid, which is random: by name they can be compared.
    replace(text).replace(/(?:"<[^"]*>",?\n)+/g, (list) =>
      [...list.replaceAll(',', '').split('\n')].sort().join('\n'),
    )
  return new Map(
    [...texts].map(([name, text]) =>
      name === 'index.json' ? [name, inIndex(text)] : [names.get(name.slice(0, -5)) ?? name, replace(text)],
    ),
  )
}

describe.skipIf(!hasGolden)('a database written from the inputs of one that artdaq wrote', () => {
  let folder: string
  const zone = process.env['TZ']
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
    process.env['TZ'] = 'America/Chicago'
  })
  afterEach(() => {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
    rmSync(folder, { recursive: true })
  })

  it('is equal to it in every byte of every document and of the index, but for the oids', async () => {
    const left = new Set(['wib101', 'ssp101', 'cob2_rce01', 'schema'])
    const db = openDb(folder, () => FIXED)
    for (const [run, config] of RUNS) {
      const all = fromFolder(run, config, join(golden, 'input', `${run}_${config}`), () => 'RunHistory')
      await store(db, { ...all, documents: all.documents.filter(({ entity }) => !left.has(entity)) })
    }
    const mine = withoutOids(join(folder, 'RunHistory'))
    const theirs = withoutOids(join(golden, 'faketime', 'db', 'RunHistory'))
    expect(mine.size).toBe(47)
    expect(mine).toEqual(theirs)
  })

  it('is equal to the one that bulkloader made of whole runs, but for oids, stamps and the order of names', async () => {
    const db = openDb(folder)
    await store(
      db,
      ...RUNS.map(([run, config]) => fromFolder(run, config, join(golden, 'input', `${run}_${config}`))),
    )
    const stampless = (texts: ReadonlyMap<string, string>) =>
      new Map(
        [...texts].map(([name, text]) => [
          name,
          text.replace(/\d{4}-\d\d-\d\dT[\d:.]{12}[+-]\d{4}/g, '<stamp>'),
        ]),
      )
    for (const collection of ['RunHistory', 'SystemLayout']) {
      const mine = stampless(withoutOids(join(folder, collection)))
      const theirs = stampless(withoutOids(join(golden, 'main', 'db', collection)))
      for (const [name, text] of theirs) if (name !== 'index.json') expect(mine.get(name)).toBe(text)
      expect(sortedIndex(mine.get('index.json') ?? '')).toEqual(sortedIndex(theirs.get('index.json') ?? ''))
    }
    expect((await openDb(folder).list()).runs.toString()).toBe('2001,2100,1001506-1001507')
  })

  it('has a record about itself that only its own facts make different', async () => {
    await store(
      openDb(folder, undefined, countingUuids()),
      fromFolder(2100, 'nodigits', join(golden, 'input', '2100_nodigits')),
    )
    const record = (path: string): string =>
      readFileSync(join(path, 'SystemMetadata', readdirSync(join(path, 'SystemMetadata'))[0] ?? ''), 'utf8')
    const shape = (text: string): string => text.replace(/:(\s*)"[^"]*"/g, ':$1"..."')
    expect(shape(record(folder))).toBe(shape(record(join(golden, 'main', 'db'))))
  })
})

const sortedIndex = (text: string): unknown =>
  Object.fromEntries(
    Object.entries(JSON.parse(text.replace(/"\n"/g, '",\n"').replace(/\[\n\n"/g, '[\n"')) as object).map(
      ([section, value]) => [
        section,
        Array.isArray(value)
          ? [...(value as string[])].sort()
          : Object.entries(value as Record<string, string[]>)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, list]) => [name, [...new Set(list)].sort()]),
      ],
    ),
  )
