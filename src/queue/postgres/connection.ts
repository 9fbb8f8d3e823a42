import { createHash } from 'node:crypto'
import pg from 'pg'
import { redactUrl } from '../../common/redact.ts'
import type { Secret } from '../../common/secret.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { countPostgres } from '../../sql/count-database.ts'
import { clientAt } from '../../sql/fresh-client.ts'
import { endPostgres } from '../../sql/end-postgres.ts'

/** Something that runs a statement: the pool, or one connection inside a transaction. pg-boss takes it as its `db`. */
export interface Sql {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: Row[]; rowCount: number }>
}

export type Row = Readonly<Record<string, unknown>>

export interface PostgresPlace {
  /** `postgres://user@host/database` */
  readonly server: string
  readonly password: Secret | undefined
  /** The schema of the tables. Checked with `schemaName`: it stands in SQL as it is. */
  readonly schema: string
  /** Milliseconds. */
  readonly lease: number
  /** Makes the tables, or brings them up to date. Its statements end when they end: the server goes on with one that its client gave up. */
  readonly migrate?: boolean
}

/** SQLSTATEs after which the same transaction may succeed: a deadlock, a serialization failure. */
const AGAIN = /^(?:40P01|40001)$/
const TRIES = 5

/**
 * Settled claims leave entries in the indexes until the next vacuum: an index scan marks them, so that it passes them once, while a bitmap scan reads
 * them each time.
 */
const BY_INDEX = 'SET enable_seqscan = off; SET enable_bitmapscan = off'

/** Milliseconds. A server that does not answer for so long is away. */
const TIMEOUT = 15_000

/** Milliseconds that the server has to take a goodbye. */
export const GOODBYE = 2000

/**
 * Connections to the queue's database. Everything that goes wrong with the server is QUEUE_UNAVAILABLE, and passes: the next statement
 * connects again.
 */
export class Connections implements Sql {
  readonly #pool: pg.Pool
  /** For `statements`. */
  readonly #planned: pg.Pool
  readonly #place: PostgresPlace

  constructor(place: PostgresPlace) {
    this.#place = place
    this.#pool = this.#poolOf(3, '')
    this.#planned = this.#poolOf(2, BY_INDEX)
  }

  async executeSql(text: string, values?: unknown[]): Promise<{ rows: Row[]; rowCount: number }> {
    try {
      const { rows, rowCount } = await this.#pool.query<Row>(text, values)
      return { rows, rowCount: rowCount ?? 0 }
    } catch (error) {
      throw this.unavailable(error)
    }
  }

  /**
   * All of it, or nothing. Begun again after a deadlock: `work` must only touch the database.
   */
  transaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    return this.#retried(() => this.#once(work))
  }

  /**
   * The same for work whose statements each may stand alone, and come again and again: the server plans each once for a connection, so their
   * texts must be few. A plan outlives the size that its tables had, so these read by index whatever the planner expects.
   */
  statements<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    const sql: Sql = {
      executeSql: async (text, values = []) => {
        const name = createHash('sha256').update(text).digest('base64url')
        const { rows, rowCount } = await this.#planned.query<Row>({ name, text, values })
        return { rows, rowCount: rowCount ?? 0 }
      },
    }
    return this.#retried(() => work(sql))
  }

  async #retried<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++)
      try {
        return await work()
      } catch (error) {
        if (!AGAIN.test(codeOf(error)) || tries >= TRIES) throw this.unavailable(error)
      }
  }

  /** A connection of its own, outside the pool. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({
      ...SETTINGS,
      connectionString: addressOf(this.#place),
      query_timeout: TIMEOUT,
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await this.#prepare(client)
      return client
    } catch (error) {
      await endPostgres(client, GOODBYE)
      throw this.unavailable(error)
    }
  }

  async close(): Promise<void> {
    await this.#pool.end().catch(() => undefined)
    await this.#planned.end().catch(() => undefined)
  }

  unavailable(error: unknown): ArchiverError {
    if (error instanceof ArchiverError) return error
    const isMissing = /^(?:42P01|3F000)$/.test(codeOf(error))
    return new ArchiverError(
      'QUEUE_UNAVAILABLE',
      `cannot use the queue ${redactUrl(this.#place.server)}: ${messageOf(error)}`,
      {
        cause: error,
        hint: isMissing ? MIGRATE : 'Look at the server of queue.url. Items stay pending until it answers.',
      },
    )
  }

  /** `settings`: statements for each session, before its first one. */
  #poolOf(max: number, settings: string): pg.Pool {
    const pool = new pg.Pool({
      ...SETTINGS,
      Client: clientAt(() => addressOf(this.#place)),
      max,
      verify: (client, done) => void this.#prepare(client, settings).then(() => done(), done),
      ...(this.#place.migrate ? {} : { query_timeout: TIMEOUT }),
      idleTimeoutMillis: 30_000,
      allowExitOnIdle: true,
    })
    // Without listeners (the other one is in `#prepare`) a connection that the server ends would end the process, also one that is checked out.
    pool.on('error', () => undefined)
    return pool
  }

  /** What holds for every session, before its first statement. */
  async #prepare(client: pg.ClientBase, settings = ''): Promise<void> {
    client.on('error', () => undefined)
    countPostgres(client)
    // The server notices a machine that vanished within some 25 s, and a process that is frozen inside a transaction after the lease. Until then
    // that process holds its locks, and nobody gets the rows that it was about to claim. `jit` is off: compiling a statement takes longer than running it.
    await client.query(
      `SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
       SET idle_in_transaction_session_timeout = ${Math.max(1000, Math.ceil(this.#place.lease))};
       SET jit = off;
       ${settings}`,
    )
  }

  async #once<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect()
    const sql: Sql = {
      executeSql: async (text, values) => {
        const { rows, rowCount } = await client.query<Row>(text, values)
        return { rows, rowCount: rowCount ?? 0 }
      },
    }
    let failure: Error | undefined
    try {
      await client.query('BEGIN')
      const result = await work(sql)
      await client.query('COMMIT')
      return result
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      throw error
    } finally {
      // A connection that saw an error is dropped: the server rolls back.
      client.release(failure)
    }
  }
}

/** The hint where the tables are missing or old. */
export const MIGRATE = 'Make the tables, or bring them up to date: run-archiver queue migrate'

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

const SETTINGS = {
  connectionTimeoutMillis: 10_000,
  keepAlive: true,
  application_name: 'run-archiver queue',
} as const satisfies pg.ClientConfig

const addressOf = ({ server, password }: PostgresPlace): string => {
  const url = new URL(server)
  if (password !== undefined) url.searchParams.set('password', password.current())
  return url.href
}
