import type { DialectName } from '../../sql/database-url.ts'
import { qualified, type ColumnType, type Table } from './table-types.ts'

/** Times are `YYYY-MM-DD HH:MM:SS.mmm` in UTC on the way in (sql/timestamps.ts); `json` is text on our side everywhere. */
export const SQL_TYPES: Readonly<Record<ColumnType, Readonly<Record<DialectName, string>>>> = {
  id: {
    sqlite: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    postgres: 'BIGSERIAL PRIMARY KEY',
    mysql: 'BIGINT AUTO_INCREMENT PRIMARY KEY',
  },
  uuid: { sqlite: 'TEXT', postgres: 'UUID', mysql: 'CHAR(36)' },
  word: { sqlite: 'TEXT', postgres: 'VARCHAR(50)', mysql: 'VARCHAR(50)' },
  name: { sqlite: 'TEXT', postgres: 'VARCHAR(255)', mysql: 'VARCHAR(255)' },
  path: { sqlite: 'TEXT', postgres: 'TEXT', mysql: 'TEXT' },
  text: { sqlite: 'TEXT', postgres: 'TEXT', mysql: 'TEXT' },
  int: { sqlite: 'INTEGER', postgres: 'INTEGER', mysql: 'INT' },
  big: { sqlite: 'INTEGER', postgres: 'BIGINT', mysql: 'BIGINT' },
  // Wider than the original's NUMERIC(5,2): sixteen busy threads are 1600 % of a processor.
  percent: { sqlite: 'REAL', postgres: 'NUMERIC(8,2)', mysql: 'DECIMAL(8,2)' },
  real: { sqlite: 'REAL', postgres: 'DOUBLE PRECISION', mysql: 'DOUBLE' },
  // MySQL's TIMESTAMP, unlike its DATETIME, is the same moment to every session, so a query's NOW() compares rightly.
  time: { sqlite: 'TEXT', postgres: 'TIMESTAMPTZ', mysql: 'TIMESTAMP(3)' },
  json: { sqlite: 'TEXT', postgres: 'JSONB', mysql: 'LONGTEXT' },
}

const NOW: Readonly<Record<DialectName, string>> = {
  sqlite: "(strftime('%Y-%m-%d %H:%M:%f', 'now'))",
  postgres: 'now()',
  mysql: 'CURRENT_TIMESTAMP(3)',
}

/** `CREATE TABLE` and its indexes. Each may be run again: what exists stays. `schema` qualifies names on PostgreSQL. */
export const createStatements = (
  tables: Readonly<Record<string, Table>>,
  dialect: DialectName,
  schema: string | undefined,
): string[] =>
  Object.entries(tables).flatMap(([name, table]) => {
    const place = qualified(schema, name)
    const columns = Object.entries(table.columns).map(([column, type]) =>
      [column, SQL_TYPES[type][dialect], nullness(table, column, type, dialect)].filter(Boolean).join(' '),
    )
    const constraints = [`CONSTRAINT uq_${name} UNIQUE (${table.key.join(', ')})`, ...(table.checks ?? [])]
    const tail = tailOf(table, dialect)
    // MySQL has no CREATE INDEX IF NOT EXISTS, so its indexes stand inside the table.
    const inside =
      dialect === 'mysql'
        ? Object.entries(table.indexes ?? {}).map(([index, over]) => `INDEX ${index} (${over})`)
        : []
    const create = `CREATE TABLE IF NOT EXISTS ${place} (\n  ${[...columns, ...constraints, ...inside].join(',\n  ')}\n)${tail}`
    if (dialect === 'mysql') return [create]
    const indexes = Object.entries(table.indexes ?? {}).map(
      ([index, over]) => `CREATE INDEX IF NOT EXISTS ${index} ON ${place} (${over})`,
    )
    // Rows of a month that has no partition of its own.
    const rest =
      dialect === 'postgres' && table.partitionBy
        ? [`CREATE TABLE IF NOT EXISTS ${place}_default PARTITION OF ${place} DEFAULT`]
        : []
    return [create, ...rest, ...indexes]
  })

const tailOf = ({ partitionBy }: Table, dialect: DialectName): string => {
  if (dialect === 'mysql') return ' ENGINE=InnoDB DEFAULT CHARSET=utf8mb4'
  return dialect === 'postgres' && partitionBy ? ` PARTITION BY RANGE (${partitionBy})` : ''
}

const nullness = (table: Table, column: string, type: ColumnType, dialect: DialectName): string => {
  if (type === 'id') return ''
  const fallback = table.defaults?.[column]
  const value = fallback === 'now' ? NOW[dialect] : fallback
  const needed = table.needed.includes(column)
  // MariaDB gives the first TIMESTAMP without a word about null an automatic update.
  if (dialect === 'mysql' && type === 'time' && value === undefined)
    return needed ? "NOT NULL DEFAULT '2000-01-01 00:00:00'" : 'NULL DEFAULT NULL'
  return `${needed ? 'NOT NULL' : ''}${value === undefined ? '' : ` DEFAULT ${value}`}`.trim()
}
