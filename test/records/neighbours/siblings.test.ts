import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { planOf, valueOf, withColumn } from './plan-of.ts'

const TEXT = '{ from: /r/@v, type: text }'
const of = (value: string): string => `<r id="7" v="${value}"/>`
const typed = (type: string, more = ''): string => `{ from: /r/@v, type: ${type}${more} }`
const half = ', round: half_up'
const money = ', precision: 5, scale: 2'

describe('a number at an edge', () => {
  it.each<[string, string, unknown]>([
    ['-0', typed('integer'), 0],
    ['+0009223372036854775807', typed('bigint'), '9223372036854775807'],
    ['9223372036854775808', typed('bigint'), 'VALUE_OUT_OF_RANGE'],
    ['１２', typed('integer'), 'VALUE_NOT_VALID'],
    ['32767.5', typed('smallint', half), 'VALUE_OUT_OF_RANGE'],
    ['32767.4', typed('smallint', half), 32767],
    ['-2.5', typed('integer', half), -3],
    ['999.995', typed('decimal', money + half), 'VALUE_OUT_OF_RANGE'],
    ['-0.005', typed('decimal', money + half), '-0.01'],
    ['-0.004', typed('decimal', money + half), '0.00'],
    ['1.005', typed('decimal', money + half), '1.01'],
    ['9'.repeat(38), typed('decimal', ', precision: 38, scale: 0'), '9'.repeat(38)],
    ['9'.repeat(39), typed('decimal', ', precision: 38, scale: 0'), 'VALUE_OUT_OF_RANGE'],
    [`0.${'1'.repeat(39)}`, typed('decimal', ', precision: 38, scale: 38'), 'VALUE_NOT_VALID'],
    ['1.7976931348623159e308', typed('float'), 'VALUE_OUT_OF_RANGE'],
  ])('%s', async (value, column, expected) => {
    expect(await valueOf(column, of(value))).toEqual(expected)
  })
})

describe('a moment at an edge', () => {
  it.each<[string, string, unknown]>([
    ['12024-01-01', typed('date'), 'VALUE_NOT_VALID'],
    ['2024-01-01T00:00:00+05:00', typed('date'), 'VALUE_NOT_VALID'],
    ['2024-01-01T23:59:59+14:00', typed('datetime'), '2024-01-01 09:59:59'],
    ['0001-01-01T00:00:00+01:00', typed('datetime'), 'VALUE_NOT_VALID'],
    ['9999-12-31T23:59:59-01:00', typed('datetime'), 'VALUE_NOT_VALID'],
    ['2024-01-01T10:00:00Europe/Berlin', typed('datetime'), 'VALUE_NOT_VALID'],
    ['2024-03-31T02:30:00', typed('datetime'), '2024-03-31 02:30:00'],
    ['2024-12-31 23:59:59.9', typed('datetime', `, scale: 0${half}`), '2025-01-01 00:00:00'],
  ])('%s', async (value, column, expected) => {
    expect(await valueOf(column, of(value))).toEqual(expected)
  })
})

describe('a text of several code points', () => {
  it.each<[string, string, string, unknown]>([
    ['has the length of its code points', typed('text', ', length: 1'), 'e\u0301', 'VALUE_TOO_LONG'],
    ['is not composed', TEXT, 'e\u0301', 'e\u0301'],
    [
      'is another than the composed one',
      `{ expr: "CASE WHEN r.v = '\u00e9' THEN 1 ELSE 0 END" }`,
      'e\u0301',
      '0',
    ],
    ['is cut between them', typed('text', ', length: 2, on_long: cut'), '😀😀😀', '😀😀'],
    ['keeps blanks that are not of XML', TEXT, '\u00a0a\u2028', '\u00a0a\u2028'],
  ])('%s', async (_what, column, value, expected) => {
    expect(await valueOf(column, of(value))).toEqual(expected)
  })
})

describe('a code', () => {
  it.each<[string, string, string, unknown]>([
    [
      'of other letters',
      'enums: { e: { ignore_case: true, values: { Straße: 1 } } }',
      'STRASSE',
      'ENUM_UNKNOWN',
    ],
    ['of another case', 'enums: { e: { ignore_case: true, values: { ü: 1 } } }', 'Ü', 1],
    ['with a zero before it', 'enums: { e: { "1": 5 } }', '01', 'ENUM_UNKNOWN'],
    ['that is a blank and stands for nothing', 'enums: { e: { A: 1 } }', ' ', null],
  ])('%s', async (_what, top, value, expected) => {
    expect(await valueOf('{ from: /r/@v, enum: e }', of(value), top)).toEqual(expected)
  })
  it('of a bit that would be neither 0 nor 1 is an error of the mapping', async () => {
    await expect(valueOf('{ from: /r/@v, bit: b }', of('A'), 'bits: { b: { A: 2 } }')).rejects.toMatchObject({
      code: 'MAPPING_INVALID',
    })
  })
})

