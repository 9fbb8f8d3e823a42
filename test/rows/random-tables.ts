import fc from 'fast-check'
import type { Name, Site } from './servers.ts'

/** A column of a random table: its type, and literals of values that are easily changed on their way. */
interface Kind {
  readonly type: string
  readonly values: readonly string[]
  /** SQL for a text of its value that is the same in every session. */
  readonly text?: (name: string) => string
}

const MYSQL: readonly Kind[] = [
  { type: 'DECIMAL(20,4)', values: ['1.5', '-0.0001', '9999999999999999.9999', '0'] },
  { type: 'DOUBLE', values: ['0.1e0', '-0e0', '1e300', '5e-324', '0.30000000000000004e0'] },
  { type: 'FLOAT', values: ['0.1', '16777217', '-1e-30'], text: (name) => `CONCAT(${name} * 1e0)` },
  { type: 'JSON', values: [`'{"a": [1, 1.0, null]}'`, `'"\\\\u00e4"'`, `'{}'`] },
  { type: 'BLOB', values: ["X'00FF2700'", "''", "X'5C'", "REPEAT('ab', 9000)"] },
  {
    type: 'TIMESTAMP(6) NULL',
    values: ["'2024-06-30 12:00:00.000001'", "'1999-12-31 23:59:59'", "'2037-01-01 00:00:01'"],
    text: (name) => `CONCAT(UNIX_TIMESTAMP(${name}))`,
  },
  { type: 'DATETIME(3)', values: ["'2024-03-31 02:30:00.123'", "'1000-01-01 00:00:00'"] },
  { type: 'BIT(13)', values: ["b'1010'", "b'0'", "b'1111111111111'"] },
  { type: "ENUM('x','X y','é')", values: ["'x'", "'X y'", "'é'"] },
  { type: "SET('a','b')", values: ["'a,b'", "''", "'b'"] },
  { type: 'VARCHAR(60) CHARACTER SET latin1', values: ["'Zürich'", "'ZÜRICH'", "'x '", "'x'"] },
  {
    type: 'VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
    values: ["'a'", "'A'", "'á'", "'a '", "'😀'", String.raw`'q''\\"'`],
  },
  { type: 'BIGINT UNSIGNED', values: ['18446744073709551615', '9007199254740993', '0'] },
  { type: 'TIME(2)', values: ["'-838:59:59'", "'00:00:00.01'"] },
  { type: 'CHAR(5) CHARACTER SET utf8mb4', values: ["'ab'", "''", "'AB'"] },
  {
    type: 'DECIMAL(65,30)',
    values: ['12345678901234567890123456789012345.123456789012345678901234567890', '-0.5'],
  },
  { type: 'BIT(64)', values: [`b'${'1'.repeat(64)}'`, "b'0'"] },
  { type: 'YEAR', values: ['2024', '1901', '0'] },
  { type: 'INET6', values: ["'::1'", "'2001:db8::ff00:42:8329'"] },
  {
    type: 'GEOMETRY',
    values: ["ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('POLYGON((0 0,1 1,1 0,0 0))')"],
    text: (name) => `CONCAT(ST_SRID(${name}), ST_AsText(${name}))`,
  },
  { type: 'VARCHAR(10) CHARACTER SET utf16', values: ["'😀x'", "'é'"] },
  { type: 'VARCHAR(20) CHARACTER SET gbk', values: ["_gbk X'A140'", "'中'"] },
]

