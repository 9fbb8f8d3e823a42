import { describe, expect, it } from 'vitest'
import { parseFhicl } from '../../../../src/fhicl/parser.ts'
import { printedParts } from '../../../../src/fhicl/to-json.ts'
import { documentText, factsOf } from '../../../../src/stores/artdaqdb/format/document-printer.ts'
import { contentOf, readStored } from '../../../../src/stores/artdaqdb/format/document-reader.ts'

const facts = {
  oid: '0123456789abcdef01234567',
  collection: 'RunHistory',
  entity: 'tpc01',
  configuration: '1001506/standard00001',
  version: '1001506/standard00001v1',
  run: '1001506',
  time: Date.UTC(2026, 10, 21, 15, 14, 20, 48),
  rawdata: ['original utf8 0644 tpc01.fcl\na: 1\n'],
  attachments: [{ type: 'note', parts: 2 }],
}

describe('a document that is printed in pieces', () => {
  const parts = printedParts(parseFhicl('# a comment\na: 1\nb: [ 1, "two" ] // three\n'))
  const stored = readStored(Buffer.concat([...documentText(parts, facts)]), facts.oid, 'tpc01.json')

  it('says of itself what the index is told of it', () => {
    expect(stored.facts).toEqual(factsOf(facts))
    expect(stored).toMatchObject({ ownOid: facts.oid, ownCollection: facts.collection })
  })

  it('is whole, and gives back its content, originals and attachments', () => {
    stored.checkWhole()
    expect(stored.content).toBe(contentOf(parts))
    expect(stored.rawdata).toEqual(facts.rawdata)
    expect(stored.attachments).toEqual(facts.attachments)
  })
})
