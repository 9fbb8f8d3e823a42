import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
      records.push(...recordsOf(block))
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    return records
  } catch (error) {
    if (error instanceof Error && error.name === 'AssertionError') throw error
    return 'error'
  } finally {
    await handle.close()
  }
}

const theirs = (bytes: Buffer): CsvRecord[] | 'error' => {
  try {
    const records = parse(bytes, OPTIONS) as unknown as { record: string[]; info: { lines: number } }[]
    return records.map(({ record, info }) => ({ line: info.lines, fields: record }))
  } catch {
    return 'error'
  }
}

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('1', '22', '333', 'a b', '-5', 'é', '\u00a0', '') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('"q"', '"a,b"', '"a\nb"', '"x""y"', 'm"n', '"open', '\f7 ', '\ufeff'),
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
        expect(await ours(bytes)).toEqual(theirs(bytes))
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

  it('are refused where a line is longer than a megabyte', async () => {
    expect(await ours(Buffer.from(`1\n${'2'.repeat(1_200_000)}\n3\n`))).toBe('error')
  })
})
