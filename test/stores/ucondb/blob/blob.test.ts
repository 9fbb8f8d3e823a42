import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  blobOf,
  packBlob,
  sameRecord,
  unpackBlob,
  type Section,
} from '../../../../src/stores/ucondb/blob/blob.ts'
import { orderSections } from '../../../../src/stores/ucondb/blob/sections.ts'
import type { StoredRun } from '../../../../src/stores/run-record.ts'
import { ArchiverError } from '../../../../src/errors.ts'
import { convert } from '../../run-records/fhiclize/record.ts'
import { sized } from '../../../sized.ts'

const THEN = Date.UTC(2025, 9, 3, 15, 50)
const LATER = THEN + 60_000
const section = (name: string, content: string | Buffer): Section => ({ name, content: Buffer.from(content) })
const textOf = (run: number, ...sections: Section[]): string => packBlob(run, sections, THEN).toString()

const pieces = fc.array(
  fc.constantFrom('\n#####\n', '#####', ':', '\n', 'x.fcl', 'archiver-sections', '\nEnd of Record\n', 'Run Number: 7\n', 'Packed on Oct 03 15:50 UTC\n', 'Start of Record\n', 'version 1, 1 sections\n', '3 "x"\n', 'é', '\r'), // prettier-ignore
  { maxLength: 9 },
)
const content = fc.oneof(
  pieces.map((parts) => Buffer.from(parts.join(''))),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
)
const name = fc.oneof(
  fc.constantFrom('x.fcl', 'X.fcl', '..', '.', '', '/etc/passwd', '../x', 'a/b', 'a\nb', '#####', 'archiver-sections', 'a:', '\ud800', '\u2028', 'é', 'e\u0301', '\u202e', '\n#####\nx:\n#####\n'), // prettier-ignore
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const sections = fc.array(fc.record({ name, content }), { maxLength: 6 })

describe('a blob of ordinary sections', () => {
  it('is what the original makes, byte for byte', () => {
    expect(textOf(20007, section('tpc01.fcl', 'a: 1\n'), section('boot.fcl', ''))).toBe(
      'Start of Record\nRun Number: 20007\nPacked on Oct 03 15:50 UTC\n\n#####\ntpc01.fcl:\n#####\na: 1\n\n#####\nboot.fcl:\n#####\n\nEnd of Record\nRun Number: 20007\nPacked on Oct 03 15:50 UTC\n', // prettier-ignore
    )
  })
  it('has its sections in the original’s order', () => {
    const names = ['ranks.fcl', 'Zeta.fcl', 'RunHistory2.fcl', 'alpha.fcl', 'boot.fcl', 'schema.fcl', 'RunHistory.fcl', 'Alpha.fcl', 'setup.fcl'] // prettier-ignore
    expect(orderSections(names.map((one) => ({ name: one }))).map((one) => one.name)).toEqual(['Alpha.fcl', 'alpha.fcl', 'schema.fcl', 'Zeta.fcl', 'boot.fcl', 'setup.fcl', 'ranks.fcl', 'RunHistory.fcl', 'RunHistory2.fcl']) // prettier-ignore
  })
})

describe('any sections at all', () => {
  it.each(['a\u2028b', '\u2029', 'a\rb', '\u0085'])('come back under the name %j', (name) => {
    expect(unpackBlob(packBlob(7, [section(name, 'x')], THEN)).sections).toEqual([section(name, 'x')])
  })
  it('come back from their blob: names and bytes, in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 15 - 1 }), sections, (run, made) => {
        const { run: read, sections: unpacked } = unpackBlob(packBlob(run, made, THEN))
        expect(read).toBe(run)
        expect(unpacked.map((one) => one.name)).toEqual(made.map((one) => one.name))
        expect(unpacked.map((one) => one.content.toString('hex'))).toEqual(made.map((one) => one.content.toString('hex'))) // prettier-ignore
      }),
      { numRuns: sized(1000, 5000) },
    )
  })
  it('have markers that are harmless file names, each another, to readers of the original format', () => {
    fc.assert(
      fc.property(sections, (made) => {
        const blob = packBlob(7, made, THEN).toString('latin1')
        const index = blob.indexOf('\narchiver-sections:\n')
        if (index < 0) for (const one of made) expect(one.name).not.toMatch(/^\.{0,2}$|[/\\\p{Cc}]/u)
      }),
      { numRuns: sized(300, 1000) },
    )
  })
})

