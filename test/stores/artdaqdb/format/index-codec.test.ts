import { constants } from 'node:buffer'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { IndexFacts } from '../../../../src/stores/store.ts'
import { CollectionIndex } from '../../../../src/stores/artdaqdb/format/search-index.ts'
import { parseIndex } from '../../../../src/stores/artdaqdb/format/index-codec.ts'
import { indexText } from '../../../../src/stores/artdaqdb/format/index-text.ts'
import { golden, hasGolden } from '../golden.ts'

const textOf = (index: CollectionIndex): string => Buffer.concat([...indexText(index)]).toString('utf8')

const facts = (oid: string, run: string, entity: string): IndexFacts => ({
  oid,
  version: `${run}/standard00001`,
  configurations: [
    { name: `${run}/standard00001`, assigned: `2026-11-21T15:28:41.35${oid.at(-1) ?? '0'}-0600` },
  ],
  entities: [entity],
  aliases: [],
  runs: [run],
})

describe('an index without documents', () => {
  const oneLine =
    '{"ouid":[], "version":{},"configurations.name":{}, "entities.name":{},"aliases.active.name":{}, "runs.name":{},"configurations.assigned":{} }'

  it('is read from the one line that artdaq makes of it, and written in its usual layout', () => {
    const index = parseIndex(Buffer.from(oneLine), 'index.json')
    expect(index.ouid.size).toBe(0)
    expect(textOf(index).startsWith('{\n"ouid" : [\n\n],\n"version" : {\n\n},\n')).toBe(true)
    expect(textOf(parseIndex(Buffer.from(textOf(index)), 'index.json'))).toBe(textOf(index))
  })
})

describe('adding documents to an index', () => {
  it('keeps lists sorted and single, and names in the order in which they came, numbers too', () => {
    const index = CollectionIndex.EMPTY.plus([facts('b2', '20', 'boot'), facts('a1', '3', 'boot')])
      .plus([facts('a1', '3', 'boot')])
      .plus([facts('a0', '100', 'metadata')])
    expect(index.ouid.items).toEqual(['a0', 'a1', 'b2'])
    expect([...index.section('runs.name').keys()]).toEqual(['20', '3', '100'])
    expect(index.list('entities.name', 'boot').items).toEqual(['a1', 'b2'])
    expect([
      ...parseIndex(Buffer.from(textOf(index)), '')
        .section('runs.name')
        .keys(),
    ]).toEqual(['20', '3', '100'])
  })

  it('leaves the index that it was made from as it was', () => {
    const before = CollectionIndex.EMPTY.plus([facts('b2', '20', 'boot')])
    before.plus([facts('a1', '20', 'metadata')])
    expect(before.ouid.items).toEqual(['b2'])
    expect(before.list('runs.name', '20').items).toEqual(['b2'])
  })

  it('gives the same index in one batch and one by one', () => {
    const document = fc
      .tuple(
        fc.integer({ min: 0, max: 15 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('boot', 'metadata', 'x'),
      )
      .map(([digit, run, entity]) => facts(`${digit.toString(16)}0`, String(run), entity))
    fc.assert(
      fc.property(fc.array(document, { maxLength: 30 }), (documents) => {
        const oneByOne = documents.reduce((index, one) => index.plus([one]), CollectionIndex.EMPTY)
        expect(textOf(CollectionIndex.EMPTY.plus(documents))).toBe(textOf(oneByOne))
      }),
    )
  })
})

describe('documents that are taken out of an index', () => {
  it('leave the index that the others make', () => {
    const document = fc
      .tuple(fc.nat(99), fc.integer({ min: 1, max: 12 }), fc.constantFrom('boot', 'metadata', 'x'))
      .map(([number, run, entity]) => facts(`oid${number}0`, String(run), entity))
    const documents = fc.uniqueArray(document, { maxLength: 30, selector: ({ oid }) => oid })
    fc.assert(
      fc.property(documents, fc.func(fc.boolean()), (all, isTaken) => {
        const taken = all.filter(({ oid }) => isTaken(oid))
        const rest = all.filter(({ oid }) => !isTaken(oid))
        const left = CollectionIndex.EMPTY.plus(all).minus(new Set(taken.map(({ oid }) => oid)))
        expect(JSON.parse(textOf(left))).toEqual(JSON.parse(textOf(CollectionIndex.EMPTY.plus(rest))))
      }),
    )
  })
})

describe('an index in a layout that artdaq does not write', () => {
  it.each([
    ['pretty-printed', (value: unknown) => `${JSON.stringify(value, null, 2)}\n`],
    ['minified', (value: unknown) => JSON.stringify(value)],
  ])('is read all the same when it is %s', (_, print) => {
    const index = CollectionIndex.EMPTY.plus(
      [facts('b2', '20', 'boot'), facts('a1', '3', 'bo"ot')].slice(0, 1),
    )
    const loose = parseIndex(Buffer.from(print(JSON.parse(textOf(index)))), 'index.json')
    expect(textOf(loose)).toBe(textOf(index))
  })
})

describe('a damaged index', () => {
  const whole = Buffer.from(
    textOf(CollectionIndex.EMPTY.plus([facts('b2', '20', 'boot'), facts('a1', '3', 'metadata')])),
  )

  it('is refused wherever it is cut, by name', () => {
    for (let length = 0; length < whole.length; length++)
      expect(() => parseIndex(whole.subarray(0, length), '/db/RunHistory/index.json')).toThrow(
        expect.objectContaining({
          code: 'STORE_CORRUPT',
          message: expect.stringContaining('/db/RunHistory/index.json') as string,
        }) as Error,
      )
  })

  it.each([
    ['zeros', Buffer.alloc(whole.length)],
    ['a block of zeros in it', Buffer.concat([whole.subarray(0, 60), Buffer.alloc(16), whole.subarray(76)])],
    ['a section that is none', Buffer.from(whole.toString().replace('"runs.name"', '"runs.nome"'))],
    ['a list of numbers', Buffer.from(whole.toString().replace('"b2"', '2'))],
  ])('is refused with %s', (_, bytes) => {
    expect(() => parseIndex(bytes, 'index.json')).toThrow(
      expect.objectContaining({ code: 'STORE_CORRUPT' }) as Error,
    )
  })
  it('is refused so where it is larger than any string may be, too', () => {
    // Of zeros, which take no memory before somebody looks at them.
    expect(() => parseIndex(Buffer.alloc(constants.MAX_STRING_LENGTH + 1), 'index.json')).toThrow(
      expect.objectContaining({ code: 'STORE_CORRUPT' }) as Error,
    )
  })
})

describe.skipIf(!hasGolden)("artdaq's own indexes", () => {
  // Looked for in the test: the body of a group that is skipped runs all the same.
  it.each(['main', 'dup', 'faketime', 'mutated', 'damaged'])('are written back byte for byte: %s', (name) => {
    const collections = readdirSync(join(golden, name, 'db')).filter((name) => name !== 'SystemMetadata')
    expect(collections).not.toEqual([])
    for (const collection of collections) {
      const path = join(name, 'db', collection, 'index.json')
      const bytes = readFileSync(join(golden, path))
      const index = parseIndex(bytes, path)
      expect(textOf(index), path).toBe(bytes.toString('utf8'))
      // Also after every list was taken apart and put together again.
      for (const [, list] of index.section('entities.name')) expect(list.items.length).toBeGreaterThan(0)
      expect(textOf(index.plus([])), path).toBe(bytes.toString('utf8'))
    }
  })
})
