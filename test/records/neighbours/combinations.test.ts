import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { planOf, valueOf, withColumn } from './plan-of.ts'

const of = (attributes: string, inside = ''): string => `<r id="7" ${attributes}>${inside}</r>`
const CODES =
  'enums: { s: { A: 1, "": 4 }, plain: { A: 1 }, words: { A: alpha } }\nbits: { yn: { Y: 1, N: 0 } }'
const text = (expression: string): string => `{ expr: "${expression}", type: text, length: 9 }`
const either = (condition: string): string => text(`CASE WHEN ${condition} THEN 'y' ELSE 'n' END`)

describe('a column', () => {
  it.each<[string, string, unknown]>([
    ['{ from: /r/@v, type: text, length: 5, required: true, default: X }', '', 'X'],
    ['{ from: /r/@v, enum: s, default: 9 }', '', 4],
    ['{ from: /r/@v, enum: plain, default: 9 }', 'v=" "', 9],
    ['{ from: /r/@v, enum: plain, on_unknown: null }', 'v="B"', null],
    ['{ from: /r/@v, enum: plain, on_unknown: null, required: true }', 'v="B"', 'REQUIRED_MISSING'],
    ['{ from: /r/@v, enum: plain, on_unknown: default, default: 8 }', 'v="B"', 8],
    ['{ from: /r/@v, enum: words, type: text, length: 3, on_long: cut }', 'v="A"', 'alp'],
    ['{ from: /r/@v, bit: yn }', 'v="Z"', 'ENUM_UNKNOWN'],
    ['{ from: /r/@v, bit: yn }', '', null],
    ['{ from: /r/@v, bit: yn, required: true }', '', 'REQUIRED_MISSING'],
    ['{ from: /r/@v, type: bit }', 'v="true"', 1],
    ['{ from: /r/@v, type: bit }', 'v="Y"', 'VALUE_NOT_VALID'],
    ['{ from: /r/@v, type: decimal, precision: 5 }', 'v="1.5"', 'VALUE_NOT_VALID'],
    ['{ from: /r/@v, type: decimal, precision: 5 }', 'v="12345.0"', '12345'],
    ['{ expr: "r.a > 1 AND NOT r.b = 2", type: bit }', 'a="2" b="1"', 1],
    ['{ expr: "DATEADD(month, 1, r.d)", type: date }', 'd="2024-01-31"', '2024-02-29'],
    ['{ expr: "DATEADD(year, -1, r.d)", type: date }', 'd="2024-02-29"', '2023-02-28'],
    ['{ expr: "DATEADD(day, r.n, r.d)", type: date }', 'd="2024-12-31"', null],
    [either("r.d >= DATE('2024-03-01')"), 'd="2024-03-01 00:00:01"', 'y'],
    [either("r.d >= DATE('2024-03-01')"), 'd="soon"', 'EXPRESSION'],
    [either("NOW > DATE('2020-01-01') AND NOW() < DATE('9000-01-01')"), '', 'y'],
    [either("r.a IN (1, 2, 'x')"), 'a="2.0"', 'y'],
    [either('r.a NOT IN (1, 2)'), '', 'n'],
    [either('r.a IS NOT EMPTY'), 'a="  "', 'n'],
    [either("r.a LIKE 'a_c%'"), 'a="abcdef"', 'y'],
    [either("r.a NOT LIKE 'a%'"), 'a="Abc"', 'y'],
    [either("r.a = 'O''WHEN AND'"), 'a="O&apos;WHEN AND"', 'y'],
    [text("CASE r.a WHEN 1 THEN 'one' WHEN 2 THEN 'two' END"), 'a="02"', 'two'],
    [text("COALESCE(r.a, r.b, 'none')"), 'a="" b="q"', 'q'],
    [text("r.a || '-' || r.b"), 'a="01" b="2.50"', '01-2.50'],
    [text('r.a || r.b'), 'a="01"', null],
    [
      '{ expr: "r.a / r.b", type: decimal, precision: 12, scale: 4, round: half_up }',
      'a="2" b="3"',
      '0.6667',
    ],
    ['{ expr: "r.a / r.b", type: decimal, precision: 12, scale: 4 }', 'a="2" b="0"', null],
    ['{ expr: "r.a // r.b + r.a % r.b", type: integer }', 'a="17" b="5"', 5],
    ['{ expr: "-(r.a - -2) * 3", type: integer }', 'a="5"', -21],
    ['{ expr: "r.a * r.a", type: decimal }', 'a="99999999999999999999"', 'EXPRESSION'],
  ])('of %s with %s is %s', async (column, attributes, expected) => {
    expect(await valueOf(column, of(attributes), CODES)).toEqual(expected)
  })
})