describe('the index of exact names and lengths', () => {
  it.each([
    ['a name that leads out of the folder', section('../x', '')],
    ['an absolute name', section('/etc/passwd', '')],
    ['a name with a line end', section('a\nb', '')],
    ['a content that holds a marker', section('x.fcl', 'a\n#####\ny.fcl:\n#####\nb')],
    ['a content that ends the record', section('x.fcl', 'a\nEnd of Record\nb')],
    ['its own name', section('archiver-sections', 'a')],
  ])('stands first for %s', (_, one) => {
    const [first, shown] = textOf(7, one).split('\n#####\n').slice(1, 4).join('|').split('|') // prettier-ignore
    expect(first).toBe('archiver-sections:')
    expect(shown).toContain(`version 1, 1 sections\n${one.content.length} ${JSON.stringify(one.name)}\n`)
    expect(textOf(7, one)).not.toMatch(/\n\.\.\/|\n\/etc/)
  })
  it.each([
    ['a line of #####', '#####\nx\n#####\n'],
    ['a marker without a name', 'a\n#####\n:\n#####\n'],
    ['the words in a line', 'x End of Record\n'],
  ])('is not there for %s', (_, text) => {
    expect(textOf(7, section('x.fcl', text), section('y.fcl', text))).not.toContain('archiver-sections')
  })
})

describe('a blob of the original', () => {
  it('is read by its markers, and its last section ends where the record does', () => {
    const frame = 'Run Number: 7\nPacked on Oct 03 15:50 UTC\n'
    const body = '\n#####\na.fcl:\n#####\nx\nEnd of Record\ny'
    const { sections: read } = unpackBlob(
      Buffer.from(`Start of Record\n${frame}${body}\nEnd of Record\n${frame}`),
    )
    expect(read.map((one) => [one.name, one.content.toString()])).toEqual([['a.fcl', 'x\nEnd of Record\ny']])
  })
})

describe('whatever is no whole blob', () => {
  const blob = packBlob(7, [section('x.fcl', 'abc'), section('../y', 'def')], THEN)
  const refused = (bytes: Buffer): void => {
    try {
      unpackBlob(bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(ArchiverError)
      expect((error as ArchiverError).code).toBe('STORE_CORRUPT')
    }
  }
  it('is refused as damaged when it is cut short, at any place', () => {
    for (let length = 0; length < blob.length; length++)
      expect(() => unpackBlob(blob.subarray(0, length))).toThrow(/damaged/)
  })
  it('never ends in any other error, however it was changed', () => {
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.uint8Array({ maxLength: 4 }), fc.nat(4), (at, put, less) =>
        refused(Buffer.concat([blob.subarray(0, at), put, blob.subarray(at + less)])),
      ),
      { numRuns: sized(1000, 5000) },
    )
    fc.assert(fc.property(content, refused))
  })
  it.each([
    [
      'two runs',
      'Start of Record\nRun Number: 7\nPacked on x\n\nEnd of Record\nRun Number: 8\nPacked on x\n',
    ],
    [
      'bytes before the first marker',
      'Start of Record\nRun Number: 7\nPacked on x\nzz\nEnd of Record\nRun Number: 7\nPacked on x\n',
    ],
  ])('is refused for %s', (_, text) => {
    // prettier-ignore
    expect(() => unpackBlob(Buffer.from(text))).toThrow(/damaged/)
  })
})

