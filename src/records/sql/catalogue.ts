import type { RecordsDatabase, SqlRow } from './database.ts'
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
}

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
  const rows = await session.rows(
    `SELECT column_name AS name, data_type AS type, is_nullable AS nullable, column_default AS fallback,
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
  }))
}

const numberIn = (row: SqlRow, name: string): number | undefined =>
  row[name] === null || row[name] === undefined ? undefined : Number(row[name])
