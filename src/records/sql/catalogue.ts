import type { Mapping } from '../mapping/model.ts'
import { UNBOUNDED, type Catalogue, type CatalogueColumn } from './catalogue-column.ts'
import { textIn, type RecordsDatabase, type SqlRow } from './database.ts'
import { quoted } from './dialect.ts'
import { mssqlColumns } from './mssql-catalogue.ts'

/** The columns of a table by name; undefined where there is no such table. */
export const catalogueColumns = async (
  database: RecordsDatabase,
  table: string,
): Promise<ReadonlyMap<string, CatalogueColumn> | undefined> => {
  const columns = await columnsOf(database, table)
  return columns.length === 0 ? undefined : new Map(columns.map((column) => [column.name, column]))
}

/** Columns of every table of a mapping. A table that is not there is left out. */
export const catalogueOf = async (database: RecordsDatabase, mapping: Mapping): Promise<Catalogue> => {
  const catalogue = new Map<string, ReadonlyMap<string, CatalogueColumn>>()
  for (const { name } of mapping.tables) {
    const columns = await catalogueColumns(database, name)
    if (columns) catalogue.set(name, columns)
  }
  return catalogue
}

const columnsOf = async (database: RecordsDatabase, table: string): Promise<CatalogueColumn[]> => {
  if (database.dialect === 'mssql') return mssqlColumns(database.session, table)
  return database.dialect === 'sqlite' ? ofSqlite(database, table) : ofServer(database, table)
}

const ofSqlite = async (database: RecordsDatabase, table: string): Promise<CatalogueColumn[]> => {
  const name = table.split('.').at(-1) ?? table
  const rows = await database.session.rows(`PRAGMA table_xinfo(${quoted('sqlite', name)})`)
  return rows.map(({ name: column, type, notnull, dflt_value: fallback, pk }) => ({
    name: String(column),
    type: String(type).toLowerCase(),
    nullable: Number(notnull) === 0,
    // A lone INTEGER PRIMARY KEY fills itself.
    hasDefault: fallback !== null || (Number(pk) > 0 && /^integer$/i.test(String(type))),
    length: lengthIn(String(type)),
    precision: undefined,
    scale: undefined,
    ...UNBOUNDED,
    isBounded: false,
  }))
}

const lengthIn = (type: string): number | undefined => {
  const length = /char\w*\s*\((\d+)\)/i.exec(type)?.[1]
  return length === undefined ? undefined : Number(length)
}

const ofServer = async ({ session, dialect }: RecordsDatabase, table: string): Promise<CatalogueColumn[]> => {
  const parts = table.split('.')
  const name = parts.at(-1) ?? table
  const here = dialect === 'mysql' ? 'DATABASE()' : 'current_schema()'
  const schema = parts.length > 1 ? parts[0] : undefined
  const generated =
    dialect === 'mysql' ? "CASE WHEN extra LIKE '%auto_increment%' THEN 'YES' ELSE 'NO' END" : 'is_identity'
  const ofMysql =
    'column_type AS whole, character_set_name AS charset, character_octet_length AS octets, VERSION() AS version,'
  const rows = await session.rows(
    `SELECT ${dialect === 'mysql' ? ofMysql : ''} column_name AS name, data_type AS type, is_nullable AS nullable, column_default AS fallback,
            character_maximum_length AS length, numeric_precision AS digits, numeric_scale AS scale,
            datetime_precision AS fraction, ${generated} AS generated
       FROM information_schema.columns WHERE table_name = ? AND table_schema = ${schema === undefined ? here : '?'}`,
    schema === undefined ? [name] : [name, schema],
  )
  return rows.map((row) => ({
    name: String(row['name']),
    type: String(row['type']).toLowerCase(),
    nullable: row['nullable'] === 'YES',
    hasDefault: (row['fallback'] !== null && row['fallback'] !== 'NULL') || row['generated'] === 'YES',
    length: numberIn(row, 'length'),
    precision: numberIn(row, 'digits'),
    scale: numberIn(row, 'scale') ?? numberIn(row, 'fraction'),
    ...UNBOUNDED,
    ...(dialect === 'mysql' ? boundsOfMysql(row) : {}),
  }))
}

const boundsOfMysql = (row: SqlRow): Partial<CatalogueColumn> => {
  const [type, charset] = [textIn(row, 'type') ?? '', textIn(row, 'charset') ?? '']
  return {
    takesPoint: true,
    isUnsigned: /unsigned/i.test(textIn(row, 'whole') ?? ''),
    // A text of another character set takes other bytes.
    bytes: charset.startsWith('utf8') ? numberIn(row, 'octets') : undefined,
    charset: charset === '' || charset === 'utf8mb4' ? undefined : charset,
    range:
      type === 'timestamp' ? ['1970-01-01T00:00:01', lastTimestamp(textIn(row, 'version') ?? '')] : undefined,
  }
}

/** MariaDB counts the seconds of a timestamp without a sign from 11.5 on. */
const lastTimestamp = (version: string): string => {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+).*MariaDB/.exec(version) ?? []
  return Number(major) > 11 || (major === '11' && Number(minor) >= 5)
    ? '2106-02-07T06:28:15'
    : '2038-01-19T03:14:07'
}

const numberIn = (row: SqlRow, name: string): number | undefined =>
  row[name] === null || row[name] === undefined ? undefined : Number(row[name])
