import { describe, expect, it } from 'vitest'
import { planOf } from './plan-of.ts'

const mapping = (column: string, top = '') => `version: 1
source: { format: json }
record: { root: r, key: /r/@id, key_type: bigint }
${top}
tables:
  - { table: t, key: [id], columns: { id: { from: $key, type: bigint }, v: ${column} } }
`
const read = async (column: string, payload: string | Buffer, top = ''): Promise<unknown> => {
  const plan = await planOf(mapping(column, top), payload)
  return plan.status === 'success' ? (plan.rows['t']?.[0]?.['v'] ?? null) : plan['code']
}
const V = (rest: string) => `{ from: /r/@v, ${rest} }`

describe('a JSON payload', () => {
  it.each<[string, string, string, unknown]>([
    ['a large number', V('type: bigint'), '{"r":{"id":7,"v":9007199254740993}}', '9007199254740993'],
    [
      'a number that floating point would round',
      V('type: decimal, precision: 38, scale: 20'),
      '{"r":{"id":7,"v":0.10000000000000000001}}',
      '0.10000000000000000001',
    ],
    ['an exponent', V('type: integer'), '{"r":{"id":7,"v":1.5e3}}', 1500],
    [
      'a negative exponent',
      V('type: decimal, precision: 9, scale: 4'),
      '{"r":{"id":7,"v":-25E-4}}',
      '-0.0025',
    ],
    [
      'a huge exponent',
      V('type: decimal, precision: 9, scale: 2'),
      '{"r":{"id":7,"v":1e400}}',
      'VALUE_NOT_VALID',
    ],
    ['minus zero', V('type: integer'), '{"r":{"id":7,"v":-0}}', 0],
    [
      'an exponent in a text, which is no number of JSON',
      V('type: integer'),
      '{"r":{"id":7,"v":"1e3"}}',
      'VALUE_NOT_VALID',
    ],
    ['a text for a number', V('type: integer'), '{"r":{"id":7,"v":" 5 "}}', 5],
    ['true', V('type: bit'), '{"r":{"id":7,"v":true}}', 1],
    ['true where a text is asked for', V('type: text'), '{"r":{"id":7,"v":true}}', 'true'],
    ['null', V('type: text'), '{"r":{"id":7,"v":null}}', null],
    [
      'null where a value is needed',
      V('type: text, required: true'),
      '{"r":{"id":7,"v":null}}',
      'REQUIRED_MISSING',
    ],
    ['an empty text', V('type: text'), '{"r":{"id":7,"v":""}}', null],
    ['escapes', V('type: text'), '{"r":{"id":7,"v":"\\u0041\\n\\ud83d\\ude42\\/"}}', 'A\n🙂/'],
    ['half of a pair', V('type: text'), '{"r":{"id":7,"v":"\\ud83d"}}', 'JSON_NOT_VALID'],
    ['a line break in a text', V('type: text'), '{"r":{"id":7,"v":"a\nb"}}', 'JSON_NOT_VALID'],
    ['a value that is an object', V('type: text'), '{"r":{"id":7,"v":{"a":1}}}', null],
    ['a member of a member', '{ from: /r/v/@a, type: integer }', '{"r":{"id":7,"v":{"a":1}}}', 1],
    ['a member as an element', '{ from: /r/v/text(), type: integer }', '{"r":{"id":7,"v":1}}', 1],
    [
      'a list where one is meant',
      '{ from: /r/v/text(), type: integer }',
      '{"r":{"id":7,"v":[1,2]}}',
      'ELEMENT_AMBIGUOUS',
    ],
    [
      'a list of which the last counts',
      '{ from: /r/v/text(), type: integer, take: last }',
      '{"r":{"id":7,"v":[1,2]}}',
      2,
    ],
    ['a list of one', '{ from: /r/v/@a, type: integer }', '{"r":{"id":7,"v":[{"a":1}]}}', 1],
    ['a list of none', V('type: text'), '{"r":{"id":7,"v":[]}}', null],
    [
      'a member twice, once by an escape',
      V('type: text'),
      '{"r":{"id":7,"v":1,"\\u0076":2}}',
      'JSON_NOT_VALID',
    ],
    ['a member twice in two objects', V('type: integer'), '{"r":{"id":7,"v":1,"a":{"v":2}}}', 1],
    [
      'a member twice where nothing is mapped',
      V('type: integer'),
      '{"r":{"id":7,"v":1,"a":{"x":2,"x":2}}}',
      'JSON_NOT_VALID',
    ],
    [
      'a member called __proto__',
      '{ from: /r/__proto__/@v, type: integer }',
      '{"r":{"id":7,"__proto__":{"v":1}}}',
      1,
    ],
    ['an expression on it', '{ expr: "r.v + r.w", type: integer }', '{"r":{"id":7,"v":1,"w":"2"}}', 3],
    ['a comma too many', V('type: integer'), '{"r":{"id":7,"v":1,}}', 'JSON_NOT_VALID'],
    ['a comment', V('type: integer'), '{"r":{"id":7,"v":1}/* */}', 'JSON_NOT_VALID'],
    ['quotes of the wrong kind', V('type: integer'), "{'r':{'id':7}}", 'JSON_NOT_VALID'],
    ['NaN', V('type: float'), '{"r":{"id":7,"v":NaN}}', 'JSON_NOT_VALID'],
    ['a plus', V('type: integer'), '{"r":{"id":7,"v":+1}}', 'JSON_NOT_VALID'],
    ['a zero in front', V('type: integer'), '{"r":{"id":7,"v":01}}', 'JSON_NOT_VALID'],
    ['a point without digits', V('type: float'), '{"r":{"id":7,"v":1.}}', 'JSON_NOT_VALID'],
    ['a cut end', V('type: integer'), '{"r":{"id":7,"v":1', 'JSON_NOT_VALID'],
    ['a second document', V('type: integer'), '{"r":{"id":7,"v":1}} {}', 'JSON_NOT_VALID'],
    ['blanks that JSON does not know', V('type: integer'), '{"r":{"id":7,\u00a0"v":1}}', 'JSON_NOT_VALID'],
    ['a mark', V('type: integer'), '\uFEFF{"r":{"id":7,"v":1}}', 1],
    ['blanks alone', V('type: integer'), ' \n', 'PAYLOAD_EMPTY'],
    ['XML in it', V('type: integer'), '<r id="7"/>', 'JSON_NOT_VALID'],
    ['another root', V('type: integer'), '{"x":{"id":7}}', 'ROOT_MISMATCH'],
    ['two roots', V('type: integer'), '{"r":{"id":7},"s":{}}', 'ROOT_MISMATCH'],
    ['no root', V('type: integer'), '{}', 'ROOT_MISMATCH'],
    ['a list at the top', V('type: integer'), '[{"r":{"id":7}}]', 'ROOT_MISMATCH'],
    ['a number at the top', V('type: integer'), '7', 'ROOT_MISMATCH'],
    ['null for the record', V('type: integer'), '{"r":null}', 'ROOT_MISMATCH'],
    ['two records', V('type: integer'), '{"r":[{"id":7},{"id":7}]}', 'ROOT_MISMATCH'],
    ['a key that is no whole number', V('type: integer'), '{"r":{"id":7.5,"v":1}}', 'KEY_NOT_VALID'],
    ['a key as a text', V('type: integer'), '{"r":{"id":"7","v":1}}', 1],
    ['a large key', V('type: integer'), '{"r":{"id":7e0,"v":1}}', 1],
    [
      'objects too deep',
      V('type: integer'),
      `{"r":{"id":7,"v":1,"a":${'{"a":'.repeat(120)}1${'}'.repeat(120)}}}`,
      'XML_TOO_DEEP',
    ],
    [
      'lists too deep',
      V('type: integer'),
      `{"r":{"id":7,"v":1,"a":${'['.repeat(120)}${']'.repeat(120)}}}`,
      'XML_TOO_DEEP',
    ],
    ['lists too deep by far', V('type: integer'), `{"r":{"id":7,"a":${'['.repeat(200_000)}`, 'XML_TOO_DEEP'],
    ['too many members', V('type: integer'), `{"r":{"id":7,"a":[${'1,'.repeat(60)}1]}}`, 'XML_TOO_LARGE'],
  ])('with %s', async (what, column, payload, expected) => {
    expect(await read(column, payload, what === 'too many members' ? 'limits: { nodes: 50 }' : '')).toEqual(
      expected,
    )
  })
  it('of bytes is read by its mark, or as UTF-8', async () => {
    const text = '{"r":{"id":7,"v":"é"}}'
    expect(await read(V('type: text'), Buffer.from(text))).toBe('é')
    expect(await read(V('type: text'), Buffer.from(`\uFEFF${text}`, 'utf16le'))).toBe('é')
    expect(await read(V('type: text'), Buffer.from(text, 'utf16le'))).toBe('é')
    expect(await read(V('type: text'), Buffer.from(text, 'latin1'))).toBe('XML_ENCODING')
  })
  it('that is broken is told with its line and column', async () => {
    expect(await planOf(mapping(V('type: text')), '{"r":\n {"id":7,\n "v":x}}')).toMatchObject({
      stage: 'parse',
      code: 'JSON_NOT_VALID',
      line: 3,
      column: 6,
      rows: {},
    })
  })
  it('with a long text is read', async () => {
    const long = 'x'.repeat(12_000_000)
    expect(await read(V('type: text, length: 5, on_long: cut'), `{"r":{"id":7,"v":"${long}"}}`)).toBe('xxxxx')
  })
})
