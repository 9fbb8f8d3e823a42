import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EMPTY_TEXT } from '../../src/rows/csv-fields.ts'
import { csvBlocks, type CsvRecord, recordsOf } from '../../src/rows/csv-records.ts'
import { sized } from '../sized.ts'

const OPTIONS = {
  bom: true,
  trim: true,
  info: true,
  relax_column_count: true,
  skip_empty_lines: true,
  skip_records_with_empty_values: true,
} as const

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'archiver-csv-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ours = async (bytes: Buffer): Promise<CsvRecord[] | 'error'> => {
  const path = join(folder, 'ids.csv')
  writeFileSync(path, bytes)
  const handle = await open(path)
  const hash = createHash('sha256')
  const records: CsvRecord[] = []
  try {
    for await (const block of csvBlocks(handle, (chunk) => void hash.update(chunk)))
      // csv-parse does not say whether an empty field had quotes.
      for (const { line, fields } of recordsOf(block))
        records.push({ line, fields: fields.map((field) => (field === EMPTY_TEXT ? '' : field)) })
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    return records
  } catch (error) {
    if (error instanceof Error && error.name === 'AssertionError') throw error
    return 'error'
  } finally {
    await handle.close()
  }
}

/** Blanks that csv-parse would trim and that are part of a field, and letters that stand for them meanwhile. */
const BLANKS = ['\u00a0', '\f', '\v', '\u2003', '\u3000', '\ufeff']
const letterOf = (blank: string): string => String.fromCharCode(0xe000 + BLANKS.indexOf(blank))
const asLetters = (text: string): string =>
  text.replace(/(?!^\ufeff)[\u00a0\f\v\u2003\u3000\ufeff]/g, (blank) => letterOf(blank))
const asBlanks = (text: string): string =>
  text.replace(/[\ue000-\ue005]/g, (letter) => BLANKS[letter.charCodeAt(0) - 0xe000] ?? letter)

const theirs = (bytes: Buffer): CsvRecord[] | 'error' => {
  try {
    const isText = !bytes.subarray(0, 2).equals(Buffer.from([0xff, 0xfe]))
    const input = isText && isUtf8(bytes) ? Buffer.from(asLetters(bytes.toString())) : bytes
    const records = parse(input, OPTIONS) as unknown as { record: string[]; info: { lines: number } }[]
    return records.map(({ record, info }) => ({ line: info.lines, fields: record.map(asBlanks) }))
  } catch {
    return 'error'
  }
}

const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('1', '22', '333', 'a b', '-5', 'é', '\u00a0', '\u00a07', '7\u2003', ''),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '"q"',
      '"a,b"',
      '"a\nb"',
      '"x""y"',
      'm"n',
      '"open',
      '\f7 ',
      '\ufeff',
      '"\u00a0q"',
      '8\v',
      '\u3000',
    ),
  },
)
const lineEnd = (main: string) =>
  fc.oneof(
    { weight: 30, arbitrary: fc.constant(main) },
    { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n', '\r') },
  )
const text = fc
  .constantFrom('\n', '\r\n', '\r')
  .chain((main) =>
    fc.array(fc.tuple(fc.array(piece, { maxLength: 3 }), fc.constantFrom('', '', ' ', '\t'), lineEnd(main)), {
      maxLength: 30,
    }),
  )
  .map((lines) => lines.map(([fields, blank, end]) => `${blank}${fields.join(',')}${blank}${end}`).join(''))
const file = fc
  .tuple(fc.constantFrom('', '', '', '\ufeff'), text, fc.constantFrom('', '9', '9,8'))
  .map((parts) => Buffer.from(parts.join('')))

describe('the records of a file', () => {
  it('are those of csv-parse, with their lines, whatever quotes and line ends it has', async () => {
    await fc.assert(
      fc.asyncProperty(file, async (bytes) => {
        const records = await ours(bytes)
        // Blanks alone in the last line, without its end, may be refused where csv-parse reads.
        if (records !== 'error' || !/(?:^|[\r\n])\s+$/.test(bytes.toString()))
          expect(records).toEqual(theirs(bytes))
      }),
      { numRuns: Number(process.env['ARCHIVER_CSV_FILES'] ?? sized(100, 300)) },
    )
  }, 3_600_000)

  it.each([
    { what: 'plain', odd: '' },
    { what: 'CRLF', odd: '', end: '\r\n' },
    { what: 'quoted in the middle', odd: '"1,2"' },
    { what: 'with a stray carriage return in the middle', odd: '5\r6' },
    { what: 'with a lone line feed in the middle', odd: '5\n6', end: '\r\n' },
    { what: 'not UTF-8 in the middle', odd: '\u00e9', encoding: 'latin1' as const },
  ])(
    'of many chunks are those of csv-parse where they are $what',
    async ({ odd, end = '\n', encoding = 'utf8' as const }) => {
      const many = Array.from({ length: sized(12_000, 40_000) }, (_, at) => `${at * 7919},row é ${at}`)
      many.splice(many.length / 2, 0, odd)
      const bytes = Buffer.from(many.join(end), encoding as BufferEncoding)
      expect(await ours(bytes)).toEqual(theirs(bytes))
    },
  )

  it('are those of csv-parse in UTF-16 and in an empty file', async () => {
    for (const bytes of [Buffer.from('\ufeff1\n2\n', 'utf16le'), Buffer.alloc(0), Buffer.from('7')])
      expect(await ours(bytes)).toEqual(theirs(bytes))
  })

  it.each([
    { what: 'without quotes', text: ' \t\u00a0x\u00a0\t \n', fields: ['\u00a0x\u00a0'] },
    { what: 'between quotes', text: '"q" , "\u00a0x " \n', fields: ['q', '\u00a0x '] },
    {
      what: 'beside quotes in the same line',
      text: '"q","a""b",\u00a0x\u2003 \n',
      fields: ['q', 'a"b', '\u00a0x\u2003'],
    },
    { what: 'alone', text: '1\n\u00a0\n', fields: ['\u00a0'] },
    { what: 'alone, after quotes', text: '"1"\n \u00a0\n', fields: ['\u00a0'] },
    { what: 'with quotes before the next line', text: '1\n"2"\n\u00a0x\n', fields: ['\u00a0x'] },
  ])('keep a blank that is neither a space nor a tab: $what', async ({ text, fields }) => {
    expect(((await ours(Buffer.from(text))) as CsvRecord[]).at(-1)?.fields).toEqual(fields)
  })

  it.each(['\u00a0"x"\n', '"x"\u00a0\n', '"1"\n\u2003"x",2\n'])(
    'are refused where such a blank stands beside quotes: %j',
    async (text) => {
      expect(await ours(Buffer.from(text))).toBe('error')
    },
  )

  it('are refused where a line is longer than a megabyte', async () => {
    expect(await ours(Buffer.from(`1\n${'2'.repeat(1_200_000)}\n3\n`))).toBe('error')
  })
})
