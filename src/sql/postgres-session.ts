import pg from 'pg'
import type { Result, Session, SessionOptions, Statement } from './session.ts'
import { countPostgres } from './count-database.ts'
import { endPostgres, postgresSocket } from './end-postgres.ts'
import { withParameters } from './postgres-text.ts'
import { inTime, SilenceWatch } from './silence-watch.ts'

/** How the server writes values in this session: exact, and the same whatever the role's defaults are. */
const SETTINGS = `SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET extra_float_digits = 3;
SET bytea_output = 'hex'; SET synchronous_commit = on; SET default_transaction_isolation = 'read committed';
SET default_transaction_read_only = off; SET idle_in_transaction_session_timeout = 0; SET row_security = off;
SET standard_conforming_strings = on; SET array_nulls = on; SET xmloption = content;
SET lc_monetary = 'C'`

/** A statement with its values in place: the protocol takes several statements at once only without parameters. */
const whole = ({ sql, parameters = [] }: Statement): string =>
  withParameters(sql, (number) => literal(parameters[number - 1]))

type Value = NonNullable<Statement['parameters']>[number]

const literal = (value: Value | undefined): string => {
  if (value === null || value === undefined) return 'NULL'
  return pg.escapeLiteral(typeof value === 'object' ? arrayText(value) : String(value))
}

