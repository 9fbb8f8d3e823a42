/** SQLSTATEs of PostgreSQL: the table, column, index, type or schema is there. */
const POSTGRES_THERE = /^42(?:P07|P06|701|710)$/

/** Numbers of MySQL: table exists, column exists, index exists. */
const MYSQL_THERE = new Set([1050, 1060, 1061])

/** Numbers of SQL Server: the object is there, the column is there. */
const MSSQL_THERE = new Set([2714, 2705])

const MOST_ATTEMPTS = 5

/**
 * Runs statements that make what is missing (tables, columns, indexes), and again where another program made the same at the same time:
 * PostgreSQL refuses one of two `CREATE TABLE IF NOT EXISTS` that run at once, because it looks the name up before it takes it. `make`
 * must ask again what is missing, or say IF NOT EXISTS.
 */
export const makeOnce = async (make: () => Promise<void>): Promise<void> => {
  for (let attempt = 1; ; attempt++)
    try {
      await make()
      return
    } catch (error) {
      if (!wasMadeMeanwhile(error) || attempt >= MOST_ATTEMPTS) throw error
    }
}

const wasMadeMeanwhile = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  const { code, errno, number, schema } = error as Error &
    Partial<Record<'code' | 'errno' | 'number' | 'schema', unknown>>
  if (typeof number === 'number' && MSSQL_THERE.has(number)) return true
  if (typeof errno === 'number' && MYSQL_THERE.has(errno)) return true
  if (code === '23505') return schema === 'pg_catalog'
  if (code === 'XX000') return error.message.includes('tuple concurrently updated')
  return typeof code === 'string' && POSTGRES_THERE.test(code)
}
