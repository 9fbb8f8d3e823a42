import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  attachmentsOf,
  readAttachments,
  toJson,
  toPlain,
} from '../../../../src/stores/artdaqdb/format/attachments.ts'
import { documentText } from '../../../../src/stores/artdaqdb/format/document-printer.ts'
import { readStored } from '../../../../src/stores/artdaqdb/format/document-reader.ts'
import { PART, PartsOfFile } from '../../../../src/stores/artdaqdb/format/file-parts.ts'
import { parseFhicl } from '../../../../src/fhicl/parser.ts'
import { printedParts } from '../../../../src/fhicl/to-json.ts'
import { writeJsonBytes } from '../../../../src/fhicl/json/printer.ts'

const large = Buffer.concat([randomBytes(PART), Buffer.alloc(PART, 'text\n'), randomBytes(7)])
const files = [
  { name: 'big.bin', mode: 0o644, content: large },
  { name: 'small.bin', mode: 0o600, content: Buffer.from([0, 1, 2]) },
]
const attachments = attachmentsOf(
  { run: 7, configName: 'x', documents: [], attached: files, manifest: undefined },
  files,
)
const facts = {
  ...{
    oid: 'a'.repeat(24),
    collection: 'SystemLayout',
    entity: 'schema',
    configuration: '7/x',
    version: '7/x',
    run: '7',
  },
  ...{ time: 0, rawdata: ['text utf8 - -\nx'], attachments },
}
const bytesOf = (): Buffer => Buffer.concat([...documentText(printedParts(parseFhicl('a: 1\n')), facts)])

/** What is equal in `toEqual`, which takes minutes for megabytes. */
const expectFiles = (found: readonly { name: string; mode: number; content: Buffer }[]): void => {
  expect(found.map(({ name, mode }) => ({ name, mode }))).toEqual(
    files.map(({ name, mode }) => ({ name, mode })),
  )
  for (const [at, { content }] of files.entries()) expect(found[at]?.content.equals(content)).toBe(true)
}

describe('a file that is kept in several attachments', () => {
  it('comes back byte for byte, with its mode', () => {
    expectFiles(readAttachments(attachments, 'here').attached)
  })

  it('is printed piece by piece just as it would be printed whole', () => {
    const whole = writeJsonBytes(attachments.map(toJson))
    expect(bytesOf().includes(whole)).toBe(true)
    expect(bytesOf().equals(bytesOf())).toBe(true)
    expect(isDeepStrictEqual(attachments.map(toJson).map(toPlain), attachments)).toBe(true)
  })

  it('is read one by one of its document, which can do without them', () => {
    const stored = readStored(bytesOf(), facts.oid, 'schema.json')
    expectFiles(stored.kept.attached)
    const rest = stored.withoutAttachments()
    expect(rest.attachments).toEqual([])
    expect(rest.content).toBe(stored.content)
    expect(rest.bytes.length).toBeLessThan(5000)
  })

  it('is damaged where what stands between two attachments is', () => {
    const bytes = bytesOf()
    bytes.write(';', bytes.indexOf(',\n{\n"type" : "run-archiver file"'))
    expect(() => readStored(bytes, facts.oid, 'schema.json').kept).toThrow(
      expect.objectContaining({ code: 'STORE_CORRUPT' }),
    )
  })
})

describe('the parts of a file', () => {
  it.each([
    ['of the size that is said', 8],
    ['of less', 5],
    ['of more', 99],
    ['of a size that is not known', undefined],
    ['of less than nothing', -5],
    ['of more than there can be', 4e15],
  ])('%s make what they are, whatever was said', (_what, size) => {
    const parts = new PartsOfFile(size, size === 4e15 ? 1e9 : 3)
    for (const text of ['abc', 'def', 'gh']) parts.add(Buffer.from(text))
    expect(parts.whole().toString()).toBe('abcdefgh')
  })
})