describe('the same record, packed at another minute', () => {
  const made = [section('x.fcl', 'abc')]
  it('is the same record', () => {
    expect(packBlob(7, made, THEN).equals(packBlob(7, made, LATER))).toBe(false)
    expect(sameRecord(packBlob(7, made, THEN), packBlob(7, made, LATER))).toBe(true)
  })
  it.each([
    ['of another run', packBlob(8, made, THEN)],
    ['with another byte', packBlob(7, [section('x.fcl', 'abd')], THEN)],
    ['with another name', packBlob(7, [section('y.fcl', 'abc')], THEN)],
    ['that is cut short', packBlob(7, made, THEN).subarray(0, -1)],
  ])('is not the same %s', (_, other) => {
    expect(sameRecord(packBlob(7, made, THEN), other)).toBe(false)
    expect(sameRecord(other, packBlob(7, made, THEN))).toBe(false)
  })
  it('is not fooled by a time of packing in a content', () => {
    const other = (time: string) => packBlob(7, [section('x', `Packed on ${time}\n`)], THEN)
    expect(sameRecord(other('a'), other('b'))).toBe(false)
  })
})

describe('the blob of a run', () => {
  const stored = (files: Record<string, string | Buffer>): StoredRun => {
    const converted = convert(files)
    const documents = converted.documents.map((one) => ({ ...one, canonical: () => `\n${one.fhicl}` }))
    return { ...converted, documents, update: 0 }
  }
  const names = (blob: Buffer): string[] => unpackBlob(blob).sections.map((one) => one.name)
  const options = { content: 'original', otherFiles: true } as const

  it('loses nothing to letter case or folders', () => {
    const run = stored({
      'a/x.fcl': '1',
      'b/x.fcl': '2',
      'X.fcl': '3',
      'x.fcl': '4',
      'n.txt': '5',
      'a/n.txt': '6',
    })
    expect(names(blobOf(run, options, THEN))).toEqual(['a.x.fcl', 'b.x.fcl', 'schema.fcl', 'X.fcl', 'x.fcl', 'a/n.txt', 'n.txt']) // prettier-ignore
  })
  it('has the bytes of a file that is not UTF-8, and its line ends', () => {
    const bytes = Buffer.from('t: "20\xb0C"\r\n', 'latin1')
    const { sections: read } = unpackBlob(blobOf(stored({ 'x.fcl': bytes }), options, THEN))
    expect(read.find((one) => one.name === 'x.fcl')?.content.equals(bytes)).toBe(true)
  })
  it('is bytes, not text in somebody’s guess of an encoding', () => {
    const blob = blobOf(stored({ 'x.fcl': 'a: "éΩ"\n' }), options, THEN)
    expect(blob.includes(Buffer.from('éΩ', 'utf8'))).toBe(true)
  })
  it('has rc_info and other files behind the documents, or leaves them out where that is asked for', () => {
    const run = stored({ 'rc_info_stop.txt': 'x', 'boot.txt': 'a: 1', 'schema.fcl': 'own: 1' })
    expect(names(blobOf(run, options, THEN))).toEqual(['schema.fcl', 'boot.fcl', 'rc_info_stop.txt', 'schema.fcl.original']) // prettier-ignore
    expect(names(blobOf(run, { ...options, otherFiles: false }, THEN))).toEqual(['schema.fcl', 'boot.fcl'])
  })
  it('has what artdaq’s export gives, where that is asked for', () => {
    const blob = blobOf(stored({ 'x.fcl': 'a: 1' }), { ...options, content: 'canonical' }, THEN)
    expect(blob.toString()).toContain('#####\nx.fcl:\n#####\n\na: 1\nEnd of Record')
  })
  it('never names a section so that it would be written outside of a folder', () => {
    const run = stored({ '../../x.fcl': 'a: 1', 'd/..%2F/etc': 'y' })
    expect(blobOf(run, options, THEN).toString()).not.toMatch(/#####\n[^\n]*\/[^\n]*:\n#####/)
  })
})
