import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FORMATS, formatOf, linesOf, rowsOf } from '../../../src/rows/archive-files/row-lines.ts'

const value = fc.option(
  fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', '"', '""', '\r\n', '\n', '\r', ',', '\u2028', '\0', '﻿', '\\N', 'null', ' a '),
  ),
)
const names = fc.uniqueArray(
  fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constantFrom('1', '0', '__proto__', 'a,b', '"')),
  { minLength: 1, maxLength: 5 },
)
const table = names.chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    rows: fc.array(
      fc
        .tuple(...columns.map(() => value))
        .map((cells) => Object.fromEntries(columns.map((name, at) => [name, cells[at] ?? null]))),
      { minLength: 1, maxLength: 5 },
    ),
  }),
)

describe.each(FORMATS)('rows as %s', (format) => {
  it('come back as they were, whatever is in them', () => {
    fc.assert(
      fc.property(table, ({ columns, rows }) => {
        expect(rowsOf(format, linesOf(format, columns, rows))).toEqual(rows)
      }),
    )
  })

  it('have their columns in the order that is given', () => {
    const text = linesOf(format, ['b', '2', '1'], [{ '1': 'x', '2': null, b: '' }]).toString()
    expect(text).toBe(format === 'csv' ? '"b","2","1"\n"",,"x"\n' : '{"b":"","2":null,"1":"x"}\n')
  })

  it.each(['{"a":1}\n', '[]\n', 'x"y\n"', '{"a"'])('are refused in what is no archive file: %j', (text) => {
    if (format === 'csv' && !text.startsWith('x')) return // CSV takes any line for names of columns
    expect(() => rowsOf(format, Buffer.from(text))).toThrow()
  })
})

it('has its format in the name of a file', () => {
  expect([formatOf('1-a/2-3-ff.csv'), formatOf('1-a/2-3-ff.jsonl')]).toEqual(['csv', 'jsonl'])
})
