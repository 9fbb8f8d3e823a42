import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planCommand } from '../../src/commands/records/plan.ts'
import { auditCommand } from '../../src/commands/records/audit.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { textIn } from '../../src/records/sql/database.ts'
import { answers, DIALECTS, openSite, printing, type Dialect, type Site } from './databases.ts'

const there = await Promise.all(DIALECTS.map(async (dialect) => [dialect, await answers(dialect)] as const))

/** Columns that hold all of each type. */
const TYPES: Readonly<Record<Dialect, Readonly<Record<string, string>>>> = {
  sqlite: {
    t: 'TEXT',
    c: 'TEXT',
    d: 'TEXT',
    at: 'TEXT',
    day: 'TEXT',
    f: 'REAL',
    b: 'INTEGER',
    j: 'TEXT',
    n: 'INTEGER',
    s: 'INTEGER',
  },
  postgres: {
    ...{
      t: 'varchar(20)',
      c: 'char(8)',
      d: 'numeric(38,10)',
      at: 'timestamp(6)',
      day: 'date',
      f: 'double precision',
    },
    ...{ b: 'boolean', j: 'jsonb', n: 'bigint', s: 'smallint' },
  },
  mysql: {
    ...{ t: 'varchar(20)', c: 'char(8)', d: 'decimal(38,10)', at: 'datetime(6)', day: 'date', f: 'double' },
    ...{ b: 'bit(1)', j: 'json', n: 'bigint', s: 'tinyint unsigned' },
  },
  mssql: {
    ...{ t: 'nvarchar(20)', c: 'nchar(8)', d: 'decimal(38,10)', at: 'datetime2(6)', day: 'date', f: 'float' },
    ...{ b: 'bit', j: 'nvarchar(max)', n: 'bigint', s: 'tinyint' },
  },
}

interface Narrow {
  readonly type: string
  /** The mapping's own bounds are wider. */
  readonly kind: string
  readonly value: string
  readonly fits: string
}
const narrow = (type: string, kind: string, value: string, fits: string): Narrow => ({
  type,
  kind,
  value,
  fits,
})
const OF_SERVERS: readonly Narrow[] = [
  narrow('varchar(3)', 'type: text', '😀😀😀😀', '😀😀😀'),
  // Servers cut blanks at the end, and round what stands after the point, without a word.
  narrow('varchar(3)', 'type: text', 'ab  ', 'ab '),
  narrow('smallint', 'type: bigint', '32768', '-32768'),
  narrow('int', 'type: decimal', '1.5', '1'),
  narrow('decimal(5,2)', 'type: decimal', '1.255', '1.250'),
  narrow('decimal(5,2)', 'type: decimal', '1000', '999.99'),
  narrow('date', 'type: datetime', '2024-01-31 05:00:00', '2024-01-31 00:00:00'),
]
/** Digits that a float of four bytes loses, and those that it keeps. */
const SINGLES = (type: string): readonly Narrow[] => [
  narrow(type, 'type: float', '123456.789', '0.1'),
  narrow(type, 'type: float', '0.1234567891', '-1.17549e-38'),
  narrow(type, 'type: float', '1e-46', '16777216'),
  narrow(type, 'type: float', '16777217', '1.234567'),
  narrow(type, 'type: bigint', '16777217', '16777216'),
  narrow(type, 'type: decimal', '1.123456789', '1.125'),
]
const OF_MSSQL: readonly Narrow[] = [
  narrow('nvarchar(3)', 'type: text', '😀😀', '😀a'),
  narrow('varchar(3)', 'type: text', 'Ł', 'é'),
  narrow('tinyint', 'type: integer', '-1', '255'),
  narrow('datetime', 'type: datetime', '1752-12-31 00:00:00', '1753-01-01 00:00:00'),
  narrow('smalldatetime', 'type: datetime', '2024-01-31 00:00:30', '2024-01-31 00:00:00'),
  narrow('datetime2(0)', 'type: datetime', '2024-01-31 05:00:00.5', '2024-01-31 05:00:00'),
]
const NARROW: Readonly<Record<Dialect, readonly Narrow[]>> = {
  sqlite: [],
  mssql: [...OF_SERVERS.slice(1), ...OF_MSSQL],
  postgres: [
    ...OF_SERVERS,
    narrow('timestamp(0)', 'type: datetime', '2024-01-31 05:00:00.5', '2024-01-31 05:00:00'),
    narrow('boolean', 'type: integer', '2', '1'),
    narrow('real', 'type: float', '1e39', '1e38'),
    ...SINGLES('real'),
  ],
  mysql: [
    ...OF_SERVERS,
    narrow('datetime', 'type: datetime', '2024-01-31 05:00:00.5', '2024-01-31 05:00:00'),
    narrow('tinytext', 'type: text', 'é'.repeat(128), 'é'.repeat(127)),
    narrow('varchar(9) CHARACTER SET utf8mb3', 'type: text', '😀', 'é'),
    narrow('tinyint', 'type: tinyint', '200', '127'),
    narrow('tinyint unsigned', 'type: integer', '-1', '255'),
    narrow('timestamp NULL', 'type: datetime', '1969-12-31 23:00:00', '2038-01-19 03:14:07'),
    narrow('timestamp NULL', 'type: datetime', '2107-01-01 00:00:00', '1970-01-01 00:00:01'),
    narrow('float', 'type: float', '1e39', '1e38'),
    ...SINGLES('float'),
    narrow('double(9,2)', 'type: float', '1.255', '1.25'),
  ],
}