const POSTGRES: readonly Kind[] = [
  { type: 'numeric', values: ['1.0', '1.00', '-0.00000001', '99999999999999999999.9', "'NaN'"] },
  { type: 'double precision', values: ['0.1', "'-0'", '1e300', "'NaN'", '5e-324'] },
  { type: 'real', values: ['0.1', '16777216', "'Infinity'"] },
  { type: 'json', values: [`'{"a":1, "a":1.0}'`, `'{"a":1,"a":1.0}'`, `'[]'`] },
  { type: 'jsonb', values: [`'{"b":1.0}'`, `'{"b":1.00}'`, `'null'`] },
  { type: 'bytea', values: [String.raw`'\x00ff27'`, "''", "convert_to(repeat('ab', 9000), 'UTF8')"] },
  {
    type: 'timestamptz',
    values: ["'2024-06-30 12:00:00.000001+02'", "'infinity'", "'0044-03-15 12:00:00+00 BC'"],
    text: (name) => `(${name} AT TIME ZONE 'UTC')::text`,
  },
  { type: 'timestamp(3)', values: ["'2024-03-31 02:30:00.123'", "'-infinity'"] },
  { type: 'bit(7)', values: ["B'1010101'", "B'0000000'"] },
  { type: 'random_enum', values: ["'x'", "'X y'", "'é'"] },
  { type: 'text COLLATE random_ci', values: ["'a'", "'A'", "'a '", "'😀'", "''"] },
  { type: 'char(5)', values: ["'ab'", "''", "'AB'"] },
  { type: 'int[]', values: ["'{1,NULL,3}'", "'{}'", "'{{1},{2}}'"] },
  { type: 'interval', values: ["'1 mon -1 day'", "'30 days'", "'720:00'"] },
  { type: 'inet', values: ["'10.0.0.1'", "'10.0.0.1/8'"] },
  { type: 'uuid', values: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"] },
  { type: 'text[]', values: [String.raw`'{"a,b","NULL",NULL,"","q\"x"}'`, "'{}'"] },
  { type: 'money', values: ["'$1,234.56'", "'-12.5'"] },
  { type: 'xml', values: [`'<a b="1"> x</a>'`, "'text'"], text: (name) => `${name}::text` },
  { type: 'tsvector', values: ["'a:1A fat:2 cat'", "''"] },
  {
    type: 'tstzrange',
    values: ["'[2024-01-01 00:00+02,)'", "'empty'"],
    text: (name) => `(lower(${name}) AT TIME ZONE 'UTC')::text`,
  },
  { type: 'point', values: ["'(1.1,-0)'", "'(NaN,1)'"] },
  { type: 'timetz', values: ["'12:00:00+05:45'", "'24:00:00-12'"] },
  { type: 'varbit', values: ["B'101'", "B''"] },
  { type: 'bytea[]', values: [String.raw`ARRAY['\x00ff'::bytea]`] },
  { type: '"char"', values: ["'a'", "''"] },
]

export const KINDS: Readonly<Record<Name, readonly Kind[]>> = { mysql: MYSQL, postgres: POSTGRES }

/** Keys by their number in the test: beyond 2^53, of bytes, of text, and of two columns. */
export const KEYS = ['big', 'uuid', 'text', 'pair'] as const
export type KeyKind = (typeof KEYS)[number]

export const keyOf = (kind: KeyKind, name: Name, n: number): readonly string[] => {
  const top = name === 'mysql' ? 18_446_744_073_709_551_615n : 9_223_372_036_854_775_807n
  if (kind === 'big') return [String(top - BigInt(n))]
  if (kind === 'uuid') return [`a0eebc99-9c0b-4ef8-bb6d-${String(n).padStart(12, '0')}`]
  return kind === 'text' ? [`Ké ${n}`] : [String(n % 7), `k${n}`]
}

const keyColumns = (kind: KeyKind, name: Name): readonly string[] => {
  const text = name === 'mysql' ? 'VARCHAR(40) CHARACTER SET utf8mb4' : 'varchar(40)'
  if (kind === 'big') return [`k0 BIGINT${name === 'mysql' ? ' UNSIGNED' : ''}`]
  if (kind === 'uuid') return ['k0 UUID']
  return kind === 'text' ? [`k0 ${text}`] : ['k0 INT', `k1 ${text}`]
}

/** What fast-check chooses. `values` are numbers that pick a literal; 0 is NULL. */
export interface Scenario {
  readonly key: KeyKind
  readonly kinds: readonly number[]
  readonly picks: readonly number[]
  readonly batchSize: number
  /** Rows that the archive has already: as they are, or with one column changed. */
  readonly twins: readonly { readonly row: number; readonly changed: boolean; readonly column: number }[]
  readonly writes: readonly Write[]
  readonly generated: boolean
  readonly twice: boolean
}

export interface Write {
  readonly row: number
  readonly what: 'update' | 'insert' | 'delete'
  readonly column: number
  readonly pick: number
  /** Milliseconds before it. */
  readonly wait: number
}

export const ROWS = 60

export const scenarios = (name: Name): fc.Arbitrary<Scenario> => {
  const pick = fc.nat(10)
  const row = fc.integer({ min: 1, max: ROWS + 10 })
  return fc.record({
    key: fc.constantFrom(...KEYS),
    kinds: fc.uniqueArray(fc.nat(KINDS[name].length - 1), { minLength: 1, maxLength: 8 }),
    picks: fc.array(pick, { minLength: 7, maxLength: 31 }),
    batchSize: fc.integer({ min: 2, max: 40 }),
    twins: fc.array(fc.record({ row, changed: fc.boolean(), column: pick }), { maxLength: 12 }),
    writes: fc.array(
      fc.record({
        row,
        what: fc.constantFrom('update', 'update', 'insert', 'delete'),
        column: pick,
        pick,
        wait: fc.nat(3),
      }),
      { minLength: 10, maxLength: 60 },
    ),
    generated: fc.boolean(),
    twice: fc.boolean(),
  })
}

/** The live table `r` and its archive `ra` of one scenario, and what is in them, version by version. */
export class RandomTables {
  readonly site: Site
  readonly scenario: Scenario
  readonly #kinds: readonly Kind[]

  constructor(site: Site, scenario: Scenario) {
    this.site = site
    this.scenario = scenario
    this.#kinds = scenario.kinds.map((at) => KINDS[site.name][at]!)
  }

  async make(): Promise<void> {
    const { site, scenario } = this
    const { name } = site
    const keys = keyColumns(scenario.key, name)
    const names = keys.map((column) => column.split(' ')[0]).join(', ')
    const stored = name === 'mysql' ? 'PERSISTENT' : 'STORED'
    const text = name === 'mysql' ? 'VARCHAR(60)' : 'text'
    const columns = [
      ...keys,
      'v BIGINT',
      ...this.#kinds.map(({ type }, at) => `c${at} ${type}`),
      ...(scenario.generated ? [`g BIGINT GENERATED ALWAYS AS (v + 1) ${stored}`] : []),
      `note ${text}`,
    ].join(', ')
    for (const table of ['r', 'ra'])
      await site.sql(
        `DROP TABLE IF EXISTS ${table}`,
        `CREATE TABLE ${table} (${columns}, PRIMARY KEY (${names}))`,
      )
    const rows = Array.from({ length: ROWS }, (_, at) => this.#tuple(at + 1, at + 1, at + 1))
    await site.sql(`INSERT INTO r (${this.columns.join(', ')}) VALUES ${rows.join(', ')}`)
    for (const [at, { row, changed, column }] of scenario.twins.entries()) {
      const [{ n }] = (await site.rows(`SELECT count(*) AS n FROM ra WHERE ${this.where(row)}`)) as [
        { n: string },
      ]
      if (n !== '0') continue
      const all = this.columns.join(', ')
      const copied = await site.session.run(
        `INSERT INTO ra (${all}) SELECT ${all} FROM r WHERE ${this.where(row)}`,
      )
      if (copied.affected === 0) await site.sql(this.insert('ra', row, -row, column))
      else if (changed)
        await site.sql(
          column % 2 === 0
            ? `UPDATE ra SET v = ${-1000 - at} WHERE ${this.where(row)}`
            : `UPDATE ra SET ${this.assign(column, column + 1)} WHERE ${this.where(row)}`,
        )
    }
  }

  get columns(): readonly string[] {
    const keys = keyColumns(this.scenario.key, this.site.name).map((column) => column.split(' ')[0]!)
    return [...keys, 'v', ...this.#kinds.map((_kind, at) => `c${at}`), 'note']
  }

  where(n: number): string {
    return keyOf(this.scenario.key, this.site.name, n)
      .map((value, at) => `k${at} = '${value}'`)
      .join(' AND ')
  }

  value(column: number, pick: number): string {
    const { values } = this.#kinds[column % this.#kinds.length]!
    return pick === 0 ? 'NULL' : values[pick % values.length]!
  }

  assign(column: number, pick: number): string {
    return `c${column % this.#kinds.length} = ${this.value(column, pick)}`
  }

  insert(table: string, n: number, version: number, from: number): string {
    return `INSERT INTO ${table} (${this.columns.join(', ')}) VALUES ${this.#tuple(n, version, from)}`
  }

  #tuple(n: number, version: number, from: number): string {
    const { picks, key } = this.scenario
    const values = this.#kinds.map((_kind, at) => this.value(at, picks[(from * 3 + at * 5) % picks.length]!))
    const keys = keyOf(key, this.site.name, n).map((value) => `'${value}'`)
    return `(${[...keys, version, ...values, 'NULL'].join(', ')})`
  }

  /** A text that two rows share only when they are the same to the byte. */
  get version(): string {
    const exact = this.columns.map((name) => {
      const kind = /^c\d/.test(name) ? this.#kinds[Number(name.slice(1))] : undefined
      const text = kind?.text?.(name)
      if (this.site.name === 'postgres') return `COALESCE(${text ?? `${name}::text`}, '<null>')`
      return `COALESCE(HEX(${text ?? `CONCAT(${name})`}), 'null')`
    })
    return this.site.name === 'mysql' ? `CONCAT_WS('|', ${exact.join(', ')})` : exact.join(" || '|' || ")
  }

  async versions(table: string): Promise<ReadonlySet<string>> {
    return new Set(
      (await this.site.rows(`SELECT ${this.version} AS v FROM ${table}`)).map(({ v }) => String(v)),
    )
  }

  ids(): readonly string[] {
    const { key, twice } = this.scenario
    const all = Array.from({ length: ROWS + 5 }, (_, at) => keyOf(key, this.site.name, at + 1).join(','))
    const head = key === 'pair' ? 'k0,k1' : 'k0'
    return [head, ...all, ...(twice ? all.slice(0, 9) : [])]
  }
}
