import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { evaluate, textOf, type Scope } from '../../../src/records/expression/evaluate.ts'
import { parseExpression } from '../../../src/records/expression/parse-expression.ts'
import { openFile } from '../../../src/sql/libsql-database.ts'
import { sized } from '../../sized.ts'

const RUNS = Number(process.env['RECORDS_EXPRESSIONS'] ?? sized(4000, 20_000))

/** Whole numbers and texts, no null, no division: where SQL and we agree on purpose. */
const { number, condition } = fc.letrec<{ number: string; text: string; condition: string }>((tie) => ({
  number: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.integer({ min: -50, max: 50 }).map((value) => (value < 0 ? `(${value})` : String(value))),
    fc
      .tuple(tie('number'), fc.constantFrom('+', '-', '*'), tie('number'))
      .map((parts) => `(${parts.join(' ')})`),
    fc.tuple(tie('number'), fc.integer({ min: 1, max: 9 })).map(([left, right]) => `(${left} % ${right})`),
    fc
      .tuple(tie('condition'), tie('number'), tie('number'))
      .map(([when, then, or]) => `CASE WHEN ${when} THEN ${then} ELSE ${or} END`),
    fc.tuple(tie('number'), tie('number')).map(([left, right]) => `COALESCE(${left}, ${right})`),
  ),
  text: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom("'a'", "'b'", "'Ab'", "'it''s'", "'zz%'", "'é'", "'🙂x'"),
    fc.tuple(tie('text'), tie('text')).map(([left, right]) => `(${left} || ${right})`),
  ),
  condition: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(tie('number'), fc.constantFrom('=', '<>', '!=', '<', '<=', '>', '>='), tie('number'))
      .map((parts) => parts.join(' ')),
    fc.tuple(tie('text'), fc.constantFrom('=', '<>', '<', '>='), tie('text')).map((parts) => parts.join(' ')),
    fc
      .tuple(tie('condition'), fc.constantFrom('AND', 'OR'), tie('condition'))
      .map((parts) => parts.join(' ')),
    tie('condition').map((inner) => `NOT (${inner})`),
    tie('condition').map((inner) => `(${inner})`),
    fc
      .tuple(tie('number'), fc.constantFrom('IN', 'NOT IN'), tie('number'), tie('number'))
      .map(([value, word, a, b]) => `${value} ${word} (${a}, ${b})`),
    fc
      .tuple(
        tie('text'),
        fc.constantFrom('LIKE', 'NOT LIKE'),
        fc.constantFrom("'a%'", "'_'", "'%b'", "'%'", "'_x'", "'A.'"),
      )
      .map((parts) => parts.join(' ')),
    fc.tuple(tie('number'), fc.constantFrom('IS NULL', 'IS NOT NULL')).map((parts) => parts.join(' ')),
  ),
}))

const scope: Scope = { lookUp: () => null, now: { seconds: 0, fraction: '' }, dateFormats: [] }
const ours = (text: string): string | null => {
  const value = evaluate(parseExpression(text), scope)
  return value === null ? null : textOf(value)
}

describe('an expression', () => {
  const database = openFile(':memory:', 1000)
  database.prepare('PRAGMA case_sensitive_like = ON').all([])
  afterAll(() => database.close())
  const sqlite = (text: string): string | null => {
    const [row] = database.prepare(`SELECT CAST((${text}) AS TEXT) AS value`).all([]) as {
      value: string | null
    }[]
    return row!.value
  }

  it('has the value that SQLite gives it', () => {
    fc.assert(
      fc.property(fc.oneof(number, condition), (text) => {
        fc.pre(text.length < 1500)
        expect(ours(text), text).toBe(sqlite(text))
      }),
      { numRuns: RUNS },
    )
  })
  it('would be seen to differ if AND did not bind tighter than OR', () => {
    expect(sqlite('(1 = 1 OR 1 = 2) AND 1 = 2')).not.toBe(ours('1 = 1 OR 1 = 2 AND 1 = 2'))
  })
  it.each([
    ['r.a +', 'ends where a value should stand'],
    ["'open", 'closing quote'],
    ['1 < 2 < 3', 'comparison already'],
    ['CASE END', 'END where a value'],
    ['(1', 'needs )'],
    ['1 ! 2', 'character !'],
    [`${'('.repeat(60)}1${')'.repeat(60)}`, 'deeper than 50'],
    [`'${'x'.repeat(4001)}'`, '4000'],
  ])('%s is refused', (text, message) => {
    expect(() => parseExpression(text)).toThrow(message)
  })
  it.each([
    ['NULL + 1', null],
    ['NULL = NULL', '0'],
    ['1 / 0', null],
    ['1 / 3', '0.33333333333333333333'],
    ['7 // 2', '3'],
    ["DATEADD(month, 1, DATE('2024-01-31'))", '2024-02-29'],
    ["DATE('2024-01-31') < '2024-02-01'", '1'],
    ["'10' > '9'", '1'],
  ])('%s is %s', (text, expected) => {
    expect(ours(text)).toBe(expected)
  })
})
