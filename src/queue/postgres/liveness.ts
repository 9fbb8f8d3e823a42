import type pg from 'pg'
import type { Identity } from '../../platform/host.ts'
import { endPostgres } from '../../sql/end-postgres.ts'
import { GOODBYE, type Connections, type Sql } from './connection.ts'
import { foldTallies } from './fold-tallies.ts'

export interface InstanceOptions {
  /** A name of this process that no other has. */
  readonly instance: string
  readonly identity: Identity
  readonly schema: string
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  /** Milliseconds between two looks for dead instances: each look asks the server for a lock. */
  readonly lookEvery: number
  /** Items that it works on at once, and processors that it may use: for `queue status`. */
  readonly workers?: number
  readonly processors?: number
}

/** Milliseconds between two signs of life of an instance that has nothing in hand. */
const HEARTBEAT = 5000

/** How many instances that ended are remembered for `queue status`. */
const REMEMBERED = 100

/**
 * Which instances live. Each holds an advisory lock on a connection of its own: the server frees it when the process dies, so a lock that
 * can be taken belongs to a dead process. One that is frozen, or whose machine vanished, keeps it a while: then its leases decide.
 */
export class Liveness {
  readonly #connections: Connections
  readonly #options: InstanceOptions
  #client: pg.Client | undefined
  /** The lock is being taken: a second session would wait for the first. */
  #locking: Promise<pg.Client> | undefined
  #lookedAt = -Infinity
  #beatAt = -Infinity

  constructor(connections: Connections, options: InstanceOptions) {
    this.#connections = connections
    this.#options = options
  }

  async register(): Promise<void> {
    const { instance, identity, schema, workers = 0, processors = 0 } = this.#options
    await this.holdLock()
    await this.#connections.executeSql(
      `INSERT INTO ${schema}.archiver_instances (id, host, pid, status, started_at, heartbeat_at, workers, processors)
       VALUES ($1, $2, $3, 'running', clock_timestamp(), clock_timestamp(), $4, $5)`,
      [instance, identity.host, identity.pid, workers, processors],
    )
    await this.#connections.executeSql(
      `DELETE FROM ${schema}.archiver_instances WHERE status <> 'running' AND id NOT IN
         (SELECT id FROM ${schema}.archiver_instances ORDER BY started_at DESC LIMIT ${REMEMBERED})`,
    )
    await foldTallies(this.#connections, schema)
  }

  /** Takes the lock again where the connection broke. Another instance may have taken our claims meanwhile: the epochs say so. */
  holdLock(): Promise<pg.Client> {
    if (this.#client) return Promise.resolve(this.#client)
    this.#locking ??= this.#takeLock().finally(() => (this.#locking = undefined))
    return this.#locking
  }

  async #takeLock(): Promise<pg.Client> {
    const client = await this.#connections.connect()
    client.on('end', () => {
      if (this.#client === client) this.#client = undefined
    })
    try {
      await client.query('SELECT pg_advisory_lock($1::bigint)', [await this.#keyOf(this.#options.instance)])
      this.#client = client
      return client
    } catch (error) {
      await endPostgres(client, GOODBYE)
      throw this.#connections.unavailable(error)
    }
  }

  /**
   * A sign of life, at most every few seconds, on the connection that holds the lock. A connection that does not answer is given up, and the
   * lock is taken on another: the server may have ended the session without a word to us, and then the others believe us dead.
   */
  async beat(every = HEARTBEAT): Promise<void> {
    const { instance, schema, monotonic } = this.#options
    const asked = monotonic()
    if (this.#client && asked - this.#beatAt < every) return
    const client = await this.holdLock()
    try {
      await client.query(
        `UPDATE ${schema}.archiver_instances SET heartbeat_at = clock_timestamp(), status = 'running', ended_at = NULL WHERE id = $1`,
        [instance],
      )
    } catch (error) {
      if (this.#client === client) this.#client = undefined
      // Not waited for: the goodbye has no way out either.
      void endPostgres(client, GOODBYE)
      throw this.#connections.unavailable(error)
    }
    this.#beatAt = asked
  }

  /** Instances that are registered as running and whose process is gone. */
  async dead(): Promise<readonly string[]> {
    const { instance, schema, monotonic, lookEvery } = this.#options
    if (monotonic() - this.#lookedAt < lookEvery) return []
    this.#lookedAt = monotonic()
    // The lock is let go in the same statement: it only says who is dead, and a process does not come back.
    const { rows } = await this.#connections.executeSql(
      `SELECT id FROM (SELECT id, pg_try_advisory_xact_lock(${keySql('id', schema)}) AS free FROM ${schema}.archiver_instances
         WHERE status = 'running' AND id <> $1) i WHERE free`,
      [instance],
    )
    return rows.map((row) => String(row['id']))
  }

  /** Signs off, in the transaction that gave back what this instance held. */
  async end(sql: Sql): Promise<void> {
    const { instance, schema } = this.#options
    await sql.executeSql(
      `UPDATE ${schema}.archiver_instances SET status = 'stopped', ended_at = clock_timestamp() WHERE id = $1`,
      [instance],
    )
  }

  /** Lets go of the lock. */
  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    if (client) await endPostgres(client, GOODBYE)
  }

  async #keyOf(instance: string): Promise<string> {
    const { rows } = await this.#connections.executeSql(
      `SELECT ${keySql('$1::text', this.#options.schema)} AS key`,
      [instance],
    )
    return String(rows[0]?.['key'])
  }
}

/** The advisory lock of an instance: a number of 64 bits, of the schema too, for several queues may share a database. */
const keySql = (id: string, schema: string): string =>
  `hashtextextended('run-archiver instance ${schema} ' || ${id}, 0)`
