import { describe, expect, it } from 'vitest'
import { readMapping } from '../../src/records/mapping/read-mapping.ts'
import { contract, entry } from './neighbours/contracts.ts'
import { problemsOf } from './problems-of.ts'

const mapping = (column: string, more = ''): string => `version: 1
record: { root: r, key: /r/@id }
enums: { states: { NEW: 1, PAID: 2 }, words: { N: new, P: paid }, wide: { A: 70000 }, open: { otherwise: 0, values: { A: 1 } } }
bits: { yn: { Y: 1, N: 0 } }
tables:
  - table: t
    key: [id]
    columns:
      id: $key
      v: ${column}
${more}`

describe('a fixed value of a mapping that no item can be stored with', () => {
  it.each([
    ['{ from: /r/@v, type: integer, default: none }', 'default "none" is no whole number'],
    ['{ from: /r/@v, type: smallint, default: 40000 }', 'default "40000" is outside of smallint'],
    [
      '{ from: /r/@v, type: text, length: 3, default: long }',
      'default "long" has 4 characters, the column takes 3',
    ],
    ['{ from: /r/@v, length: 2, default: 123 }', 'default "123" has 3 characters, the column takes 2'],
    [
      '{ from: /r/@v, type: decimal, precision: 4, scale: 1, default: 1.25 }',
      'default "1.25" has more than 1 digits',
    ],
    ['{ from: /r/@v, type: date, default: 2024-02-30 }', 'default "2024-02-30" is no date'],
    ['{ from: /r/@v, type: bit, default: Y }', 'default "Y" is no bit'],
    ['{ from: /r/@v, bit: yn, default: N }', 'default "N" is a code of yn; a default is what is stored: 0'],
    ['{ from: /r/@v, type: json, default: "{" }', 'default "{" is no JSON'],
    [
      '{ from: /r/@v, enum: states, default: new }',
      'default "new" is a code of states; a default is what is stored: 1',
    ],
    ['{ from: /r/@v, enum: states, default: other }', 'default "other" is no number, as those of states are'],
    ['{ from: /r/@v, enum: states, type: integer, default: NEW }', 'default "NEW" is no whole number'],
    ['{ value: abc, type: integer }', 'value "abc" is no whole number'],
    ['{ value: abc, type: integer, on_bad: "null" }', 'value "abc" is no whole number'],
    [
      '{ value: 2024-01-31, type: date, formats: [M/D/YYYY] }',
      'value "2024-01-31" is no date of the formats',
    ],
    ['{ value: X, enum: states }', 'value "X" is no code of states'],
    [
      '{ value: "1,23", grouping: ",", type: integer }',
      'value "1,23" is no number with groups of three digits',
    ],
    ['{ from: /r/@v, enum: words, type: integer }', 'words gives "new" for "N", which is no whole number'],
    [
      '{ from: /r/@v, enum: wide, type: smallint }',
      'wide gives "70000" for "A", which is outside of smallint',
    ],
    [
      '{ from: /r/@v, enum: words, type: text, length: 3 }',
      'words gives "paid" for "P", which has 4 characters',
    ],
    ['{ from: /r/@v, enum: states, type: text, length: 1, default: 12 }', 'default "12" has 2 characters'],
    ['{ from: /r/@v, bit: yn, type: date }', 'yn gives "1" for "Y", which is no date'],
    ['{ from: /r/@v, enum: open, type: date }', 'open gives "0" for unknown codes, which is no date'],
    ['{ from: /r/@v, enum: states, bit: yn }', 'has enum and bit: one is needed'],
    ['{ from: /r/@v, type: integer, else: { value: x } }', 'value "x" is no whole number'],
    ['{ from: /r/@v, type: integer, else: $now }', '$now is no whole number'],
    ['{ expr: "\'abc\'", type: integer }', 'gives "abc", which is no whole number'],
    [
      '{ expr: "CASE WHEN r.a = 1 THEN 2 ELSE \'none\' END", type: integer }',
      'gives "none", which is no whole number',
    ],
    ['{ expr: "COALESCE(r.a, 100000)", type: smallint }', 'gives "100000", which is outside of smallint'],
    ['{ expr: "r.a > 1", type: date }', 'gives 1 or 0 (true or false), which is no date'],
    ['{ expr: "DATEADD(day, 1, DATE(r.a))", type: integer }', 'gives a date, which is no whole number'],
    ['{ expr: "NOW()", type: date }', 'gives a date with the time of day, which is no date'],
    ['{ expr: "r.a + 1", type: date }', 'gives a number, which is no date'],
    ['{ expr: "CASE WHEN r.a = 1 THEN \'X\' END", enum: states }', 'gives "X", which is no code of states'],
    ['{ expr: "r.a + \'abc\'" }', "a sum has an operand that is no number ('abc')"],
    ['{ expr: "-DATE(r.a)" }', 'a sum has an operand that is no number'],
    ['{ expr: "DATE(\'2024-13-01\')" }', 'a date is compared with what is no date'],
    ['{ expr: "DATE(r.a) > \'soon\'" }', "a date is compared with what is no date ('soon')"],
    ['{ expr: "DATEADD(day, 1.5, r.a)" }', 'DATEADD takes a whole number'],
    ['{ expr: "CASE WHEN \'x\' THEN r.a END" }', "a condition is neither true nor false nor a number ('x')"],
    ['{ expr: "r.a AND \'x\'" }', 'a condition is neither true nor false nor a number'],
  ])('%s is refused with its place', (column, message) => {
    const problems = problemsOf(mapping(column))
    expect(problems.join('\n')).toContain(message)
    expect(problems[0]).toMatch(/^m\.yaml:10:\d+: table t, column v: /)
  })

  it.each([
    '{ from: /r/@v, type: integer, default: 5 }',
    '{ from: /r/@v, type: text, length: 3, default: long, on_long: cut }',
    '{ from: /r/@v, type: date, formats: [M/D/YYYY], default: 2024-01-31 }',
    '{ from: /r/@v, type: date, formats: [M/D/YYYY], default: 1/31/2024 }',
    '{ from: /r/@v, type: decimal, precision: 4, scale: 1, round: half_up, default: 1.25 }',
    '{ from: /r/@v, enum: states, default: 0 }',
    '{ from: /r/@v, enum: words, default: unknown }',
    '{ from: /r/@v, enum: states, type: text, length: 1 }',
    '{ from: /r/@v, bit: yn, type: bit, default: 0 }',
    '{ from: /r/@v, type: bit, default: false }',
    '{ value: NEW, enum: states, type: integer }',
    '{ value: X, enum: open, type: integer }',
    '{ value: "", type: integer }',
    '{ value: null, type: integer }',
    '{ value: $key, type: integer }',
    '{ from: /r/@v, type: datetime, else: $now }',
    '{ from: /r/@v, type: date, else: $now }',
    '{ from: /r/@v, type: datetime, scale: 0, else: $now }',
    '{ expr: "CASE WHEN r.a = 1 THEN \'none\' ELSE r.a END", type: integer, on_bad: "null" }',
    '{ expr: "CASE WHEN r.a = 1 THEN NULL ELSE \'2\' END", type: integer }',
    '{ expr: "DATE(NOW())", type: date }',
    '{ expr: "r.a > 1", type: bit }',
    '{ expr: "r.a + 1", type: date, formats: [YYYYMMDD] }',
    '{ expr: "DATE(r.a) > \'1/31/2024\'", formats: [M/D/YYYY], type: date, on_bad: "null" }',
    '{ expr: "CASE WHEN r.a = 1 THEN \'NEW\' END", enum: states }',
    '{ expr: "\'none\'", type: integer, null_words: [none] }',
    "{ expr: \"r.a = 'x' AND NOT r.b IN (1, 'y')\", type: bit }",
    '{ expr: "\'abc\' || r.a", type: text }',
  ])('and one that fits is not: %s', (column) => {
    expect(problemsOf(mapping(column))).toEqual([])
  })
})

