import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import type { Context } from '../../src/app/context.ts'
import type { RecordsDatabase } from '../../src/records/sql/database.ts'
import { openRecordsDatabase } from '../../src/records/sql/open-database.ts'
import { recordsPlace } from '../../src/records/sql/records-url.ts'
import { absent } from '../named-server.ts'
import { postgresAnswers, postgresPlace } from '../postgres.ts'

export type Dialect = 'sqlite' | 'postgres' | 'mysql' | 'mssql'

/** A server of SQL Server, `mssql://user:password@host/master`, for whoever has one: every suite of targets then runs on it as well. */
const MSSQL_URL = process.env['RECORDS_MSSQL_URL']

export const DIALECTS: readonly Dialect[] = [
  'sqlite',
  'postgres',
  'mysql',
  ...(MSSQL_URL === undefined ? [] : (['mssql'] as const)),
]

/** A database of the test's own, with the tables of the made-up orders. */
export interface Site {
  readonly folder: string
  readonly url: string
  readonly config: string
  readonly database: RecordsDatabase
  /** Puts payloads into the source table. */
  fill(payloads: Readonly<Record<number, string | null>>): Promise<void>
  count(sql: string): Promise<number>
  close(): Promise<void>
}

export const MAPPING = `version: 1
source: { table: source_records, key: record_id, payload: payload }
record: { root: order, key: /order/@id, key_type: bigint }
tables:
  - table: customers
    each: /order/customer
    key: [code]
    shared: true
    columns: { code: { from: "@code", type: text, length: 10 }, town: { from: "@town", type: text, length: 20 } }
  - table: orders
    key: [record_id]
    columns:
      record_id: { from: $key, type: bigint }
      placed: { from: /order/@placed, type: datetime, required: true }
      total: { from: /order/@total, type: decimal, precision: 19, scale: 2 }
      gift: { from: /order/@gift, bit: yn }
      customer: { from: /order/customer/@code, type: text }
  - table: lines
    each: /order/line
    key: [record_id, no]
    columns:
      record_id: { from: $key, type: bigint }
      no: { from: "@no", type: integer }
      qty: { from: "@qty", type: integer }
bits: { yn: { Y: 1, N: 0 } }
`

/** A sound payload. */
export const payload = (
  id: number,
  { total = '10.50', lines = 2, town = 'Ostrand', customer = 'c1' } = {},
): string =>
  `<order id="${id}" placed="2026-02-03 04:05:06" total="${total}" gift="Y"><customer code="${customer}" town="${town}"/>${Array.from({ length: lines }, (_, index) => `<line no="${index + 1}" qty="${index + id}"/>`).join('')}</order>`

const tables = (dialect: Dialect): string[] => {
  const [moment, decimal, text] = {
    sqlite: ['TEXT', 'TEXT', 'TEXT'],
    postgres: ['timestamp', 'decimal(19,2)', 'text'],
    mysql: ['datetime', 'decimal(19,2)', 'longtext'],
    mssql: ['datetime2(0)', 'decimal(19,2)', 'nvarchar(max)'],
  }[dialect]
  return [
    'CREATE TABLE customers (code varchar(10) PRIMARY KEY, town varchar(20))',
    `CREATE TABLE orders (record_id bigint PRIMARY KEY, placed ${moment} NOT NULL, total ${decimal}, gift smallint, customer varchar(10) REFERENCES customers(code))`,
    'CREATE TABLE lines_made (record_id bigint, no int, qty int CHECK (qty < 1000000), PRIMARY KEY (record_id, no))',
    `CREATE TABLE source_records (record_id bigint PRIMARY KEY, payload ${text})`,
  ].map((sql) =>
    dialect === 'mysql'
      ? sql.replace('TABLE lines_made', 'TABLE `lines`')
      : sql.replace('lines_made', 'lines'),
  )
}

/** Whether the server of a dialect answers here. */
export const answers = async (dialect: Dialect): Promise<boolean> => {
  if (dialect === 'sqlite' || dialect === 'mssql') return true
  if (dialect === 'postgres') return postgresAnswers()
  try {
    await (await createConnection(mysqlServer())).end()
    return true
  } catch (error) {
    return absent('MYSQL_HOST', 'MYSQL_PORT')(error)
  }
}

