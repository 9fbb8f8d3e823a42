import { describe, expect, it } from 'vitest'
import { valueOf } from './plan-of.ts'

const ofAttribute = (column: string, value: string): Promise<unknown> =>
  valueOf(`{ from: /r/@v, ${column} }`, `<r id="7" v="${value}"/>`)
const BAD = 'VALUE_NOT_VALID'
const RANGE = 'VALUE_OUT_OF_RANGE'

describe('a number', () => {
  it.each<[string, string, unknown]>([
    ['type: integer', '+5', 5],
    ['type: integer', '-0', 0],
    ['type: integer', '007', 7],
    ['type: integer', '  ', null],
    ['type: integer', '- 5', BAD],
    ['type: integer', '--5', BAD],
    ['type: integer', '1e3', BAD],
    ['type: integer', '0x1F', BAD],
    ['type: integer', '1_000', BAD],
    ['type: integer', '5.', BAD],
    ['type: integer', '５', BAD],
    ['type: integer', '−5', BAD],
    ['type: integer', '2147483647', 2_147_483_647],
    ['type: integer', '2147483648', RANGE],
    ['type: integer', '-2147483649', RANGE],
    ['type: smallint', '-32768', -32_768],
    ['type: tinyint', '255', 255],
    ['type: tinyint', '-1', RANGE],
    ['type: bigint', '9223372036854775807', '9223372036854775807'],
    ['type: bigint', '-9223372036854775808', '-9223372036854775808'],
    ['type: bigint', '9223372036854775808', RANGE],
    ['type: bigint', '9007199254740991', 9_007_199_254_740_991],
    ['type: bigint', '9007199254740992', '9007199254740992'],
    ['type: integer, round: half_up', '-36.5', -37],
    ['type: integer, round: half_up', '.45', 0],
    ['type: integer, round: half_up', '2147483647.5', RANGE],
    ['type: integer, round: half_up', '1,5', BAD],
    ['type: decimal, precision: 9, scale: 2', '-.5', '-0.50'],
    ['type: decimal, precision: 9, scale: 2', '-0.00', '0.00'],
    ['type: decimal, precision: 9, scale: 2', '1.500', '1.50'],
    ['type: decimal, precision: 9, scale: 2', '1.505', BAD],
    ['type: decimal, precision: 9, scale: 2, round: half_up', '1.505', '1.51'],
    ['type: decimal, precision: 9, scale: 2, round: half_up', '-1.505', '-1.51'],
    ['type: decimal, precision: 4, scale: 2, round: half_up', '99.995', RANGE],
    ['type: decimal, precision: 9, scale: 2', '12345678.00', RANGE],
    ['type: decimal, precision: 9, scale: 2', '0000001234567.00', '1234567.00'],
    ['type: decimal, precision: 9, scale: 2', '1e3', BAD],
    ['type: decimal, precision: 9, scale: 2', 'Infinity', BAD],
    ['type: decimal, precision: 9, scale: 2', '.', BAD],
    ['type: decimal, precision: 9, scale: 2', '1.2.3', BAD],
    ['type: decimal, precision: 5, scale: 0', '123', '123'],
    [
      'type: decimal, precision: 38, scale: 10',
      '1234567890123456789012345678.0123456789',
      '1234567890123456789012345678.0123456789',
    ],
    ['type: float', '1e3', 1000],
    ['type: float', '-2.5E-1', -0.25],
    ['type: float', '1e999', RANGE],
    ['type: float', 'NaN', BAD],
    ['type: decimal, precision: 12, scale: 2, strip: "$", grouping: ","', '-$1,234,567.80', '-1234567.80'],
    ['type: decimal, precision: 12, scale: 2, strip: "$", grouping: ","', '$12,34', BAD],
    ['type: decimal, precision: 12, scale: 2, strip: "$", grouping: ","', '1234,567', BAD],
    ['type: decimal, precision: 12, scale: 4, grouping: ","', '1.234,5', BAD],
    ['type: decimal, precision: 12, scale: 4, grouping: ","', '1,234.5,6', BAD],
    ['type: integer, grouping: "."', '1.234.567', 1_234_567],
    ['type: integer, grouping: "."', '12.34', BAD],
    ['type: integer, grouping: " "', '12 345', 12_345],
    ['type: decimal, precision: 12, scale: 2, strip: "€ "', '€ 5', '5.00'],
    ['type: decimal, precision: 12, scale: 2, strip: "$"', '(5)', BAD],
    ['type: integer, digits: true', '(055) 010', 55_010],
    ['type: text, digits: true', 'none', null],
    ['type: text, length: 3, digits: true', '12-34', 'VALUE_TOO_LONG'],
  ])('of %s is %s: %s', async (column, text, expected) => {
    expect(await ofAttribute(column, text)).toEqual(expected)
  })
  it('that may be bad is null or its default, with a warning', async () => {
    expect(await ofAttribute('type: integer, on_bad: null', 'x')).toBe(null)
    expect(await ofAttribute('type: integer, on_bad: default, default: 3', 'x')).toBe(3)
    expect(await ofAttribute('type: integer, on_bad: null, required: true', 'x')).toBe(BAD)
  })
})