const arrayText = (values: readonly Value[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : `"${String(value).replace(/["\\]/g, '\\$&')}"`)).join(',')}}`

/** A role whose own limit is a millisecond, on a busy server, does not even come to lift it at the first try. */
const MOST_TRIES = 100

const QUERY_CANCELED = '57014'

/**
 * Lifts the role's limit of a statement's time, in a statement of its own: until then the limit holds for that one too. Then runs `settings`,
 * which may be repeated: a limit that ran out at the end of the first statement cancels the next one.
 */
const withoutTimeLimit = async (client: pg.Client, settings: string): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      await client.query('SET statement_timeout = 0')
      await client.query(settings)
      return
    } catch (error) {
      const isCanceled = error instanceof pg.DatabaseError && error.code === QUERY_CANCELED
      if (!isCanceled || tries === MOST_TRIES) throw error
    }
  }
}

/** Takes pg_catalog out of the search path, so that it comes first: another schema's operators could compare in another way. */
const ownOperators = async (client: pg.Client): Promise<void> => {
  const { rows } = await client.query<{ path: string }>("SELECT current_setting('search_path') AS path")
  const schemas = (rows[0]?.path ?? '').split(',').map((name) => name.trim())
  const others = schemas.filter((name) => !/^"?pg_catalog"?$/i.test(name))
  if (others.length < schemas.length)
    await client.query("SELECT set_config('search_path', $1, false)", [others.join(', ')])
}

const NO_SECOND =
  'to see whether the pooler shares sessions takes a second one, and it gave none (enlarge its pool, or connect to the server itself)'

/** A pooler that shares sessions shows it at the first look, unless others are quick to take the session meanwhile. */
const LOOKS = 10

/**
 * Whether a pooler shares sessions of the server between its clients. Throws where it cannot be seen within the time. A pooler gives a process number of its own; then another connection, in a
 * transaction, must not get our session, and we must keep it.
 *
 * A pooler that has no session left makes its clients wait, for minutes.
 */
const sharesSessions = async (
  client: pg.Client,
  open: () => pg.Client,
  timeout: number,
): Promise<boolean> => {
  const pid = async (of: pg.Client): Promise<string> =>
    (await of.query<{ pid: string }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? ''
  const given = (client as unknown as { processID: number | null }).processID
  if (String(given) === (await pid(client))) return false
  const other = open()
  other.on('error', () => undefined)
  const look = async (): Promise<boolean> => {
    await other.connect()
    await withoutTimeLimit(other, 'SELECT 1')
    for (let looks = 0; looks < LOOKS; looks++) {
      const before = await pid(client)
      await other.query('BEGIN')
      const theirs = await pid(other)
      const after = await pid(client)
      await other.query('COMMIT')
      if (theirs === before || after !== before) return true
    }
    return false
  }
  try {
    return await inTime(look(), timeout, NO_SECOND)
  } finally {
    dropNow(other)
  }
}

const dropNow = (client: pg.Client): void => {
  postgresSocket(client).destroy()
}

/**
 * Asks over a connection of its own whether the server works on the statement of a session. One that waits for us to read has an answer
 * that does not come. Where the session is not known, or what it does is not shown, a server that answers works as far as it says.
 */
const isAtWork = async (
  open: () => pg.Client,
  pid: string | undefined,
  timeout: number,
): Promise<boolean> => {
  const other = open()
  other.on('error', () => undefined)
  try {
    await other.connect()
    const question = other.query<{ work: string }>(
      "SELECT (state IN ('active', 'disabled') AND wait_event_type IS DISTINCT FROM 'Client') IS NOT FALSE AS work FROM pg_stat_activity WHERE pid = $1",
      [pid ?? '0'],
    )
    const { rows } = await inTime(question, timeout, 'no answer')
    return pid === undefined || rows[0]?.work === 't'
  } catch (error) {
    return error instanceof pg.DatabaseError // too many connections, for one
  } finally {
    dropNow(other)
  }
}

/** Opens a connection to PostgreSQL, in UTC and READ COMMITTED. Every value comes as the server's text. */
export const openPostgresSession = async ({ url, password, timeout }: SessionOptions): Promise<Session> => {
  const address = new URL(url)
  if (password !== undefined) address.searchParams.set('password', password)
  const make = (): pg.Client =>
    new pg.Client({
      connectionString: address.href,
      connectionTimeoutMillis: timeout,
      keepAlive: true,
      application_name: 'run-archiver rows',
      types: { getTypeParser: () => (value: string | Buffer) => String(value) },
    })
  const client = make()
  // Without a listener a connection that the server ends would end the process; the next statement fails by itself.
  client.on('error', () => undefined)
  await client.connect()
  countPostgres(client)
  const watch = new SilenceWatch(postgresSocket(client), timeout)
  const run = async (sql: string, parameters: readonly unknown[] = []): Promise<Result> => {
    const answer = await watch.during(() => client.query<Record<string, string | null>>(sql, [...parameters]))
    return { rows: answer.rows, affected: answer.rowCount ?? 0 }
  }
  const runAll = async (statements: readonly Statement[]): Promise<readonly Result[]> => {
    const answer: unknown = await watch.during(() => client.query(statements.map(whole).join(';\n')))
    const answers = (Array.isArray(answer) ? answer : [answer]) as pg.QueryResult<
      Record<string, string | null>
    >[]
    return answers.map(({ rows, rowCount }) => ({ rows, affected: rowCount ?? 0 }))
  }
  let ended = false
  let isShared: boolean
  const destroy = (): void => {
    ended = true
    dropNow(client)
  }
  try {
    const settings = withoutTimeLimit(client, `${SETTINGS}; SET lock_timeout = ${timeout}`)
    await inTime(settings, timeout, 'the server or its pooler gave no session')
    isShared = await watch.during(async () => {
      await ownOperators(client)
      // A role that may not set this cannot skip foreign keys by itself either; whoever needs them asks for the value.
      await client.query('SET session_replication_role = origin').catch(() => undefined)
      return sharesSessions(client, make, timeout)
    })
    const pid = isShared ? undefined : (await run('SELECT pg_backend_pid() AS pid')).rows[0]?.['pid']
    watch.askBy(() => isAtWork(make, pid ?? undefined, timeout))
  } catch (error) {
    destroy()
    throw error
  }
  return {
    dialect: 'postgres',
    isShared,
    run,
    runAll,
    destroy,
    close: () => (ended ? Promise.resolve() : endPostgres(client, timeout)),
  }
}
