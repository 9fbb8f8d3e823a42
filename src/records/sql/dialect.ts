import type { DialectName } from '../../sql/database-url.ts'

/** A name as it stands in SQL; `schema.table` in its parts. Names come from the mapping and are never trusted. */
export const quoted = (dialect: DialectName, name: string): string =>
  name
    .split('.')
    .map((part) =>
      dialect === 'mysql' ? `\`${part.replaceAll('`', '``')}\`` : `"${part.replaceAll('"', '""')}"`,
    )
    .join('.')

/** `?` placeholders as PostgreSQL counts them. Only for SQL of ours, which has no ? in texts. */
export const numbered = (sql: string): string => {
  const known = numberedBefore.get(sql)
  if (known !== undefined) return known
  let number = 0
  const text = sql.replace(/\?/g, () => `$${++number}`)
  if (numberedBefore.size < 500) numberedBefore.set(sql, text)
  return text
}

const numberedBefore = new Map<string, string>()

/** How many values one statement takes. */
export const MOST_VALUES: Readonly<Record<DialectName, number>> = {
  postgres: 60_000,
  mysql: 60_000,
  sqlite: 30_000,
}

/** A whole number or decimal column as text, so that no digit is lost on the way to us. */
export const asText = (dialect: DialectName, column: string): string =>
  `CAST(${column} AS ${dialect === 'mysql' ? 'CHAR' : 'TEXT'})`

/** `(?, ?), (?, ?)`. */
export const tuples = (count: number, width: number): string =>
  Array(count)
    .fill(`(${Array(width).fill('?').join(', ')})`)
    .join(', ')