describe('a date or a moment', () => {
  it.each<[string, string, unknown]>([
    ['type: date', '2024-02-29', '2024-02-29'],
    ['type: date', '2023-02-29', BAD],
    ['type: date', '1900-02-29', BAD],
    ['type: date', '2000-02-29', '2000-02-29'],
    ['type: date', '2024-2-9', BAD],
    ['type: date', '2024-00-10', BAD],
    ['type: date', '2024-13-10', BAD],
    ['type: date', '0000-01-01', BAD],
    ['type: date', '9999-12-31', '9999-12-31'],
    ['type: date', '2024-01-01T10:00:00', BAD],
    ['type: date', '20240101', BAD],
    ['type: date', '0000-00-00', BAD],
    ['type: date, formats: ["YYYYMMDD"]', '20240229', '2024-02-29'],
    ['type: date, formats: ["D.M.YYYY"]', '1.12.2024', '2024-12-01'],
    ['type: date, formats: ["DD MMM YYYY"]', '09 feb 2024', '2024-02-09'],
    ['type: date, formats: ["DD MMM YYYY"]', '09 Foo 2024', BAD],
    ['type: date, formats: ["DD/MM/YYYY", "YYYY-MM-DD"]', '2024-02-03', '2024-02-03'],
    ['type: date, formats: ["DD/MM/YYYY"]', '3/2/2024', BAD],
    ['type: date, formats: ["M/D/YYYY"]', '2/30/2024', BAD],
    ['type: datetime', '2024-08-08', '2024-08-08 00:00:00'],
    ['type: datetime', '2024-08-08T08:08', '2024-08-08 08:08:00'],
    ['type: datetime', '2024-08-08 23:59:60', BAD],
    ['type: datetime', '2024-08-08 24:00:00', BAD],
    ['type: datetime', '2024-08-08 08:60:00', BAD],
    ['type: datetime', '2024-08-08 08:08:08Z', '2024-08-08 08:08:08'],
    ['type: datetime', '2024-02-28T23:30:00-01:00', '2024-02-29 00:30:00'],
    ['type: datetime', '2024-03-01T00:30:00+0100', '2024-02-29 23:30:00'],
    ['type: datetime', '2024-03-01T00:30:00+01', '2024-02-29 23:30:00'],
    ['type: datetime', '2024-03-01T00:30:00+05:45', '2024-02-29 18:45:00'],
    ['type: datetime', '2024-03-01T00:30:00+15:00', BAD],
    ['type: datetime', '2024-03-01T00:30:00 CET', BAD],
    ['type: datetime', '9999-12-31T23:30:00-01:00', BAD],
    ['type: datetime', '0001-01-01T00:30:00+01:00', BAD],
    ['type: datetime, scale: 3', '2024-01-01 00:00:00', '2024-01-01 00:00:00.000'],
    ['type: datetime, scale: 3', '2024-01-01 00:00:00.1234', BAD],
    ['type: datetime, scale: 3', '2024-01-01 00:00:00.1230', '2024-01-01 00:00:00.123'],
    ['type: datetime, scale: 3, round: half_up', '2024-12-31 23:59:59.9996', '2025-01-01 00:00:00.000'],
    ['type: datetime, scale: 0', '2024-01-01 00:00:00.5', BAD],
    ['type: datetime, scale: 0, round: half_up', '2024-01-01 00:00:00.5', '2024-01-01 00:00:01'],
    ['type: datetime', '2024-01-01 00:00:00.1234567', BAD],
    ['type: datetime, formats: ["M/D/YYYY h:mm:ss A"]', '1/2/2024 12:05:00 am', '2024-01-02 00:05:00'],
    ['type: datetime, formats: ["M/D/YYYY h:mm A"]', '1/2/2024 12:05 PM', '2024-01-02 12:05:00'],
    ['type: datetime, formats: ["M/D/YYYY h:mm A"]', '1/2/2024 13:05 PM', BAD],
    ['type: datetime, formats: ["YYYY-MM-DD HH:mm:ss"]', '2024-01-02T03:04:05', BAD],
    ['type: datetime, formats: ["YYYY-MM-DD HH:mm:ssZ"]', '2024-01-02 03:04:05+02:00', '2024-01-02 01:04:05'],
    ['type: datetime, formats: ["M/D/YYYY"], default: "2000-01-01"', '', '2000-01-01 00:00:00'],
  ])('of %s is %s: %s', async (column, text, expected) => {
    expect(await ofAttribute(column, text)).toEqual(expected)
  })
})