describe('a name of an expression', () => {
  it.each<[string, string, unknown]>([
    ['r.s.v + 1', '<s v="4"/>', '5'],
    ['s.v + 1', '<q><s v="4"/></q>', '5'],
    ['s.v + 1', '<s v="4"/><s v="5"/>', 'EXPRESSION'],
    ["r.n || '!'", '<n> hi </n>', 'hi!'],
    ["r.n || '!'", '<n>a</n><n>b</n>', 'EXPRESSION'],
    ['COALESCE(nothing.q, 0)', '', '0'],
  ])('%s over %s gives %s', async (expression, inside, expected) => {
    expect(await valueOf(text(expression), of('', inside))).toEqual(expected)
  })
  it.each(['n', 'p.n', 'r.p.n', 'a.k', 'p.a.k', 'r.p.a.k'])(
    '%s takes nothing of another row',
    async (name) => {
      const mapping = `version: 1
record: { root: r, key: /r/@id, key_type: bigint }
tables: [{ table: p, each: /r/p, key: [pid], columns: { pid: { from: '@pid' }, v: ${text(`COALESCE(${name}, r.x)`)} } }]`
      const payload = of('x="X"', '<p pid="1" n="own"><a k="own"/></p><p pid="2"/>')
      expect((await planOf(mapping, payload)).rows['p']).toEqual([
        { pid: '1', v: 'own' },
        { pid: '2', v: 'X' },
      ])
    },
  )
})

describe('a place in what failed', () => {
  it.each<[string, number]>([
    ['<r id="7">\n a & b\n\n\n</r>', 2],
    ['<r id="7"\n v="a & b"\n/>\n\n', 2],
    ['<r id="7">\n<!-- & -->\n<![CDATA[ & ]]>\n&\n;</r>', 4],
    ['<r id="7">\n &nbsp;\n</r>', 2],
    ['<r id="7">\n <n>\n </m>\n</r>', 3],
    ['<r id="7">\n <n a="<"/>\n\n</r>', 2],
    ['<r id="7">\n <n a="1"b="2"/>\n\n</r>', 2],
    ['<r id="7"/>\n\n<r id="7"/>', 3],
    ['<r id="7">\n<xmlns:n/></r>', 2],
    ['<r id="7">\n<n xml:1a="x"/></r>', 2],
    ['<r id="7">\n\n <![CDATA[ a \n</r>', 4],
  ])('of %j is line %i', async (payload, line) => {
    expect(await planOf(withColumn('1'), payload)).toMatchObject({ code: 'XML_NOT_WELL_FORMED', line })
  })
})

