import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isArray, JsonNumber, JsonObject, type JsonValue } from '../../../src/fhicl/json/model.ts'
import { outlineOf } from '../../../src/fhicl/json/lazy-parser.ts'
import { readJson } from '../../../src/fhicl/json/parser.ts'
import { writeJsonBytes } from '../../../src/fhicl/json/printer.ts'

const { value } = fc.letrec<{ value: JsonValue; array: JsonValue[]; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
    fc.constantFrom('"', '\\', '\\"', '}', '{"', 'a\\'),
    fc.boolean(),
    fc.integer().map((number) => new JsonNumber(number)),
    tie('array'),
    tie('object'),
  ),
  array: fc.array(tie('value'), { maxLength: 4 }),
  object: fc
    .array(fc.tuple(fc.string({ unit: 'grapheme-ascii' }), tie('value')), { maxLength: 4 })
    .map((members) => JsonObject.from(members)),
}))
const KEYS = ['document', 'comments', 'origin', 'version']
const document = fc
  .array(fc.tuple(fc.constantFrom(...KEYS), value), { maxLength: 6 })
  .map((members) => JsonObject.from(members))

const plain = (json: JsonValue | undefined): unknown => {
  if (json instanceof JsonObject) return [...json.members()].map(([key, member]) => [key, plain(member)])
  return isArray(json) ? json.map(plain) : json
}

describe('the outline of a document', () => {
  it('has the members that reading all of it gives, whatever stands in them', () => {
    fc.assert(
      fc.property(document, (json) => {
        const bytes = writeJsonBytes(json)
        const outline = outlineOf(bytes)
        for (const key of KEYS)
          expect(plain(outline?.get(key))).toEqual(plain(readJson(bytes.toString('utf8')).get(key)))
      }),
    )
  })

  it('is none where the document is cut anywhere', () => {
    fc.assert(
      fc.property(document, fc.double({ min: 0, max: 1, noNaN: true }), (json, share) => {
        const bytes = writeJsonBytes(json)
        expect(outlineOf(bytes.subarray(0, Math.floor(share * (bytes.length - 1))))).toBeUndefined()
      }),
    )
  })

  it('is none where a block of the file is zeros, as after a power cut', () => {
    const bytes = Buffer.from('{ "document" : { "data" : { "a" : "1", "b" : "2" } }, "version" : "v" }')
    for (let at = 0; at <= bytes.length - 5; at++) {
      const damaged = Buffer.from(bytes)
      damaged.fill(0, at, at + 5)
      expect(outlineOf(damaged)?.get('version'), `zeros from byte ${at}`).toBeUndefined()
    }
  })

  it.each(['', 'true', '{"a"}', '{"a":}', '{"a":1 "b":2}', '{"a":1,}', '{a:1}', '{"a":[1}'])(
    'is none for %j',
    (text) => {
      expect(outlineOf(Buffer.from(text))).toBeUndefined()
    },
  )

  it('reads what is damaged inside a member only when that member is asked for', () => {
    const outline = outlineOf(Buffer.from('{ "document" : { "data" : nonsense }, "version" : "v" }'))
    expect(outline?.holdsObject('document')).toBe(true)
    expect(outline?.get('version')).toBe('v')
    expect(() => outline?.get('document')).toThrow(/nonsense/)
  })
})