const mapping = (format: string): string => `version: 1
source: { table: source_records, key: record_id, payload: payload, format: ${format} }
record: { root: r, key: /r/@id, key_type: bigint }
tables:
  - table: v
    key: [id]
    columns:
      id: { from: $key, type: bigint }
      t: { from: /r/@t, type: text, trim: false }
      c: { from: /r/@c, type: text, length: 8 }
      d: { from: /r/@d, type: decimal, precision: 38, scale: 10 }
      at: { from: /r/@at, type: datetime, scale: 6 }
      day: { from: /r/@day, type: date }
      f: { from: /r/@f, type: float }
      b: { from: /r/@b, type: bit }
      j: { from: /r/@j, type: json }
      n: { from: /r/@n, type: bigint }
      s: { from: /r/@s, type: tinyint }
`

type Values = Readonly<Record<string, string>>

const BORDERS: readonly Values[] = [
  { t: 'plain', c: 'ab', d: '1.5', at: '2024-02-29T23:59:59.999999Z', day: '2024-02-29', f: '0.1', b: '1' },
  { d: '-9999999999999999999999999999.9999999999', at: '0001-01-01T00:00:00Z', day: '9999-12-31', b: '0' },
  { n: '9223372036854775807', s: '255', f: '-1.7976931348623157e308', d: '0.0000000001' },
  { n: '-9223372036854775808', s: '0', f: '5e-324', d: '00' },
  { n: '9007199254740993', f: '123456789.123456789', at: '2024-12-31T23:30:00-01:00' },
  { f: '100000000000000000000', t: 'a  ' },
  { f: '-0', t: "O'x\\n;-- ?$1:x" },
  { t: '𝒳😀é', j: '{"b": 1, "a": [1.50, null, "1"]}' },
  { j: '123456789012345678901234567890' },
  { j: '"x"', b: 'true' },
  { j: 'null', b: 'false', t: '2024-02-03' },
  { j: '1e3', t: '\u2028' },
]

const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;')

