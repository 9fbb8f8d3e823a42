import { describe, expect, it } from 'vitest'
import { planOf, valueOf, withColumn } from './plan-of.ts'
import { sized } from '../../sized.ts'

describe('a payload with very many elements', () => {
  it('is read by an expression whatever number of them stand in one element', async () => {
    const payload = `<r id="7"><a x="5"/>${'<b/>'.repeat(300_000)}</r>`
    const plan = await planOf(withColumn('{ expr: "COALESCE(b.y, 0) + a.x + 1", type: integer }'), payload)
    expect(plan).toMatchObject({ status: 'success', rows: { t: [{ v: 6 }] } })
  })
  it('is held to one identity in time that grows with their number', async () => {
    const mapping = withColumn(
      '{ from: { list: ps, value: "@v" }, type: integer }',
      'lists: { ps: { each: /r/p, unique: { by: ["@k"], then: last } } }',
    )
    const payload = `<r id="7">${Array.from({ length: 60_000 }, (_, i) => `<p k="1" v="${i}"/>`).join('')}</r>`
    const plan = await planOf(mapping, payload)
    expect(plan).toMatchObject({ status: 'success', rows: { t: [{ v: 59_999 }] } })
  }, 15_000)
})

describe('a value of very many characters', () => {
  const MANY = sized(300_000, 3_000_000)
  const blanks = `a${' '.repeat(MANY)}b`
  it.each([
    ['{ from: "/r/@v", type: text }', blanks, blanks],
    ['{ from: "/r/@v", type: text, strip: "$" }', `$ ${blanks} $`, blanks],
    ['{ from: "/r/@v", type: text, null_words: [x] }', blanks, blanks],
    ['{ expr: "r.v", type: text }', blanks, blanks],
    ['{ from: "/r/@v", type: float }', `${'1'.repeat(MANY)}x`, 'VALUE_NOT_VALID'],
    ['{ from: "/r/@v", type: decimal }', `${'1'.repeat(MANY)}x`, 'VALUE_NOT_VALID'],
    ['{ from: "/r/@v", type: integer, grouping: "," }', `${'1'.repeat(MANY)}x`, 'VALUE_NOT_VALID'],
    ['{ from: "/r/@v", type: date, formats: [YYYY-MM-DD] }', `${'1'.repeat(MANY)}x`, 'VALUE_NOT_VALID'],
    ['{ from: "/r/@v", type: datetime }', blanks, 'VALUE_NOT_VALID'],
  ])('is read in time that grows with them: %s', async (column, value, wanted) => {
    expect(await valueOf(column, `<r id="7" v="${value}"/>`)).toBe(wanted)
  })
})

describe('a number', () => {
  it.each([
    ['0.05e1', '0.5'],
    ['-0.05e1', '-0.5'],
    ['0.0005e2', '0.05'],
  ])('%s of JSON as text is %s', async (given, wanted) => {
    const mapping = withColumn('{ from: "/r/@v", type: text }', 'source: { format: json }')
    expect(await planOf(mapping, `{"r":{"id":7,"v":${given}}}`)).toMatchObject({
      rows: { t: [{ v: wanted }] },
    })
  })
  it('that a float would make 0 is out of range', async () => {
    expect(
      await planOf(withColumn('{ from: "/r/@v", type: float }'), '<r id="7" v="1e-400"/>'),
    ).toMatchObject({ code: 'VALUE_OUT_OF_RANGE' })
  })
  it('in the mapping is a text with its zeros where the column is one', async () => {
    expect(await planOf(withColumn('{ value: 0123, type: text }'), '<r id="7"/>')).toMatchObject({
      rows: { t: [{ v: '0123' }] },
    })
  })
})
