import { textIn, type Session, type SqlRow } from './database.ts'
import { UNBOUNDED, type CatalogueColumn } from './catalogue-column.ts'
import { quoted } from './dialect.ts'

/** The columns of a table of SQL Server; none where there is no such table. */
export const mssqlColumns = async (session: Session, table: string): Promise<CatalogueColumn[]> => {
  const rows = await session.rows(
    `SELECT c.COLUMN_NAME AS name, c.DATA_TYPE AS type, c.IS_NULLABLE AS nullable, c.COLUMN_DEFAULT AS fallback,
            c.CHARACTER_MAXIMUM_LENGTH AS length, c.CHARACTER_OCTET_LENGTH AS octets, c.CHARACTER_SET_NAME AS charset,
            c.NUMERIC_PRECISION AS digits, c.NUMERIC_SCALE AS scale, c.DATETIME_PRECISION AS fraction,
            s.is_identity AS isIdentity, s.is_computed AS isComputed
       FROM INFORMATION_SCHEMA.COLUMNS c
       JOIN sys.columns s ON s.object_id = OBJECT_ID(?) AND s.name = c.COLUMN_NAME
      WHERE c.TABLE_NAME = OBJECT_NAME(OBJECT_ID(?)) AND c.TABLE_SCHEMA = OBJECT_SCHEMA_NAME(OBJECT_ID(?))
      ORDER BY c.ORDINAL_POSITION`,
    Array<string>(3).fill(quoted('mssql', table)),
  )
  return rows.map(columnOf)
}

const columnOf = (row: SqlRow): CatalogueColumn => {
  const type = (textIn(row, 'type') ?? '').toLowerCase()
  const number = (name: string): number | undefined => {
    const value = row[name]
    // -1 is the length of a text without a bound.
    return value === null || value === undefined || Number(value) < 0 ? undefined : Number(value)
  }
  const isIdentity = isSet(row['isIdentity'])
  return {
    name: textIn(row, 'name') ?? '',
    type,
    nullable: row['nullable'] === 'YES',
    hasDefault: row['fallback'] !== null || isIdentity || isSet(row['isComputed']) || type === 'timestamp',
    length: number('length'),
    precision: number('digits'),
    scale: number('scale') ?? number('fraction'),
    ...UNBOUNDED,
    isIdentity,
    // tinyint goes from 0 to 255 here.
    isUnsigned: type === 'tinyint',
    countsIn: 'units',
    // A varchar turns a character that its code page has not into a question mark, without a word.
    charset: textIn(row, 'charset') === 'iso_1' ? 'windows-1252' : undefined,
    bytes: /^utf-?8$/i.test(textIn(row, 'charset') ?? '') ? number('octets') : undefined,
    range: RANGES[type],
    step: type === 'datetime' ? 'tick' : type === 'smalldatetime' ? 'minute' : undefined,
  }
}

const isSet = (value: unknown): boolean => Number(value) === 1

const RANGES: Readonly<Record<string, readonly [string, string]>> = {
  datetime: ['1753-01-01T00:00:00', '9999-12-31T23:59:59'],
  smalldatetime: ['1900-01-01T00:00:00', '2079-06-06T23:59:00'],
}

/** The unique indexes of a table by name, a row for each column. Filtered ones are left out. */
export const MSSQL_KEYS = `SELECT i.name AS name, c.name AS item FROM sys.indexes i
  JOIN sys.index_columns x ON x.object_id = i.object_id AND x.index_id = i.index_id AND x.is_included_column = 0
  JOIN sys.columns c ON c.object_id = x.object_id AND c.column_id = x.column_id
 WHERE i.object_id = OBJECT_ID(?) AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0`

/** The tables that rows of a table refer to. */
export const MSSQL_REFERENCES = `SELECT OBJECT_NAME(f.referenced_object_id) AS item FROM sys.foreign_keys f
 WHERE f.parent_object_id = OBJECT_ID(?) AND f.is_disabled = 0`