const mysqlServer = () => ({
  host: process.env['MYSQL_HOST'] ?? '127.0.0.1',
  port: Number(process.env['MYSQL_PORT'] ?? 3306),
  user: process.env['MYSQL_USER'] ?? 'root',
  password: process.env['MYSQL_PASSWORD'] ?? '',
})

/** Makes the database and the configuration. */
export const openSite = async (dialect: Dialect): Promise<Site> => {
  const folder = mkdtempSync(join(tmpdir(), 'records-site-'))
  const name = `records_${randomBytes(6).toString('hex')}`
  const url = await makeDatabase(dialect, name, folder)
  const database = await openRecordsDatabase({
    place: recordsPlace(url, folder, 'the test')!,
    password: undefined,
    connections: 2,
    timeout: 20_000,
  })
  for (const sql of tables(dialect)) await database.session.change(sql)
  mkdirSync(join(folder, 'work'))
  const config = join(folder, 'config.yaml')
  writeFileSync(
    config,
    `app: { work_dir: ${folder}/work }\nrecords: { tasks: { orders: map.yaml }, target_url: "${url}", workers: 2 }\n`,
  )
  writeFileSync(join(folder, 'map.yaml'), MAPPING)
  return {
    folder,
    url,
    config,
    database,
    fill: async (payloads) => {
      const rows = Object.entries(payloads).map(([key, text]) => [Number(key), text] as const)
      for (let at = 0; at < rows.length; at += 500) {
        const part = rows.slice(at, at + 500)
        await database.session.change(
          `INSERT INTO source_records (record_id, payload) VALUES ${part.map(() => '(?, ?)').join(', ')}`,
          part.flat(),
        )
      }
    },
    count: async (sql) => Number(Object.values((await database.session.rows(sql))[0] ?? { count: 0 })[0]),
    close: async () => {
      await database.close()
      await dropDatabase(dialect, name)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const makeDatabase = async (dialect: Dialect, name: string, folder: string): Promise<string> => {
  if (dialect === 'sqlite') return `sqlite:${join(folder, 'target.db')}`
  await administer(dialect, `CREATE DATABASE ${name}`)
  if (dialect === 'mssql') return mssqlUrl(name)
  if (dialect === 'postgres') {
    const { host, port, user, password } = postgresPlace()
    return `postgres://${user}:${password}@${host}:${port}/${name}`
  }
  const { host, port, user, password } = mysqlServer()
  return `mysql://${user}:${password}@${host}:${port}/${name}`
}

const dropDatabase = async (dialect: Dialect, name: string): Promise<void> => {
  if (dialect !== 'sqlite')
    await administer(
      dialect,
      dialect === 'mssql'
        ? `ALTER DATABASE ${name} SET SINGLE_USER WITH ROLLBACK IMMEDIATE; DROP DATABASE ${name}`
        : `DROP DATABASE ${name}${dialect === 'postgres' ? ' WITH (FORCE)' : ''}`,
    )
}

const mssqlUrl = (database: string): string => {
  const url = new URL(MSSQL_URL ?? '')
  url.pathname = `/${database}`
  return url.href
}

const administer = async (dialect: Dialect, sql: string): Promise<void> => {
  if (dialect === 'mssql') {
    const place = recordsPlace(mssqlUrl('master'), '.', 'RECORDS_MSSQL_URL')!
    const database = await openRecordsDatabase({
      place,
      password: undefined,
      connections: 1,
      timeout: 60_000,
    })
    await database.session.change(sql)
    await database.close()
  } else if (dialect === 'postgres') {
    const client = new pg.Client({ ...postgresPlace(), database: 'postgres' })
    await client.connect()
    await client.query(sql)
    await client.end()
  } else {
    const connection = await createConnection(mysqlServer())
    await connection.query(sql)
    await connection.end()
  }
}

/** A context that keeps what is printed. */
export const printing = (given: Partial<Context> = {}): { context: Context; printed: () => string } => {
  let text = ''
  const context: Context = {
    out: (more) => void (text += more),
    err: () => undefined,
    env: {},
    signal: new AbortController().signal,
    onHangup: () => undefined,
    die: () => {
      throw new Error('died')
    },
    terminal: { interactive: false, columns: 80, color: false },
    argv: [],
    version: 'test',
    ...given,
  }
  return { context, printed: () => text }
}