describe('bytes', () => {
  const declared = (encoding: string): string =>
    `<?xml version="1.0" encoding="${encoding}"?><r id="7" v="é"/>`
  it.each<[string, Uint8Array, string]>([
    ['gzip', gzipSync('<r id="7" v="é"/>'), 'é'],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${declared('UTF-16')}`, 'utf16le'), 'é'],
    ['ISO-8859-1', Buffer.from(declared('ISO-8859-1'), 'latin1'), 'é'],
    ['no declaration', Buffer.from('<r id="7" v="é"/>', 'latin1'), 'XML_ENCODING'],
    ['a declaration that lies', Buffer.from(declared('UTF-16'), 'utf8'), 'XML_ENCODING'],
  ])('of %s', async (_what, bytes, expected) => {
    expect(await valueOf('{ from: /r/@v, type: text, length: 3 }', bytes)).toBe(expected)
  })
})

describe('an array of plain values', () => {
  const json = (column: string, value: string): Promise<unknown> =>
    valueOf(column, `{"r":{"id":7,"v":${value}}}`, 'source: { format: json }')
  it.each<[string, string, unknown]>([
    ['{ from: /r/@v }', '["a"]', 'a'],
    ['{ from: /r/@v }', '["a","b"]', 'ELEMENT_AMBIGUOUS'],
    ['{ from: /r/@v, take: first }', '["a","b","c"]', 'a'],
    ['{ from: /r/@v, take: last }', '["a","b"]', 'b'],
    ['{ from: /r/v/text(), take: first }', '["a","b"]', 'a'],
    ['{ from: /r/@v }', '[]', null],
  ])('read by %s: %s is %s', async (column, value, expected) => {
    expect(await json(column, value)).toEqual(expected)
  })
})

describe('rows', () => {
  const table = (list: string, more = ''): string => `version: 1
record: { root: r, key: /r/@id, key_type: bigint }
lists: { people: ${list}${more} }
tables: [{ table: people, each: people, key: [pid], columns: { pid: { from: '@pid', type: integer }, first: { from: '@first', type: text, length: 5 } } }]`
  it.each<[string, string, string, object]>([
    [
      'of which one is refused',
      "{ each: /r/p, require: { '@role': [A] }, otherwise: fail }",
      '<p pid="1" role="A"/><p pid="2" role="B"/>',
      { stage: 'validate', code: 'ELEMENT_REJECTED', list: 'people', path: '/r/p[2]', reason: '@role' },
    ],
    [
      'of which two are one',
      "{ each: /r/p, unique: { by: ['@pid'], then: fail } }",
      '<p pid="1"/><p pid=" 1 "/>',
      { stage: 'validate', code: 'DUPLICATE_ELEMENT', list: 'people', path: '/r/p[2]' },
    ],
    [
      'with one key',
      '{ each: /r/p }',
      '<p pid="1" first="a"/><p pid="01" first="b"/>',
      { stage: 'map', code: 'DUPLICATE_ROW', table: 'people', key_of_row: { pid: 1 } },
    ],
    [
      'without a key',
      '{ each: /r/p }',
      '<p pid="1"/><p first="a"/>',
      { code: 'REQUIRED_MISSING', table: 'people', column: 'pid', path: '/r/p[2]/@pid' },
    ],
    [
      'with a value too long',
      '{ each: /r/p }',
      '<p pid="1" first="abcdef"/>',
      { code: 'VALUE_TOO_LONG', table: 'people', column: 'first', path: '/r/p[1]/@first' },
    ],
    [
      'too few of them',
      '{ each: /r/p, min: 2 }',
      '<p pid="1"/>',
      { stage: 'validate', code: 'REQUIRED_ELEMENT', list: 'people' },
    ],
  ])('%s fail', async (_what, list, inside, expected) => {
    expect(await planOf(table(list), of('', inside))).toMatchObject({
      status: 'failed',
      rows: {},
      ...expected,
    })
  })
  it('of the first of two, compared without case', async () => {
    const list =
      "{ each: /r/p, ignore_case: true, require: { '@role': [MAIN] }, unique: { by: ['@pid'], then: first } }"
    const inside = '<p pid="1" role=" main " first="a"/><p pid="1" role="MAIN" first="b"/>'
    expect(await planOf(table(list), of('', inside))).toMatchObject({
      rows: { people: [{ pid: 1, first: 'a' }] },
      warnings: [{ code: 'DUPLICATE_ELEMENT', list: 'people', path: '/r/p[2]' }],
    })
  })
})

describe('what stands already', () => {
  const two = `version: 1
record: { root: r, key: /r/@id, key_type: bigint }
tables:
  - { table: t, key: [id], columns: { id: $key, v: { from: /r/@v, type: integer } } }
  - { table: u, key: [k], shared: true, columns: { k: { from: /r/@k, type: text, length: 2 }, n: { from: /r/@n, type: decimal, precision: 5, scale: 2 } } }`
  const payload = of('v="1" k="a" n="1.5"')
  it.each<[string, object, object]>([
    ['equal, shared', { u: [{ k: 'a', n: '1.50' }] }, { status: 'success', result: 'stored' }],
    [
      'other, shared',
      { u: [{ k: 'a', n: '1.51' }] },
      { code: 'CONFLICT', table: 'u', differs: ['n'], key_of_row: { k: 'a' } },
    ],
    [
      'all of it',
      { t: [{ id: 7, v: '1' }], u: [{ k: 'a', n: 1.5 }] },
      { status: 'success', result: 'present' },
    ],
    ['without a value', { t: [{ id: 7 }], u: [] }, { code: 'CONFLICT', table: 't', differs: ['v'] }],
    ['of another record', { t: [{ id: 8, v: 1 }] }, { status: 'success', result: 'stored' }],
  ])('%s', async (_what, given, expected) => {
    expect(await planOf(two, payload, { given })).toMatchObject(expected)
  })
})
