import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonNumber, JsonObject, type JsonValue } from '../../../src/fhicl/json/model.ts'
import { DEEPEST_JSON, JsonError, readJson } from '../../../src/fhicl/json/parser.ts'
import { artdaqStamp } from '../../../src/stores/artdaqdb/format/timestamp.ts'
import { escapeText, writeJson, writeJsonBytes } from '../../../src/fhicl/json/printer.ts'
import { sized } from '../../sized.ts'

const key = fc.oneof(fc.string(), fc.constantFrom('1', '0', '__proto__', 'a', 'constructor'))
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc
      .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String), fc.constant('1.250'))
      .map((text) => new JsonNumber(text)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 12 }).map((members) => JsonObject.from(members)),
  ),
}))

describe('a document', () => {
  it('is written as artdaq writes it', () => {
    const document = JsonObject.of(
      ['a', 'x"\\\b\f\n\r\t/é\u0001'],
      ['a', new JsonNumber(1)],
      ['e', JsonObject.EMPTY],
      ['f', [true, false, []]],
    )
    expect(writeJson(document)).toBe(
      '{\n"a" : "x\\"\\\\\\b\\f\\n\\r\\t/é\u0001",\n"a" : 1,\n"e" : {\n\n},\n"f" : [\ntrue,\nfalse,\n[\n\n]\n]\n}',
    )
    expect(writeJsonBytes(document).toString('utf8')).toBe(writeJson(document))
  })

  it('is read back as it was written, in order, equal keys and long numbers included', () => {
    fc.assert(
      fc.property(value, (one) => {
        const written = writeJson(JsonObject.of(['v', one]))
        expect(writeJson(readJson(written))).toBe(written)
        expect(readJson(written)).toEqual(JsonObject.of(['v', one]))
      }),
      { numRuns: sized(100, 500) },
    )
  })

  it('is read minified, pretty-printed, and with whatever follows its last brace', () => {
    fc.assert(
      fc.property(fc.object({ values: [fc.string(), fc.boolean(), fc.integer()] }), (one) => {
        const short = readJson(`${JSON.stringify(one)}\n`)
        expect(readJson(`\r\n${JSON.stringify(one, null, 2)} } rubbish`)).toEqual(short)
      }),
    )
  })

  it('is looked up by its first key among equals, few or many', () => {
    expect(readJson('{"a":1,"a":2}').get('a')).toEqual(new JsonNumber(1))
    const many = JsonObject.from(Array.from({ length: 100 }, (_, at) => [`${at % 50}`, `${at}`] as const))
    expect(many.get('7')).toBe('7')
    expect(many.get('no')).toBe(undefined)
    expect(many.with('7', 'x').get('7')).toBe('x')
    expect(many.plus('no', 'y').get('no')).toBe('y')
  })

  it('keeps escapes that artdaq does not know as a backslash and what follows', () => {
    expect(readJson('{"a":"\\u0041\\/\\\\n"}').get('a')).toBe('\\u0041\\/\\n')
    expect(readJson('{"a":"x\\\\"}').get('a')).toBe('x\\')
    expect(escapeText('\\u0041')).toBe('\\\\u0041')
  })

  it.each(['1', '-1', '+1', '1.5', '.5', '1.', '1.5e3', '9223372036854775807'])(
    'may hold the number %s',
    (number) => {
      expect(readJson(`{"a":${number}}`).get('a')).toEqual(new JsonNumber(number))
    },
  )

  it.each([
    ['', 1, 1],
    ['[]', 1, 1],
    ['{"a":null}', 1, 6],
    ['{"a":1e10}', 1, 7],
    ['{"a":1,}', 1, 8],
    ['{\n"a" : [\n1 2\n]\n}', 3, 3],
    ['{"a" 1}', 1, 6],
    ['{a:1}', 1, 2],
    ['{"a":"x}', 1, 6],
    ['{"a":"x\\"}', 1, 6],
    ['{"a":tru}', 1, 6],
    ['{"a":{"b":1}', 1, 13],
  ])('such as %j is refused at its place', (text, line, column) => {
    expect(() => readJson(text)).toThrow(JsonError)
    expect(() => readJson(text)).toThrow(`line ${line}, column ${column}: `)
  })

  it('is refused, without a stack overflow, when nested too deep, and read when just not', () => {
    expect(() => readJson(`{"a":${'['.repeat(1_000_000)}`)).toThrow(`more than ${DEEPEST_JSON}`)
    const deep = `{"a":${'['.repeat(DEEPEST_JSON - 1)}${']'.repeat(DEEPEST_JSON - 1)}}`
    expect(writeJson(readJson(deep)).replaceAll(/[\n ]/g, '')).toBe(deep)
  })
})

describe('a stamp', () => {
  it.each([
    ['America/Chicago', 1_763_759_660_048, '2025-11-21T15:14:20.048-0600'],
    ['Asia/Kolkata', 0, '1970-01-01T05:30:00.000+0530'],
    ['UTC', 1_763_759_660_048, '2025-11-21T21:14:20.048+0000'],
  ])('in %s is local time with its offset', (zone, time, expected) => {
    const before = process.env['TZ']
    process.env['TZ'] = zone
    try {
      expect(artdaqStamp(time)).toBe(expected)
    } finally {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    }
  })
})