const payloadOf = (format: string, key: number, values: Values): string =>
  format === 'json'
    ? JSON.stringify({ r: { id: String(key), ...values } })
    : `<r id="${key}" ${Object.entries(values)
        .map(([name, value]) => `${name}="${escaped(value)}"`)
        .join(' ')}/>`

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'values at the borders of their types, in %s',
  (dialect) => {
    let site: Site
    beforeEach(async () => {
      site = await openSite(dialect)
      const columns = Object.entries(TYPES[dialect]).map(([name, type]) => `${name} ${type}`)
      await site.database.session.change(`CREATE TABLE v (id bigint PRIMARY KEY, ${columns.join(', ')})`)
    })
    afterEach(() => site.close())

    const run = async () => {
      const { context, printed } = printing()
      const code = await runCommand({ task: 'orders', config: site.config, json: true }, context)
      return { code, metrics: JSON.parse(printed()) as Record<string, unknown> }
    }
    const audit = async () => {
      const { context, printed } = printing()
      const code = await auditCommand({ task: 'orders', config: site.config, json: true }, context)
      return { code, ...(JSON.parse(printed()) as { counts: Record<string, number>; findings: unknown[] }) }
    }
    const plan = async (item: string) => {
      const { context, printed } = printing()
      await planCommand({ item, task: 'orders', config: site.config, json: true, showValues: true }, context)
      return JSON.parse(printed()) as Record<string, unknown>
    }
    const text = async (column: string): Promise<(string | null)[]> => {
      const plain = { sqlite: 'TEXT', postgres: 'TEXT', mysql: 'CHAR', mssql: 'nvarchar(4000)' }[dialect]
      const type = dialect === 'mysql' && column === 'b' ? 'UNSIGNED' : plain
      const rows = await site.database.session.rows(
        `SELECT CAST(${column} AS ${type}) AS value FROM v ORDER BY v.id`,
      )
      return rows.map((row) => textIn(row, 'value'))
    }

    it.each(['xml', 'json'])('are stored exactly, and compared as what they are: %s', async (format) => {
      writeFileSync(`${site.folder}/map.yaml`, mapping(format))
      await site.fill(
        Object.fromEntries(BORDERS.map((values, at) => [at + 1, payloadOf(format, at + 1, values)])),
      )
      const { code, metrics } = await run()
      expect([metrics['failure_summary'], code]).toEqual([{ by_stage: {}, by_code: {} }, 0])
      expect((await text('n')).slice(2, 5)).toEqual([
        '9223372036854775807',
        '-9223372036854775808',
        '9007199254740993',
      ])
      expect((await text('d')).slice(0, 4)).toEqual([
        '1.5000000000',
        '-9999999999999999999999999999.9999999999',
        '0.0000000001',
        '0.0000000000',
      ])
      expect((await text('at'))[4]).toMatch(/^2025-01-01 00:30:00/)
      expect((await text('day')).slice(0, 2)).toEqual(['2024-02-29', '9999-12-31'])
      expect((await text('t')).filter((value) => value !== null)).toEqual([
        'plain',
        'a  ',
        "O'x\\n;-- ?$1:x",
        '𝒳😀é',
        '2024-02-03',
        '\u2028',
      ])
      expect(await audit()).toMatchObject({ code: 0, findings: [], counts: { archived: BORDERS.length } })
      // Taken again without their log they are what stands already.
      await site.database.session.change('DELETE FROM processing_log')
      expect(await run()).toMatchObject({ code: 0, metrics: { present: BORDERS.length } })
    })

    it('are found by the audit where a digit, a bit or a letter is another one', async () => {
      writeFileSync(`${site.folder}/map.yaml`, mapping('json'))
      await site.fill({
        1: payloadOf('json', 1, { j: '123456789012345678901234567890' }),
        2: payloadOf('json', 2, { b: '1' }),
        3: payloadOf('json', 3, { d: '0.0000000001' }),
        4: payloadOf('json', 4, { j: '{"a":"1"}' }),
        5: payloadOf('json', 5, { c: 'ab' }),
      })
      await run()
      const change = (set: string, id: number) =>
        site.database.session.change(`UPDATE v SET ${set} WHERE id = ${id}`)
      await change(`j = '123456789012345678901234567891'`, 1)
      await change(dialect === 'postgres' ? 'b = false' : 'b = 0', 2)
      await change(`d = '0.0000000002'`, 3)
      await change(`j = '{"a":1}'`, 4)
      await change(`c = 'aB'`, 5)
      expect(await audit()).toMatchObject({ code: 1, counts: { archived: 0, LOST: 5 } })
    })

    it('fail their item alone where the target has no room for them', async () => {
      writeFileSync(`${site.folder}/map.yaml`, mapping('json').replace('length: 8', 'length: 99'))
      const nine = '123456789'
      await site.fill({
        1: payloadOf('json', 1, { t: 'x'.repeat(21) }),
        2: payloadOf('json', 2, { c: nine }),
        3: payloadOf('json', 3, { t: 'fits' }),
        4: '{"r":{"id":4,"t":"half\\ud800"}}',
      })
      const { code, metrics } = await run()
      // SQLite has no such bounds: what comes back is what was given.
      const refused = dialect === 'sqlite' ? {} : { STORE_REFUSED: 2 }
      expect(code).toBe(1)
      expect(metrics['failure_summary']).toHaveProperty('by_code', { ...refused, JSON_NOT_VALID: 1 })
      expect(await audit()).toMatchObject({
        findings: [],
        counts: { archived: dialect === 'sqlite' ? 3 : 1 },
      })
    })

    it('with characters that not every target holds fail wherever they go, and the plan says the same', async () => {
      writeFileSync(`${site.folder}/map.yaml`, mapping('json'))
      await site.fill({
        1: '{"r":{"id":1,"t":"a\\u0000b"}}',
        2: payloadOf('json', 2, { t: 'ab' }),
        3: payloadOf('json', 3, { j: '"\\u0000"' }),
        4: payloadOf('json', 4, { j: '{"\\ud800":1}' }),
        5: payloadOf('json', 5, { j: '"\\\\u0000"' }),
      })
      const plans = []
      for (const key of [1, 2, 3, 4, 5]) plans.push((await plan(String(key)))['code'] ?? 'stored')
      expect(plans).toEqual(['VALUE_NOT_VALID', 'stored', 'VALUE_NOT_VALID', 'VALUE_NOT_VALID', 'stored'])
      const { metrics } = await run()
      expect(metrics['failure_summary']).toHaveProperty('by_code', { VALUE_NOT_VALID: 3 })
      expect(await text('t')).toEqual(['ab', null])
      expect(await audit()).toMatchObject({ findings: [], counts: { archived: 2, LOST: 0, CHANGED: 0 } })
    })

    it.each(NARROW[dialect])(
      '$value in a column $type fail their item alone, and the plan says the same',
      async ({ type, kind, value, fits }) => {
        await site.database.session.change(`CREATE TABLE narrow (id bigint PRIMARY KEY, v ${type})`)
        writeFileSync(
          `${site.folder}/map.yaml`,
          `version: 1
source: { table: source_records, key: record_id, payload: payload, format: json }
record: { root: r, key: /r/@id, key_type: bigint }
tables: [{ table: narrow, key: [id], columns: { id: { from: $key, type: bigint }, v: { from: /r/@v, ${kind}, trim: false } } }]
`,
        )
        await site.fill({ 1: payloadOf('json', 1, { v: value }), 2: payloadOf('json', 2, { v: fits }) })
        expect(await plan('1')).toMatchObject({
          ...{
            status: 'failed',
            stage: 'insert',
            code: 'STORE_REFUSED',
            table: 'narrow',
            column: 'v',
            rows: {},
          },
        })
        expect(await plan('2')).toMatchObject({ status: 'success', result: 'stored' })
        expect((await run()).metrics['failure_summary']).toHaveProperty('by_code', { STORE_REFUSED: 1 })
        expect(await audit()).toMatchObject({ findings: [], counts: { archived: 1, failed: 1 } })
        expect(await plan('2')).toMatchObject({ status: 'success', result: 'present' })
      },
    )

    it('of another kind than their column fail their item, and do not stop the run', async () => {
      await site.database.session.change('CREATE TABLE narrow (id bigint PRIMARY KEY, v int)')
      writeFileSync(
        `${site.folder}/map.yaml`,
        `version: 1
source: { table: source_records, key: record_id, payload: payload, format: json }
record: { root: r, key: /r/@id, key_type: bigint }
tables: [{ table: narrow, key: [id], columns: { id: { from: $key, type: bigint }, v: { from: /r/@v, type: date } } }]
`,
      )
      await site.fill({ 1: payloadOf('json', 1, { v: '2024-01-31' }), 2: payloadOf('json', 2, {}) })
      const byCode = dialect === 'sqlite' ? {} : { STORE_REFUSED: 1 }
      expect((await run()).metrics['failure_summary']).toHaveProperty('by_code', byCode)
      expect(await site.count('SELECT COUNT(*) FROM narrow')).toBe(dialect === 'sqlite' ? 2 : 1)
    })

    it('as keys that the log cannot hold fail alone', async () => {
      const long = 'k'.repeat(256)
      await site.database.session.change(
        'CREATE TABLE words (word varchar(300) PRIMARY KEY, payload varchar(2000))',
      )
      await site.database.session.change('CREATE TABLE w (word varchar(300) PRIMARY KEY)')
      writeFileSync(
        `${site.folder}/map.yaml`,
        `version: 1
source: { table: words, key: word, payload: payload, format: json }
record: { root: r, key: /r/@id, key_type: text }
tables: [{ table: w, key: [word], columns: { word: { from: $key, type: text } } }]
`,
      )
      for (const key of [long, 'short'])
        await site.database.session.change('INSERT INTO words (word, payload) VALUES (?, ?)', [
          key,
          JSON.stringify({ r: { id: key } }),
        ])
      expect(await plan(long)).toMatchObject({ status: 'failed', code: 'KEY_NOT_VALID' })
      const { code, metrics } = await run()
      expect(code).toBe(1)
      expect(metrics['failure_summary']).toHaveProperty('by_code', { KEY_NOT_VALID: 1 })
      expect(await site.count('SELECT COUNT(*) FROM w')).toBe(1)
    })
  },
)