describe('what else of a mapping contradicts itself', () => {
  it.each([
    ['lists: { a: { each: /r/a, min: 3, max: 2 } }', 'list a: min 3 is above max 2', 11],
    ['  - { table: u, key: [id, id], columns: { id: $key } }', 'table u: key names id twice', 11],
    ['  - { table: u, key: [id], columns: { id: $key, id: 2 } }', 'Map keys must be unique', 11],
    [
      '  - { table: u, key: [id], rows: [{ set: { id: $key }, when: "r.a + \'x\' > 1" }] }',
      "when: a sum has an operand that is no number ('x')",
      11,
    ],
    [
      '  - { table: u, key: [id], rows: [{ set: { id: $key }, when: "\'x\'" }] }',
      'when: a condition is neither true nor false',
      11,
    ],
  ])('%s', (more, message, line) => {
    const problems = problemsOf(mapping('$key', more))
    expect(problems.join('\n')).toContain(message)
    expect(problems[0]).toMatch(new RegExp(`^m\\.yaml:${line}:\\d+: `))
  })
  it.each([
    ['bits: { yn: { Y: 2 } }', 'bits yn: "Y" must give 0 or 1'],
    ['bits: { yn: { otherwise: 5, values: { Y: 1 } } }', 'bits yn: otherwise must give 0 or 1'],
    ['enums: { e: { otherwise: [1], values: { Y: 1 } } }', 'enum e: otherwise must give one value'],
  ])('%s', (top, message) => {
    const text = `version: 1\nrecord: { root: r, key: /r/@id }\n${top}\ntables: [{ table: t, key: [id], columns: { id: $key } }]\n`
    expect(problemsOf(text)).toEqual([expect.stringMatching(new RegExp(`^m\\.yaml:3:\\d+: `)) as string])
    expect(problemsOf(text)[0]).toContain(message)
  })
  it('and false is a value for unknown codes', () => {
    const text = mapping('{ from: /r/@v, bit: maybe }').replace(
      'bits: {',
      'bits: { maybe: { otherwise: false, values: { Y: true } },',
    )
    const codes = readMapping(text, 'm.yaml').tables[0]?.rows[0]?.columns[1]?.codes
    expect(codes).toMatchObject({ otherwise: 0 })
  })
})

describe('a contract of the original', () => {
  it('is read as it is; a default that fits nothing is left out, and is a note with its place', () => {
    const text = contract(
      [
        entry('amount', { data_type: 'int', nullable: false, default_value: 'n/a' }),
        entry('kind', { data_type: 'smallint', nullable: true, mapping_type: ['enum'], enum_name: 'big' }),
      ],
      { enum_mappings: { big: { A: 99999 } } },
    )
    const { tables, notes } = readMapping(text, 'c.json')
    const columns = tables.flatMap(({ rows }) => rows.flatMap((rule) => rule.columns))
    expect(columns.find(({ name }) => name === 'amount')).toMatchObject({
      default: undefined,
      required: true,
      onUnknown: 'fail',
    })
    expect(notes.map(({ message }) => message)).toEqual([
      'deal_base.amount: default "n/a" is no whole number; it is left out',
      'deal_base.kind: big gives "99999" for "A", which is outside of smallint',
    ])
    expect(notes.every(({ at }) => at.line === 1 && at.column > 100)).toBe(true)
  })
})
