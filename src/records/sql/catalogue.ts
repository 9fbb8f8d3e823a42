import { textIn, type RecordsDatabase, type SqlRow } from './database.ts'
import { quoted } from './dialect.ts'

/** A column as the database knows it. */
export interface CatalogueColumn {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly hasDefault: boolean
  /** Characters; undefined where there is no such bound. */
  readonly length: number | undefined
  /** Digits of a decimal, and those behind the point; undefined where they are not bounded. */
  readonly precision: number | undefined
  readonly scale: number | undefined
  /** Whether the engine holds values to these bounds. SQLite does not. */
  readonly isBounded: boolean
  readonly isUnsigned: boolean
  /** Whether a whole number may come with a point and zeros behind it. */
  readonly takesPoint: boolean
  /** Bytes of a text in UTF-8, where these are bounded as well. */
  readonly bytes: number | undefined
  /** What the length counts: code points, or UTF-16 units. */
  readonly countsIn: 'characters' | 'units'
  /** The character set of a text, where it is one that takes fewer characters than there are. */
  readonly charset: string | undefined
  /** First and last moment, UTC, where the type has less than the calendar. */
  readonly range: readonly [string, string] | undefined
}

/** What a column is where the engine says nothing else. */
export const UNBOUNDED = {
  isBounded: true,
  isUnsigned: false,
  takesPoint: false,
  bytes: undefined,
  countsIn: 'characters',
  charset: undefined,
  range: undefined,
} as const satisfies Partial<CatalogueColumn>

/** The columns of a table by name; undefined where there is no such table. */
export const catalogueColumns = async (
  database: RecordsDatabase,
  table: string,
): Promise<ReadonlyMap<string, CatalogueColumn> | undefined> => {
  const columns =
    database.dialect === 'sqlite' ? await ofSqlite(database, table) : await ofServer(database, table)
  return columns.length === 0 ? undefined : new Map(columns.map((column) => [column.name, column]))
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