describe('a document at an edge', () => {
  it.each<[string, string, string | Uint8Array, string, unknown]>([
    ['a prefix that is taken back', TEXT, '<r id="7" v="1" xmlns:p=""/>', '', 'XML_NOT_WELL_FORMED'],
    [
      'one name by two prefixes',
      TEXT,
      '<r id="7" v="1" xmlns:a="u" xmlns:b="u" a:k="1" b:k="2"/>',
      'namespaces: ignore',
      'XML_NOT_WELL_FORMED',
    ],
    [
      'a namespace that is set aside inside',
      '{ from: /r/n/@k, type: text }',
      '<p:r xmlns:p="urn:x" xmlns="urn:y" id="7"><n xmlns="" k="5"/></p:r>',
      'namespaces: { p: "urn:x" }',
      'ROOT_MISMATCH',
    ],
    ['a name of no reference', TEXT, of('a&AMP;b'), '', 'XML_NOT_WELL_FORMED'],
    ['a declaration after a blank', TEXT, ` <?xml version="1.0"?>${of('1')}`, '', 'XML_NOT_WELL_FORMED'],
    [
      'bytes that windows-1252 does not have',
      TEXT,
      Buffer.from('<?xml version="1.0" encoding="windows-1252"?><r id="7" v="\x81"/>', 'latin1'),
      '',
      'XML_ENCODING',
    ],
  ])('%s', async (_what, column, payload, top, expected) => {
    expect(await valueOf(column, payload, top)).toEqual(expected)
  })
})

describe('a list', () => {
  const tables = `
tables:
  - table: t
    each: b
    key: [k, n]
    columns: { k: { from: "../@k", type: integer }, n: { from: "@n", type: integer }, m: { from: "@m", type: text } }
`
  const record = 'version: 1\nrecord: { root: r, key: /r/@id, key_type: bigint }\n'
  it('of a list counts an identity once in the record, and names all that it leaves out', async () => {
    const lists = `lists:
  a: { each: /r/a, require: { "@k": present }, otherwise: skip }
  b: { each: a/b, require: { "@m": [X, Y] }, otherwise: skip, unique: { by: ["@n"], then: first } }`
    const payload = `<r id="7"><a k="1"><b m="X" n="1"/><b m="Z" n="2"/></a><a><b m="X" n="9"/></a><a k="2"><b m="Y" n="1"/><b m="X" n="3"/></a></r>`
    expect(await planOf(record + lists + tables, payload)).toMatchObject({
      rows: {
        t: [
          { k: 1, n: 1, m: 'X' },
          { k: 2, n: 3, m: 'X' },
        ],
      },
      warnings: [
        { code: 'ELEMENT_SKIPPED', list: 'a', path: '/r/a[2]', reason: '@k' },
        { code: 'ELEMENT_SKIPPED', list: 'b', path: '/r/a[1]/b[2]', reason: '@m' },
        { code: 'DUPLICATE_ELEMENT', list: 'b', path: '/r/a[3]/b[1]' },
      ],
    })
  })
  it.each(['  a: { each: b/x }\n  b: { each: a/y }', '  b: { each: b/x }'])(
    'of itself is an error of the mapping: %s',
    async (lists) => {
      await expect(planOf(`${record}lists:\n${lists}${tables}`, of('1'))).rejects.toMatchObject({
        code: 'MAPPING_INVALID',
      })
    },
  )
  it('whose identities differ as text and are one key is a duplicate row', async () => {
    const lists = 'lists:\n  b: { each: /r/a/b, unique: { by: ["@n"], then: last } }'
    const payload = '<r id="7"><a k="1"><b n="1"/><b n="01"/></a></r>'
    expect(await planOf(record + lists + tables, payload)).toMatchObject({
      code: 'DUPLICATE_ROW',
      key_of_row: { k: 1, n: 1 },
      rows: {},
    })
  })
})

describe('the last of several elements', () => {
  it('gives nothing where it has no such attribute', async () => {
    const column = '{ from: /r/s/@v, type: integer, take: last }'
    expect(await valueOf(column, '<r id="7"><s v="1"/><s/></r>')).toBe(null)
  })
  it('is ambiguous without it, though one alone has the attribute', async () => {
    expect(await valueOf('{ from: /r/s/@v, type: integer }', '<r id="7"><s v="1"/><s/></r>')).toBe(
      'ELEMENT_AMBIGUOUS',
    )
  })
})

describe('rows that are given', () => {
  const mapping = withColumn(typed('decimal', ', precision: 9, scale: 2'))
  it.each<[string, object, object]>([
    ['with a column that is not mapped', { id: 7, v: '1.50', x: 1 }, { result: 'present' }],
    ['without the value', { id: 7, v: null }, { code: 'CONFLICT', differs: ['v'] }],
    ['of another key', { id: 8, v: '1.50' }, { result: 'stored' }],
  ])('%s', async (_what, row, expected) => {
    expect(await planOf(mapping, of('1.5'), { given: { t: [row] } })).toMatchObject(expected)
  })
  it('and hold nothing where the payload has nothing are present', async () => {
    expect(await planOf(mapping, '<r id="7"/>', { given: { t: [{ id: 7 }] } })).toMatchObject({
      rows: { t: [{ id: 7 }] },
      result: 'present',
    })
  })
})
