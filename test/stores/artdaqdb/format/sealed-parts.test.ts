import { describe, expect, it } from 'vitest'
import { parseFhicl } from '../../../../src/fhicl/parser.ts'
import { printedParts } from '../../../../src/fhicl/to-json.ts'
import { documentText, factsOf } from '../../../../src/stores/artdaqdb/format/document-printer.ts'
import { readStored } from '../../../../src/stores/artdaqdb/format/document-reader.ts'
import { sealedParts } from '../../../../src/stores/artdaqdb/format/sealed-parts.ts'
import { sealPlace } from '../../../../src/stores/artdaqdb/format/seal.ts'

const parts = printedParts(parseFhicl('# [\na: "]"\nb: [ 1, "rawdata" ]\n'))
const facts = {
  oid: '0123456789abcdef01234567',
  collection: 'RunHistory',
  entity: 'tpc01',
  configuration: '1001506/standard00001',
  version: '1001506/standard00001v1',
  run: '1001506',
  time: Date.UTC(2026, 10, 21, 15, 14, 20, 48),
  rawdata: ['original utf8 0644 tpc01.fcl\n]\n"version" : "x",\n\\ "\u00e4\n', 'text utf8 - -\na: 1\n'],
  attachments: [{ type: 'note', parts: 2 }],
}
const bytesOf = (change: Partial<typeof facts> = {}): Buffer =>
  Buffer.concat([...documentText(parts, { ...facts, ...change })])
const takenApart = (bytes: Buffer) => sealedParts(bytes, sealPlace(bytes) ?? -1)

describe('a sealed document in our own layout', () => {
  it('is taken apart as JSON says it', () => {
    const found = takenApart(bytesOf())
    const { oid, collection, entity, configuration, version, run } = facts
    expect(found?.names).toMatchObject({ oid, collection, entity, configuration, version, run })
    expect(found?.strings().slice(1)).toEqual(facts.rawdata)
    expect(takenApart(bytesOf({ attachments: [] }))?.names.run).toBe(run)
  })

  it.each([
    ['has a quote in a name', { entity: 'tpc"01' }],
    ['has a name that is not ASCII', { configuration: '1001506/\u00e4' }],
    ['has a very long name', { entity: 'x'.repeat(20_000) }],
  ])('is read as JSON where it %s', (_, change) => {
    const bytes = bytesOf(change)
    expect(takenApart(bytes)).toBeUndefined()
    const stored = readStored(bytes, facts.oid, 'tpc01.json')
    expect(stored.facts).toEqual(factsOf({ ...facts, ...change }))
    expect(stored.fitsSeal).toBe(true)
    expect(stored.rawdata).toEqual(facts.rawdata)
  })

  it.each([
    ['a name that is not the same everywhere', '"name" : "1001506"', '"name" : "1001507"'],
    ['a name more', '"runs" : [\n', '"runs" : [\n{\n"name" : "1",\n"assigned" : "x"\n},\n'],
    ['a member more', '"version" :', '"more" : true,\n"version" :'],
  ])('is not taken apart with %s', (_, found, replaced) => {
    const bytes = bytesOf()
    const at = bytes.lastIndexOf(found)
    expect(at).toBeGreaterThan(0)
    expect(
      takenApart(
        Buffer.concat([bytes.subarray(0, at), Buffer.from(replaced), bytes.subarray(at + found.length)]),
      ),
    ).toBeUndefined()
  })

  it('that a tool has changed since says what it says now', () => {
    const bytes = Buffer.from(bytesOf().toString('latin1').replace('"entities" : [\n{\n"name" : "tpc01"', '"entities" : [\n{\n"name" : "other"'), 'latin1') // prettier-ignore
    expect(readStored(bytes, facts.oid, 'tpc01.json')).toMatchObject({
      fitsSeal: false,
      facts: { entities: ['other'] },
    })
  })
})