describe('a text', () => {
  it.each<[string, string, unknown]>([
    ['type: text, length: 2', '🙂🙂', '🙂🙂'],
    ['type: text, length: 2, on_long: cut', '🙂🙂🙂', '🙂🙂'],
    ['type: text, length: 5', ' abcde ', 'abcde'],
    ['type: text, trim: false', ' a ', ' a '],
    ['type: text, trim: false, length: 2', ' a ', 'VALUE_TOO_LONG'],
    ['type: text', '&#160;a', '\u00a0a'],
    ['type: text, required: true', '', 'REQUIRED_MISSING'],
    ['type: text, required: true, default: 0123', '', '0123'],
    ['type: text, default: ""', '', null],
    ['type: text, strip: "-"', '-', null],
    ['type: json', '{"a":[1]}', null],
  ])('of %s is %s: %s', async (column, text, expected) => {
    const written = text.replaceAll('"', '&quot;')
    expect(await ofAttribute(column, written)).toEqual(column === 'type: json' ? '{"a":[1]}' : expected)
  })
  it('that is a word for nothing is nothing, in conditions too', async () => {
    const words = 'null_words: [null, "none"]'
    expect(await valueOf('{ from: /r/@v, type: text }', '<r id="7" v=" none "/>', words)).toBe(null)
    expect(await valueOf('{ from: /r/@v, type: text }', '<r id="7" v="None"/>', words)).toBe('None')
    expect(
      await valueOf(
        `{ expr: "CASE WHEN r.v IS NULL THEN 'nothing' ELSE r.v END", type: text }`,
        '<r id="7" v="null"/>',
        words,
      ),
    ).toBe('nothing')
  })
})

describe('a code', () => {
  const enums =
    'enums: { s: { NEW: 1, paid: 2 }, blank: { A: 1, "": 9 }, loose: { ignore_case: true, values: { New: 1, NEW: 2, "": 0 } }, words: { X: "ex", Y: "" }, numbers: { 01: 10, 1: 11 } }\nbits: { yn: { Y: 1, N: 0 } }'
  it.each<[string, string, unknown]>([
    ['enum: s', 'new', 'ENUM_UNKNOWN'],
    ['enum: s', ' NEW ', 1],
    ['enum: s', '', null],
    ['enum: s, required: true', '', 'REQUIRED_MISSING'],
    ['enum: s, default: 2', '', 2],
    ['enum: s, on_unknown: null', 'LOST', null],
    ['enum: s, on_unknown: default, default: 7', 'LOST', 7],
    ['enum: s, on_unknown: null, required: true', 'LOST', 'REQUIRED_MISSING'],
    ['enum: blank', '', 9],
    ['enum: blank', 'B', 'ENUM_UNKNOWN'],
    ['enum: loose', 'new', 1],
    ['enum: loose', 'NEW', 2],
    ['enum: loose', 'nEW', 1],
    ['enum: words, type: text', 'X', 'ex'],
    ['enum: words, type: text', 'Y', null],
    ['enum: words, type: text, required: true', 'Y', 'REQUIRED_MISSING'],
    ['enum: numbers', '01', 10],
    ['enum: numbers', '1', 11],
    ['enum: s', 'constructor', 'ENUM_UNKNOWN'],
    ['enum: s', '__proto__', 'ENUM_UNKNOWN'],
    ['bit: yn', 'y', 'ENUM_UNKNOWN'],
    ['bit: yn', '', null],
    ['bit: yn', '1', 'ENUM_UNKNOWN'],
    ['type: bit', 'true', 1],
    ['type: bit', '0', 0],
    ['type: bit', 'N', BAD],
    ['type: bit', '2', BAD],
  ])('of %s is %s: %s', async (column, text, expected) => {
    expect(await valueOf(`{ from: /r/@v, ${column} }`, `<r id="7" v="${text}"/>`, enums)).toEqual(expected)
  })
})

describe('$now in a column that keeps less than it has', () => {
  it.each([
    ['type: date', /^\d{4}-\d\d-\d\d$/],
    ['type: datetime, scale: 0', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/],
    ['type: datetime, scale: 1', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d$/],
  ])('%s is cut to it', async (column, pattern) => {
    expect(await valueOf(`{ from: /r/@v, ${column}, else: $now }`, '<r id="7"/>')).toMatch(pattern)
  })
})
