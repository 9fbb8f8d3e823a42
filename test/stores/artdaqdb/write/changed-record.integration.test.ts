import { mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseFhicl } from '../../../../src/fhicl/parser.ts'
import { printedParts } from '../../../../src/fhicl/to-json.ts'
import type { RunDocuments } from '../../../../src/stores/run-record.ts'
import { CollectionIndex } from '../../../../src/stores/artdaqdb/format/search-index.ts'
import { documentText, factsOf } from '../../../../src/stores/artdaqdb/format/document-printer.ts'
import { indexText } from '../../../../src/stores/artdaqdb/format/index-text.ts'
import { never, NOW, openDb, sampleRun } from '../runs.ts'
import { path, documents, listing, put, folderForEachTest } from './database-folder.ts'

folderForEachTest()

describe('a record that changed after it was archived', () => {
  const going = sampleRun(12, { boot: 'a: 1\n', metadata: 'start: 1\n' }, { ended: false })
  const ended = sampleRun(12, { boot: 'a: 1\n', metadata: 'start: 1\nstop: 2\n', late: 'x: 1\n' })

  it('is stored beside the old one: only what changed, under the next version', async () => {
    await put(going)
    expect(await put(ended)).toBe('updated')
    expect(documents('RunHistory')).toHaveLength(3 + 2)
    expect(await listing()).toEqual({ runs: '12', incomplete: '', updates: [[12, 1]] })
    const read = await openDb(path).read(12, never)
    expect(read.update).toBe(1)
    expect(read.manifest).toEqual(ended.manifest)
    expect(read.documents.map(({ text }) => text.toString())).toEqual(
      ended.documents.map(({ text }) => text.toString()),
    )
    expect(await openDb(path).manifest(12)).toEqual(ended.manifest)
  })

  it('is found newest after twelve updates, though versions are compared as text', async () => {
    await put(going)
    for (let i = 1; i <= 12; i++)
      expect(
        await put(sampleRun(12, { boot: `a: ${i + 100}\n`, metadata: 'start: 1\n' }, { ended: false })),
      ).toBe('updated')
    const read = await openDb(path).read(12, never)
    expect([read.update, read.documents[0]!.text.toString()]).toEqual([12, 'a: 112\n'])
    const versions = Object.keys(
      (JSON.parse(readFileSync(join(path, 'SystemLayout', 'index.json'), 'utf8')) as { version: object })
        .version,
    )
    expect(versions.slice(-4)).toEqual(
      ['v9', 'v91', 'v92', 'v93'].map((version) => `12/standard00001${version}`),
    )
  })

  it('is a conflict when files of an ended record are gone, and nothing is written', async () => {
    await put(ended)
    const before = documents('RunHistory')
    await expect(put(sampleRun(12, { metadata: 'start: 1\nstop: 2\n' }))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/boot\.fcl, late\.fcl/) as string,
    })
    expect(documents('RunHistory')).toEqual(before)
  })
})

describe('a run that another program stored', () => {
  const theirs = (text: string): RunDocuments => ({ ...sampleRun(12, { boot: text }), manifest: undefined })

  it('is present when its values are the same', async () => {
    await put(theirs('a: 1\n'))
    expect(await put(sampleRun(12, { boot: 'a:    1\n' }))).toBe('present')
  })

  it('is a conflict when they are not, naming the documents', async () => {
    await put(theirs('a: 1\n'))
    await expect(put(sampleRun(12, { boot: 'a: 2\n' }))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('boot') as string,
    })
  })

  it('is found by its run when its configuration has another name', async () => {
    await put({ ...theirs('a: 1\n'), configName: 'beam_a' })
    expect(await put(sampleRun(12, { boot: 'a: 1\n' }, { configName: 'beam_b' }))).toBe('present')
    await put(sampleRun(13))
    expect((await openDb(path).read(12, never)).configName).toBe('beam_a')
  })
})

describe('several documents of an entity whose versions are no names of ours', () => {
  // As other programs store them: `version` is any text.
  const documents = [
    { entity: 'boot', oid: 'b'.repeat(24), version: 'calib002', fhicl: 'x: "new"' },
    { entity: 'boot', oid: 'a'.repeat(24), version: 'calib001', fhicl: 'x: "old"' },
    { entity: 'schema', oid: 'c'.repeat(24), version: 'calib001', fhicl: 's: 1' },
  ]
  const write = (): void => {
    for (const collection of ['RunHistory', 'SystemLayout'] as const) {
      mkdirSync(join(path, collection), { recursive: true })
      const facts = documents
        .filter(({ entity }) => (entity === 'schema') === (collection === 'SystemLayout'))
        .map(({ fhicl, ...document }) => {
          const about = { configuration: '7/std00001', run: '7', time: NOW, rawdata: [], attachments: [] }
          const all = { ...about, ...document, collection }
          const bytes = Buffer.concat([...documentText(printedParts(parseFhicl(fhicl)), all)])
          writeFileSync(join(path, collection, `${document.oid}.json`), bytes)
          return factsOf(all)
        })
      const parts = [...indexText(CollectionIndex.EMPTY.plus(facts))]
      writeFileSync(
        join(path, collection, 'index.json'),
        parts.map((part) => part.toString('latin1')).join(''),
      )
    }
  }

  it('are read by the greatest version', async () => {
    write()
    const read = await openDb(path).read(7, never)
    expect(read.documents.map(({ fhicl }) => fhicl)).toContain('\nx: "new" \n')
  })

  it('cannot be read where the greatest is gone: an older one is not given instead', async () => {
    write()
    unlinkSync(join(path, 'RunHistory', `${'b'.repeat(24)}.json`))
    await expect(openDb(path).read(7, never)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
