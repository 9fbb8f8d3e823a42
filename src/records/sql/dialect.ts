import type { RecordsDialect } from './records-url.ts'

/** A name as it stands in SQL; `schema.table` in its parts. Names come from the mapping and are never trusted. */
export const quoted = (dialect: RecordsDialect, name: string): string =>
  name
    .split('.')
    .map((part) => {
      if (dialect === 'mysql') return `\`${part.replaceAll('`', '``')}\``
      return dialect === 'mssql' ? `[${part.replaceAll(']', ']]')}]` : `"${part.replaceAll('"', '""')}"`
    })
    .join('.')

/** Numbers `?` placeholders as PostgreSQL does, `$1`. `??` becomes its operator `?`. A `?` in a text, a quoted name or a comment stays. */
export const numbered = (sql: string): string => counted(sql, '$', numberedBefore)

/** Names `?` placeholders as SQL Server does, `@p1`. A `?` in a text, a quoted name or a comment stays. */
export const named = (sql: string): string => counted(sql, '@p', namedBefore)

/** Whether a query of a mapping, which has no values, would be taken to have a placeholder. */
export const hasPlaceholder = (dialect: RecordsDialect, query: string): boolean =>
  (query.match(QUOTED_OR_PLACE) ?? []).some(
    (part) => part === '?' || (part === '??' && dialect !== 'postgres'),
  )

const counted = (sql: string, sign: string, before: Map<string, string>): string => {
  const known = before.get(sql)
  if (known !== undefined) return known
  let number = 0
  const text = sql.replace(QUOTED_OR_PLACE, (part) =>
    part === '?' ? `${sign}${++number}` : part === '??' ? '?' : part,
  )
  if (before.size < 500) before.set(sql, text)
  return text
}

/** A query of a mapping may hold any of these. */
const QUOTED_OR_PLACE = /'(?:[^']|'')*'|"[^"]*"|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|\?\??/g

const numberedBefore = new Map<string, string>()
const namedBefore = new Map<string, string>()

/** How many values one statement takes. */
export const MOST_VALUES: Readonly<Record<RecordsDialect, number>> = {
  postgres: 60_000,
  mysql: 60_000,
  sqlite: 30_000,
  // Of 2100 some are the driver's.
  mssql: 2000,
}

/** How many rows a list of VALUES takes. */
export const MOST_ROWS: Readonly<Record<RecordsDialect, number>> = {
  postgres: Infinity,
  mysql: Infinity,
  sqlite: Infinity,
  mssql: 1000,
}

/** A whole number or decimal column as text, so that no digit is lost on the way to us. */
export const asText = (dialect: RecordsDialect, column: string): string =>
  `CAST(${column} AS ${TEXT[dialect]})`

const TEXT: Readonly<Record<RecordsDialect, string>> = {
  postgres: 'TEXT',
  sqlite: 'TEXT',
  mysql: 'CHAR',
  mssql: 'nvarchar(4000)',
}

/** The first rows of a SELECT that has an order. `rest` begins with its columns. */
export const firstRows = (dialect: RecordsDialect, most: number, rest: string): string =>
  dialect === 'mssql' ? `SELECT TOP (${most}) ${rest}` : `SELECT ${rest} LIMIT ${most}`

/** `(?, ?), (?, ?)`. */
export const tuples = (count: number, width: number): string =>
  Array(count)
    .fill(`(${Array(width).fill('?').join(', ')})`)
    .join(', ')
