import { describe, expect, it } from 'vitest'
import { catalogueColumns } from '../../../src/records/sql/catalogue.ts'
import { UNBOUNDED, type CatalogueColumn } from '../../../src/records/sql/catalogue-column.ts'
import { classOf, constraintOf } from '../../../src/records/sql/classify-error.ts'
import { holdAgainstColumns } from '../../../src/records/sql/column-bounds.ts'
import type { RecordsDatabase, SqlRow } from '../../../src/records/sql/database.ts'
import { firstRows, named, quoted } from '../../../src/records/sql/dialect.ts'
import { insertStatements } from '../../../src/records/sql/insert-rows.ts'
import { logTableSql } from '../../../src/records/sql/log-table.ts'
import { loadTedious, tediousConfig } from '../../../src/records/sql/mssql-driver.ts'
import { mssqlLogInsert } from '../../../src/records/sql/mssql-log.ts'
import { recordsPlace } from '../../../src/records/sql/records-url.ts'
import type { Cell } from '../../../src/records/values/convert.ts'

const column = (name: string, type: string, more: Partial<CatalogueColumn> = {}): CatalogueColumn => ({
  ...{
    name,
    type,
    nullable: true,
    hasDefault: false,
    length: undefined,
    precision: undefined,
    scale: undefined,
  },
  ...UNBOUNDED,
  ...more,
})
const rows = (count: number, ...names: string[]) =>
  Array.from({ length: count }, (_, index) => new Map<string, Cell>(names.map((name) => [name, index])))

