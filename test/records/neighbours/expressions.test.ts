import { describe, expect, it } from 'vitest'
import { planOf, valueOf, withColumn } from './plan-of.ts'

const value = (expression: string, attributes: string, column = 'type: text'): Promise<unknown> =>
  valueOf(
    `{ expr: "${expression}", ${column} }`,
    `<r id="7" ${attributes}><o a="5" b="Abc"><l n="1"/></o></r>`,
  )

describe('an expression', () => {
  it.each<[string, string, unknown, string?]>([
    ["CASE WHEN r.a > 5 THEN 'x' ELSE 'y' END", 'a="10"', 'x'],
    ["CASE WHEN r.a > 5 THEN 'x' ELSE 'y' END", 'a="-10"', 'y'],
    ["CASE WHEN r.a > 5 THEN 'x' ELSE 'y' END", '', 'y'],
    ["CASE WHEN r.a > 5 THEN 'x' END", '', null],
    ["CASE WHEN r.a = 0 THEN 'x' ELSE 'y' END", 'a="0.00"', 'x'],
    ["CASE WHEN r.a = '0' THEN 'x' ELSE 'y' END", 'a="00"', 'x'],
    ["CASE WHEN r.a <> 1 THEN 'x' ELSE 'y' END", '', 'y'],
    ["CASE WHEN NOT r.a = 1 THEN 'x' ELSE 'y' END", 'a="2"', 'x'],
    ["CASE WHEN r.a < 'B' THEN 'x' ELSE 'y' END", 'a="a"', 'y'],
    ["CASE WHEN r.a = 'abc' THEN 'x' ELSE 'y' END", 'a="ABC"', 'y'],
    ["CASE WHEN r.a IN (1, 'b') THEN 'x' ELSE 'y' END", 'a="b"', 'x'],
    ["CASE WHEN r.a NOT IN (1, 2) THEN 'x' ELSE 'y' END", '', 'y'],
    ["CASE r.a WHEN 1 THEN 'x' WHEN 'b' THEN 'z' END", 'a="1.0"', 'x'],
    ["CASE WHEN r.a = 'AND (x <= y) OR' THEN 'x' ELSE 'y' END", 'a="AND (x &lt;= y) OR"', 'x'],
    ["CASE WHEN r.a = 'it''s' THEN 'x' ELSE 'y' END", `a="it's"`, 'x'],
    ["CASE WHEN r.a = 'WHEN x THEN END' THEN 'x' END", 'a="WHEN x THEN END"', 'x'],
    ['(r.a + r.c) * 2', 'a="1.5" c="2"', '7'],
    ['r.a - -2', 'a="1"', '3'],
    ['-r.a', 'a="-0"', '0'],
    ['r.a / 4', 'a="10"', '2.5'],
    ['r.a / 3', 'a="1"', '0.33333333333333333333'],
    ['r.a / 0', 'a="1"', null],
    ['r.a // 2', 'a="-7"', '-3'],
    ['r.a % 3', 'a="-7"', '-1'],
    ['r.a + 1', '', null],
    ['r.a + 1', 'a="1,000"', 'EXPRESSION'],
    ['r.a + 1', 'a="1e3"', 'EXPRESSION'],
    ['r.a * r.a', `a="${'9'.repeat(30)}"`, 'EXPRESSION'],
    ['r.a * 3', 'a="12345678901234567890123456789012345.01"', '37037036703703703670370370367037035.03'],
    ["r.a || '-' || r.c", 'a="x" c="1.50"', 'x-1.50'],
    ["r.a || '-'", '', null],
    ["COALESCE(r.a, r.c, 'z')", 'a=" " c="k"', 'k'],
    ["CASE WHEN r.a LIKE 'V_.%' THEN 'x' ELSE 'y' END", 'a="V4.1"', 'x'],
    ["CASE WHEN r.a LIKE 'v%' THEN 'x' ELSE 'y' END", 'a="V4"', 'y'],
    ["CASE WHEN r.a LIKE '%' THEN 'x' ELSE 'y' END", '', 'y'],
    ["CASE WHEN r.a LIKE '[a-z]' THEN 'x' ELSE 'y' END", 'a="b"', 'y'],
    ['r.o.a + 1', '', '6'],
    ['o.a + 1', '', '6'],
    ['b', '', 'Abc'],
    ['l.n', '', '1'],
    ['CASE WHEN o.b IS NOT EMPTY AND l.n = 1 OR r.z = 2 THEN 1 ELSE 0 END', '', 1, 'type: bit'],
    ['r.a > 5', 'a="6"', 1, 'type: bit'],
    ["DATE('2024-01-31')", '', '2024-01-31', 'type: date'],
    ['DATEADD(month, 1, r.a)', 'a="2024-01-31"', '2024-02-29', 'type: date'],
    ['DATEADD(year, 1, r.a)', 'a="2024-02-29"', '2025-02-28', 'type: date'],
    ['DATEADD(day, -1, r.a)', 'a="2024-03-01"', '2024-02-29', 'type: date'],
    ['DATEADD(day, r.c, r.a)', 'a="2024-03-01" c="1.5"', 'EXPRESSION', 'type: date'],
    ['DATEADD(day, 1, r.a)', 'a="soon"', 'EXPRESSION', 'type: date'],
    ['DATEADD(day, 1, r.a)', '', null, 'type: date'],
    ['DATEADD(day, 1, r.a)', 'a="2/28/2024"', '2024-02-29', 'type: date, formats: ["M/D/YYYY"]'],
    ["CASE WHEN DATE(r.a) >= DATE('2024-01-01') THEN 'x' ELSE 'y' END", 'a="2024-01-01T05:00:00Z"', 'x'],
    ["CASE WHEN r.a > DATE('2024-01-01') THEN 'x' ELSE 'y' END", 'a="never"', 'EXPRESSION'],
    ['r.a + r.c', 'a="0.1" c="0.2"', 'VALUE_NOT_VALID', 'type: integer'],
    ['r.a + r.c', 'a="0.5" c="1.5"', 2, 'type: integer'],
    ['r.a + r.c', 'a="32767" c="1"', 'VALUE_OUT_OF_RANGE', 'type: smallint'],
    ["CASE WHEN r.a = 'x' THEN 'NE' || r.a END", 'a="x"', 'VALUE_TOO_LONG', 'type: text, length: 2'],
  ])('%s with %s is %s', async (expression, attributes, expected, column) => {
    expect(await value(expression, attributes, column)).toEqual(expected)
  })
  it('of an element that stands twice is ambiguous, unless the row is made of it', async () => {
    const payload = '<r id="7"><l n="1" q="2"/><l n="2" q="3"/></r>'
    expect(await planOf(withColumn('{ expr: "l.n + 1", type: integer }'), payload)).toMatchObject({
      stage: 'map',
      code: 'EXPRESSION',
      table: 't',
      column: 'v',
    })
    const rows = `version: 1
record: { root: r, key: /r/@id }
tables:
  - { table: l, each: /r/l, key: [n], columns: { n: { from: "@n", type: integer }, v: { expr: "l.n * q + r.id", type: integer } } }
`
    expect((await planOf(rows, payload)).rows).toEqual({
      l: [
        { n: 1, v: 9 },
        { n: 2, v: 13 },
      ],
    })
  })
})
