import fc from 'fast-check'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseFhicl } from '../../../../src/fhicl/parser.ts'
import { printedParts } from '../../../../src/fhicl/to-json.ts'
import { attachmentsOf } from '../../../../src/stores/artdaqdb/format/attachments.ts'
import { documentText } from '../../../../src/stores/artdaqdb/format/document-printer.ts'
import { readStored } from '../../../../src/stores/artdaqdb/format/document-reader.ts'
import { prove } from '../../../../src/stores/artdaqdb/format/proof.ts'
import { AttachmentScan } from '../../../../src/stores/artdaqdb/read/attachment-scan.ts'
import { readInPieces } from '../../../../src/stores/artdaqdb/read/large-document.ts'
import { sized } from '../../../sized.ts'

const OID = 'a'.repeat(24)
const files = [
  { name: 'quoted "} ] \\.txt', mode: 0o644, content: Buffer.from('a "quoted" \\ line\n]}, [{\n') },
  { name: 'binary.bin', mode: 0o600, content: Buffer.from([0, 1, 2, 255]) },
  { name: 'empty', mode: 0o644, content: Buffer.alloc(0) },
]
const attachments = attachmentsOf(
  { run: 7, configName: 'x', documents: [], attached: files, manifest: undefined },
  files,
)
const facts = {
  ...{
    oid: OID,
    collection: 'SystemLayout',
    entity: 'schema',
    configuration: '7/x',
    version: '7/x',
    run: '7',
  },
  ...{ time: 0, rawdata: ['text utf8 - -\nx'] },
}
const documentOf = (attached: typeof attachments): Buffer =>
  Buffer.concat([...documentText(printedParts(parseFhicl('a: 1\n')), { ...facts, attachments: attached })])

const folder = mkdtempSync(join(tmpdir(), 'large-document-'))
mkdirSync(join(folder, 'SystemLayout'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'SystemLayout', `${OID}.json`)

const SIZES = [1, 2, 3, 7, 64, 100_000]

describe('a document that is read in pieces', () => {
  it.each(SIZES)('of %i bytes is the one that is read in whole, apart from its attachments', async (size) => {
    const bytes = documentOf(attachments)
    writeFileSync(path, bytes)
    const whole = readStored(bytes, OID, path)
    const inPieces = await readInPieces(path, OID, size)
    expect(inPieces?.kept).toEqual(whole.kept)
    expect(inPieces?.kept.attached).toEqual(files)
    expect(inPieces?.bytes).toEqual(whole.withoutAttachments().bytes)
    expect(inPieces && prove(inPieces)).toBe('sealed')
    expect(inPieces?.originals).toEqual(whole.originals)
    expect(inPieces?.facts).toEqual(whole.facts)
  })

  it('is left to who reads it in whole as soon as a byte of it is another', async () => {
    const bytes = documentOf(attachments)
    for (let at = 0; at < bytes.length; at += sized(23, 5)) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 0x04
      writeFileSync(path, damaged)
      expect(await readInPieces(path, OID, 64), `byte ${at}`).toBeUndefined()
    }
  })

  it('is likewise left when it is cut, empty, or not there', async () => {
    const bytes = documentOf(attachments)
    for (const length of [0, 1, bytes.length >> 1, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, length))
      expect(await readInPieces(path, OID, 64)).toBeUndefined()
    }
    expect(await readInPieces(join(folder, 'none.json'), OID)).toBeUndefined()
  })
})

describe('the scan for attachments', () => {
  const scanned = (text: string, size: number) => {
    const scan = new AttachmentScan()
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += size) scan.take(bytes.subarray(at, at + size))
    const places = scan.places()
    const cut = ({ start, end }: { start: number; end: number }) => bytes.toString('utf8', start, end)
    return places && { list: cut(places.list), items: places.items.map(cut) }
  }

  it('finds the items of any list, whatever stands beside it and wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 3 })),
        fc.dictionary(
          fc.string().filter((key) => key !== 'attachments'),
          fc.jsonValue({ maxDepth: 3 }),
        ),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(undefined, 1),
        (items, beside, size, space) => {
          const text = JSON.stringify({ ...beside, attachments: items }, null, space)
          const found = scanned(text, size)
          expect(JSON.parse(found?.list ?? 'null')).toEqual(JSON.parse(JSON.stringify(items)))
          expect(found?.items.map((item): unknown => JSON.parse(item))).toEqual(
            JSON.parse(JSON.stringify(items)),
          )
        },
      ),
      { numRuns: sized(150, 500) },
    )
  })

  it.each([
    '{"attachments": [1,,2]}',
    '{"attachments": [1,]}',
    '{"attachments": [,]}',
    '{"attachments": [1}',
    '{"a": 1}',
    '{"attachments": {}}',
    '{"b": {"attachments": []}}',
    '{"attachments": []',
    '{"attachments": [\0]}',
    'x',
  ])('finds none in %j', (text) => {
    for (const size of [1, 2, 100]) expect(scanned(text, size)).toBeUndefined()
  })

  it('takes the first list of that name', () => {
    expect(scanned('{"attachments": [1], "attachments": [2]}', 3)?.items).toEqual(['1'])
  })
})
