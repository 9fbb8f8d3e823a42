import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArchiverError } from '../../src/errors.ts'
import { faithfulText } from '../../src/fhicl/faithful-text.ts'
import { fhiclFromJson } from '../../src/fhicl/from-json.ts'
import type { JsonObject } from '../../src/fhicl/json/model.ts'
import { writeJson } from '../../src/fhicl/json/printer.ts'
import { parseFhicl } from '../../src/fhicl/parser.ts'
import { documentParts, fhiclToJson } from '../../src/fhicl/to-json.ts'
import { sized } from '../sized.ts'

const toJson = (text: string): JsonObject => fhiclToJson(parseFhicl(text), { name: 'n', stamp: 's' })
const valuesOf = (text: string): string => writeJson(documentParts(parseFhicl(text)).data)

const name = fc.constantFrom('a', 'b', 'c', 'a.b')
const scalar = fc.constantFrom(
  '1',
  '-2.5',
  '0x1F',
  '"x"',
  "'y'",
  'abc',
  'true',
  '@nil',
  '@local::q',
  '(1,2)',
  '"t\\t"',
)
const end = fc.constantFrom('\n', ' ', ' # behind\n', '\n# above\n', ' // behind\n', '\n#include "x.fcl"\n')
const { value } = fc.letrec<{ value: string; parameter: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }).map((values) => `[${values.join(', ')}]`),
    fc.array(tie('parameter'), { maxLength: 3 }).map((parameters) => `{ ${parameters.join('')} }`),
  ),
  parameter: fc
    .tuple(fc.constantFrom('a', 'b'), tie('value'), end)
    .map(([key, of, behind]) => `${key}: ${of}${behind}`),
}))
const text = fc
  .array(
    fc.tuple(name, value, end).map(([key, of, behind]) => `${key}: ${of}${behind}`),
    { minLength: 1, maxLength: 4 },
  )
  .map((parameters) => parameters.join(''))

describe('a text that is converted and printed again', () => {
  it('has the same values, or is refused with the parameter; a second round changes nothing', () => {
    const seen = { same: 0, refused: 0 }
    fc.assert(
      fc.property(text, (given) => {
        const json = toJson(given)
        try {
          const { text: back, commentsMoved } = faithfulText(json)
          expect(valuesOf(back)).toBe(valuesOf(given))
          if (!commentsMoved) expect(fhiclFromJson(toJson(back))).toBe(back)
          seen.same++
        } catch (error) {
          if (!(error instanceof ArchiverError)) throw error
          expect(error.code).toBe('FHICL_INVALID')
          seen.refused++
        }
      }),
      { numRuns: sized(200, 1000) },
    )
    expect(Math.min(seen.same, seen.refused)).toBeGreaterThan(10)
  })

  it.each([
    ['tables of one name', 'a: { x: 1 }\na: { y: 2 }', '"main.a'],
    ['a complex number in a sequence', 'c: [(1, 2)]', '"main.children.c'],
  ])('is refused for %s', (_what, given, place) => {
    expect(() => faithfulText(toJson(given))).toThrow(place)
    // artdaq's own export says nothing of it.
    expect(fhiclFromJson(toJson(given))).not.toBe('')
  })

  it.each(['# only a comment\n', '# one\n// two\n'])('comes back where it is comments only: %j', (given) => {
    expect(faithfulText(toJson(given)).text).toBe(given)
  })

  it('keeps names that come twice', () => {
    expect(valuesOf(faithfulText(toJson('a: 1\na: 2')).text)).toBe(valuesOf('a: 1\na: 2'))
  })
})
