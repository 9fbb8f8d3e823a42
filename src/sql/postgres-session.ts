import pg from 'pg'
import type { Result, Session, SessionOptions, Statement } from './session.ts'

/** How the server writes values in this session: exact, and the same whatever the role's defaults are. */
const SETTINGS = `SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET extra_float_digits = 3;
SET bytea_output = 'hex'; SET synchronous_commit = on; SET default_transaction_isolation = 'read committed';
SET default_transaction_read_only = off; SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0; SET row_security = off`

/** A statement with its values in place: the protocol takes several statements at once only without parameters. */
const whole = ({ sql, parameters = [] }: Statement): string =>
  sql.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\$(\d+)/g, (text: string, number: string | undefined) =>
    number === undefined ? text : literal(parameters[Number(number) - 1]),
  )

type Value = NonNullable<Statement['parameters']>[number]

const literal = (value: Value | undefined): string => {
  if (value === null || value === undefined) return 'NULL'
  return pg.escapeLiteral(typeof value === 'object' ? arrayText(value) : String(value))
}

const arrayText = (values: readonly Value[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : `"${String(value).replace(/["\\]/g, '\\$&')}"`)).join(',')}}`

/** Opens a connection to PostgreSQL, in UTC and READ COMMITTED. Every value comes as the server's text. */
export const openPostgresSession = async ({ url, password, timeout }: SessionOptions): Promise<Session> => {
  const address = new URL(url)
  if (password !== undefined) address.searchParams.set('password', password)
  const client = new pg.Client({
    connectionString: address.href,
    connectionTimeoutMillis: timeout,
    keepAlive: true,
    application_name: 'run-archiver rows',
    types: { getTypeParser: () => (value: string | Buffer) => String(value) },
  })
  // Without a listener a connection that the server ends would end the process; the next statement fails by itself.
  client.on('error', () => undefined)
  await client.connect()
  const run = async (sql: string, parameters: readonly unknown[] = []): Promise<Result> => {
    const answer = await client.query<Record<string, string | null>>(sql, [...parameters])
    return { rows: answer.rows, affected: answer.rowCount ?? 0 }
  }
  const runAll = async (statements: readonly Statement[]): Promise<readonly Result[]> => {
    const answer: unknown = await client.query(statements.map(whole).join(';\n'))
    const answers = (Array.isArray(answer) ? answer : [answer]) as pg.QueryResult<
      Record<string, string | null>
    >[]
    return answers.map(({ rows, rowCount }) => ({ rows, affected: rowCount ?? 0 }))
  }
  let ended = false
  const destroy = (): void => {
    ended = true
    // pg has no public call that drops a connection without saying goodbye; the stream is its documented field.
    ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
  }
  try {
    await client.query(`${SETTINGS}; SET lock_timeout = ${timeout}`)
  } catch (error) {
    destroy()
    throw error
  }
  return {
    dialect: 'postgres',
    run,
    runAll,
    destroy,
    close: () => (ended ? Promise.resolve() : client.end().catch(() => undefined)),
  }
}
