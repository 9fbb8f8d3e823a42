import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { restoreFiles } from '../../../../src/stores/run-records/fhiclize/restore-originals.ts'
import { toDocuments } from '../../../../src/stores/run-records/fhiclize/fhiclize.ts'
import { isFhicl } from '../../../../src/fhicl/try-parse.ts'
import { ArchiverError } from '../../../../src/errors.ts'
import { isSafeName } from '../../../../src/stores/artdaqdb/names.ts'
import { ALL, convert, options, recordOf, sha256 } from './record.ts'
import { sized } from '../../../sized.ts'

const TEXTS = ALL.slice(0, 7).map((name) => `${name}.txt`)
const line = fc.oneof(
  fc.constantFrom('Config name: a b', 'Component #0: x', 'boardreader logfiles: ', 'h:/log/a "b".log', 'DAQInterface stop time: now', 'Subsystem id: 1', 'Subsystem source: 2', 'EventBuilder label: E"1', 'EventBuilder prepend: "x', 'export A="\\', 'key (s): [a, "b', 'x: [1] # y', 'det commit/version: "v', '"11:00" "v2"', '', '# é', 'a b c d e', 'a-b c', '"'), // prettier-ignore
  fc.string({ unit: fc.constantFrom(...'ab:#"\'\\[],= -_.()/@{}09\t\f\x85\x1c\u2028\u3000é🚀\0'.split('')) }),
)
const content = fc.oneof(
  { weight: 4, arbitrary: fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(lines.join('\n'))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
)
const name = fc.oneof(
  fc.constantFrom(...TEXTS, 'schema.fcl', 'boot.fcl', 'RunHistory.fcl', 'a.fcl', 'A.fcl', 'd/a.fcl', 'd.a.fcl', 'd/boot.txt', 'rc_info_stop.txt', '.fcl', 'x'), // prettier-ignore
  fc.string({ minLength: 1, maxLength: 6 }).map((text) => `${text}.fcl`),
)
const files = fc.dictionary(name, content, { maxKeys: 12, noNullPrototype: true })
const record = fc
  .tuple(files, fc.constantFrom(0o444, 0o4755), fc.boolean())
  .map(([contents, mode, folder]) => {
    const made = recordOf(contents)
    const [first, ...rest] = made.files
    const folders = folder ? [{ name: 'd', mode: 0o500 }] : []
    return { ...made, folders, files: first ? [{ ...first, mode }, ...rest] : [] }
  })

describe('any run record at all', () => {
  it('comes back from its documents: names, folders, modes and bytes', () => {
    fc.assert(
      fc.property(record, (made) => {
        const restored = restoreFiles(toDocuments(made, options), sha256)
        expect(restored).toEqual({ files: made.files, folders: made.folders })
      }),
      { numRuns: sized(100, 400) },
    )
  })
  it('becomes documents that artdaq takes, each with a name of its own', () => {
    fc.assert(
      fc.property(record, (made) => {
        const { documents, configName } = toDocuments(made, options)
        for (const { fhicl } of documents) expect([fhicl, isFhicl(fhicl)]).toEqual([fhicl, true])
        const entities = documents.map(({ entity }) => entity)
        expect(new Set(entities).size).toBe(entities.length)
        expect([...entities, configName].filter((one) => !isSafeName(one))).toEqual([])
      }),
      { numRuns: sized(100, 400) },
    )
  })
  it('has names that artdaq’s tools take, whatever files, folders and configuration are called', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'b', '.', '+', '-', '_', ' ', 'é'),
      minLength: 1,
      maxLength: 5,
    })
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('/')}.fcl`)
    fc.assert(
      fc.property(fc.array(path, { maxLength: 8 }), part, (paths, name) => {
        const contents = Object.fromEntries(paths.map((one) => [one, 'a: 1\n']))
        const made = convert({ ...contents, 'metadata.txt': `Config name: ${name}\n` })
        const names = made.documents.map(({ entity }) => entity)
        expect([...names, made.configName].filter((one) => !isSafeName(one))).toEqual([])
        expect(new Set(names).size).toBe(names.length)
      }),
      { numRuns: sized(500, 2000) },
    )
  })
  it('has every text converted, none given up for an empty table, unless there is nothing in it', () => {
    const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'))
    fc.assert(
      fc.property(fc.constantFrom(...TEXTS), text, (file, made) => {
        const document = convert({ [file]: made }).documents[0]!
        if (document.text.length > 0) expect([document.text.toString(), document.fhicl.endsWith(': {}\n')]).toEqual([document.text.toString(), false]) // prettier-ignore
      }),
      { numRuns: sized(500, 2000) },
    )
  })
})

describe('documents of which a file is missing or another', () => {
  const documents = convert({ 'a.fcl': 'a: 1\n', README: 'x' })
  it.each([
    { what: 'missing', broken: { ...documents, attached: [] } },
    {
      what: 'shorter',
      broken: { ...documents, attached: [{ name: 'README', mode: 0o444, content: Buffer.alloc(0) }] },
    },
    {
      what: 'other',
      broken: { ...documents, attached: [{ name: 'README', mode: 0o444, content: Buffer.from('y') }] },
    },
  ])('are not restored: $what', ({ broken }) => {
    expect(() => restoreFiles(broken, sha256)).toThrow(ArchiverError)
    expect(() => restoreFiles(broken, sha256)).toThrow(/run 20007: README/)
  })
  it('are restored by their documents where another program stored them', () => {
    const { files } = restoreFiles({ ...documents, manifest: undefined })
    expect(files.map(({ name }) => name)).toEqual(['a.fcl', 'schema.fcl'])
  })
})