describe('SQL for SQL Server', () => {
  it('quotes names, so that none of them is anything else', () => {
    expect(quoted('mssql', 'dbo.a]; DROP TABLE b--')).toBe('[dbo].[a]]; DROP TABLE b--]')
  })
  it('names its parameters and bounds its reads', () => {
    expect(named(firstRows('mssql', 5, 'a FROM t WHERE b = ? AND c = ? ORDER BY a'))).toBe(
      'SELECT TOP (5) a FROM t WHERE b = @p1 AND c = @p2 ORDER BY a',
    )
  })
  it('inserts decimals by CAST, and an identity with IDENTITY_INSERT on and off in one batch', () => {
    const columns = new Map([
      ['id', column('id', 'int', { isIdentity: true })],
      ['total', column('total', 'decimal', { precision: 38, scale: 10 })],
      ['sum', column('sum', 'money', { precision: 19, scale: 4 })],
    ])
    const [statement] = insertStatements('mssql', 'dbo.t', rows(2, 'id', 'total', 'sum'), columns)
    expect(statement?.sql).toBe(
      'SET IDENTITY_INSERT [dbo].[t] ON; INSERT INTO [dbo].[t] ([id], [total], [sum]) VALUES (?, CAST(? AS decimal(38, 10)), ?), (?, CAST(? AS decimal(38, 10)), ?); SET IDENTITY_INSERT [dbo].[t] OFF',
    )
    expect(insertStatements('mssql', 'dbo.t', rows(1, 'total'), columns)[0]?.sql).toBe(
      'INSERT INTO [dbo].[t] ([total]) VALUES (CAST(? AS decimal(38, 10)))',
    )
  })
  it('takes at most 1000 rows and 2000 parameters a statement', () => {
    const sizes = (count: number, ...names: string[]) =>
      insertStatements('mssql', 't', rows(count, ...names)).map((one) => one.rows)
    expect(sizes(2001, 'a')).toEqual([1000, 1000, 1])
    expect(sizes(1001, 'a', 'b', 'c')).toEqual([666, 335])
    expect(
      Math.max(
        ...insertStatements('mssql', 't', rows(1001, 'a', 'b', 'c')).map(({ values }) => values.length),
      ),
    ).toBeLessThan(2100)
  })
  it('inserts a log row only where there is none, holding the gap', () => {
    expect(mssqlLogInsert(['app_id', 'status'])).toBe(
      'INSERT INTO [processing_log] (app_id, status) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM [processing_log] WITH (UPDLOCK, HOLDLOCK) WHERE task = ? AND app_id = ?)',
    )
  })
  it('makes the log with the columns that the other engines have', () => {
    const names = (sql: string): string[] =>
      sql
        .slice(sql.indexOf('(') + 1)
        .split(/,(?![^(]*\))/)
        .map((part) => /^[\s(]*(\w+)/.exec(part)?.[1] ?? '')
    const made = logTableSql('mssql', 'text')
    expect(made).toContain("IF OBJECT_ID(N'[processing_log]') IS NULL CREATE TABLE [processing_log] (")
    expect(names(made.slice(made.indexOf('CREATE')))).toEqual(names(logTableSql('postgres', 'text')))
    expect(made).toContain('app_id nvarchar(255) COLLATE Latin1_General_100_BIN2 NOT NULL')
    expect(logTableSql('mssql', 'bigint')).toContain('app_id bigint NOT NULL')
  })
})

describe('the catalogue of SQL Server', () => {
  const ofRow = async (row: SqlRow): Promise<CatalogueColumn | undefined> => {
    const session = {
      rows: () => Promise.resolve([{ name: 'v', nullable: 'YES', fallback: null, ...row }]),
      change: () => Promise.resolve(0),
    }
    const database = { dialect: 'mssql', session } as unknown as RecordsDatabase
    return (await catalogueColumns(database, 't'))?.get('v')
  }
  it.each<[SqlRow, Cell, string | undefined]>([
    [{ type: 'nvarchar', length: 2, charset: 'UNICODE' }, '😀', undefined],
    [{ type: 'nvarchar', length: 2, charset: 'UNICODE' }, '😀a', 'has 3 characters'],
    [{ type: 'nvarchar', length: -1, charset: 'UNICODE' }, 'x'.repeat(9000), undefined],
    [{ type: 'varchar', length: 9, charset: 'iso_1' }, 'é€', undefined],
    [{ type: 'varchar', length: 9, charset: 'iso_1' }, 'Ł', 'has characters that windows-1252 has not'],
    [{ type: 'tinyint' }, 255, undefined],
    [{ type: 'tinyint' }, -1, "is outside of the table's tinyint"],
    [{ type: 'datetime', fraction: 3 }, '1752-12-31 00:00:00', "is outside of the table's datetime"],
    [{ type: 'datetime', fraction: 3 }, '2024-01-31 00:00:00.123', undefined],
    [{ type: 'datetime', fraction: 3 }, '2024-01-31 00:00:00.125', 'would round'],
    [
      { type: 'smalldatetime', fraction: 0 },
      '2080-01-01 00:00:00',
      "is outside of the table's smalldatetime",
    ],
    [{ type: 'smalldatetime', fraction: 0 }, '2024-01-31 00:00:30', 'would round'],
    [{ type: 'datetime2', fraction: 3 }, '0001-01-01 00:00:00.125', undefined],
    [{ type: 'decimal', digits: 5, scale: 2 }, '1000', 'has more digits'],
    [{ type: 'bit' }, 1, undefined],
  ])('%j takes or refuses %j: %s', async (row, cell, message) => {
    const columns = new Map([['v', (await ofRow(row))!]])
    const hold = () =>
      holdAgainstColumns(new Map([['t', [new Map([['v', cell]])]]]), new Map([['t', columns]]))
    if (message === undefined) hold()
    else expect(hold).toThrow(message)
  })
  it('has a default for what fills itself', async () => {
    expect(await ofRow({ type: 'int', isIdentity: true })).toMatchObject({
      hasDefault: true,
      isIdentity: true,
    })
    expect(await ofRow({ type: 'int', isComputed: true })).toMatchObject({
      hasDefault: true,
      isIdentity: false,
    })
    expect(await ofRow({ type: 'int', isIdentity: false })).toMatchObject({ hasDefault: false })
  })
})

describe('an error of SQL Server', () => {
  const error = (number: number, message = ''): Error =>
    Object.assign(new Error(message), { number, code: 'EREQUEST' })
  it.each([
    ...[2627, 2601].map((number) => [number, 'duplicate'] as const),
    ...[547, 515].map((number) => [number, 'constraint'] as const),
    ...[1205, 1222, 40501].map((number) => [number, 'transient'] as const),
    ...[8152, 2628, 245, 8114, 8115, 241, 242].map((number) => [number, 'refused'] as const),
    ...[4060, 18456, 208, 229].map((number) => [number, 'unavailable'] as const),
  ])('%i is %s', (number, kind) => {
    expect(classOf(error(number))).toBe(kind)
  })
  it.each([
    ['ESOCKET', 'transient'],
    ['ECLOSE', 'transient'],
    ['ETIMEOUT', 'transient'],
    ['ELOGIN', 'unavailable'],
  ])('of the connection, %s, is %s', (code, kind) => {
    expect(classOf(Object.assign(new Error(''), { code }))).toBe(kind)
  })
  it.each([
    [
      2627,
      "Violation of PRIMARY KEY constraint 'PK_t'. Cannot insert duplicate key in object 'dbo.t'. The duplicate key value is (Ada).",
      'PK_t',
    ],
    [
      2601,
      "Cannot insert duplicate key row in object 'dbo.t' with unique index 'ix_name'. The duplicate key value is (Ada).",
      'ix_name',
    ],
    [
      547,
      'The INSERT statement conflicted with the FOREIGN KEY constraint "FK_t_u". The conflict occurred in database "d", table "dbo.u".',
      'FK_t_u',
    ],
    [
      515,
      "Cannot insert the value NULL into column 'born', table 'd.dbo.t'; column does not allow nulls.",
      'born',
    ],
  ])('%i names its constraint, and no value', (number, message, name) => {
    expect(constraintOf(error(number, message))).toBe(name)
  })
})

describe('the driver of SQL Server', () => {
  it('that is missing is named, with the command that installs it', async () => {
    const missing = () =>
      Promise.reject(Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' }))
    await expect(loadTedious(missing)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('npm install --ignore-scripts tedious@19.2.2') as string,
    })
  })
  it.each([
    ['mssql://u:p%40@host/db', { port: 1433, database: 'db', encrypt: true, trustServerCertificate: false }],
    ['mssql://u@host:1500/a%20b?encrypt=false', { port: 1500, database: 'a b', encrypt: false }],
    [
      'mssql://u@host/db?instance=SQLEXPRESS&trustServerCertificate=true',
      { instanceName: 'SQLEXPRESS', trustServerCertificate: true },
    ],
  ])('is told where %s is', (url, options) => {
    expect(tediousConfig(url, undefined, 1000)).toMatchObject({
      server: 'host',
      options: { ...options, requestTimeout: 1000 },
    })
  })
  it('takes the password of the file before that of the URL', () => {
    expect(tediousConfig('mssql://u:old@host/db', 'new', 1)).toMatchObject({
      authentication: { options: { userName: 'u', password: 'new' } },
    })
  })
  it('is asked for by mssql:// and sqlserver:// alone', () => {
    expect(recordsPlace('sqlserver://u@h/d', '.', 'x')).toEqual({ dialect: 'mssql', server: 'mssql://u@h/d' })
    expect(recordsPlace('postgres://u@h/d', '.', 'x')).toMatchObject({ dialect: 'postgres' })
    expect(() => recordsPlace('mssql:///d', '.', 'x')).toThrow('is not the URL of a database')
  })
})
