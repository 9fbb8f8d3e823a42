import { ArchiverError } from '../errors.ts'
import { makeOnce } from '../sql/make.ts'
import { openSession } from '../sql/open-session.ts'
import type { Session, SessionOptions } from '../sql/session.ts'
import { troubleOf } from './server-errors.ts'
import type { Probe } from './probe.ts'

const numberOf = (rows: readonly Readonly<Record<string, string | null>>[]): number | undefined => {
  const value = rows[0] && Object.values(rows[0])[0]
  return value === undefined || value === null || value === '' ? undefined : Number(value)
}

const ask = async (session: Session, sql: string): Promise<number | undefined> =>
  numberOf((await session.run(sql)).rows)

/** Aurora's own list of its replicas; no other server has it. */
const AURORA =
  "SELECT MAX(REPLICA_LAG_IN_MILLISECONDS) / 1000 FROM information_schema.REPLICA_HOST_STATUS WHERE SESSION_ID <> 'MASTER_SESSION_ID'"

/** A replica as metrics name it: never its user or password. */
const nameOf = ({ url }: SessionOptions): string => {
  const { hostname, port } = new URL(url)
  return port === '' ? hostname : `${hostname}:${port}`
}

/**
 * Asks servers. The lag of a replica is measured by a row of our own where it may be written (`heartbeat` names the table), else it is what the
 * replica says of itself. A replica that does not answer has an unknown lag.
 */
export class ServerProbe implements Probe {
  readonly #replicas: readonly SessionOptions[]
  readonly #heartbeat: string
  readonly #open = new Map<SessionOptions, Session>()
  #beats: boolean | undefined
  readonly #lags = new Map<string, number | undefined>()

  get lags(): ReadonlyMap<string, number | undefined> {
    return this.#lags
  }

  constructor(replicas: readonly SessionOptions[], heartbeat: string) {
    this.#replicas = replicas
    this.#heartbeat = heartbeat
  }

  async seesOthers(source: Session): Promise<boolean> {
    if (source.dialect === 'mysql') return true
    const sql = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees"
    return (await source.run(sql)).rows[0]?.['sees'] === 't'
  }

  async knowsReplicas(source: Session): Promise<boolean> {
    if (this.#replicas.length > 0 || source.dialect === 'postgres') return true
    return source.run(AURORA).then(
      () => true,
      (error: unknown) => {
        if (troubleOf(error) === 'transient') throw error
        return false
      },
    )
  }

  async lag(source: Session): Promise<number | undefined> {
    if (this.#replicas.length === 0) {
      const lag = await (source.dialect === 'mysql' ? this.#aurora(source) : this.#standbys(source))
      this.#lags.set('all', lag)
      return lag
    }
    const beat = await this.#beat(source)
    const lags: number[] = []
    for (const replica of this.#replicas) {
      const lag = await this.#lagOf(replica, source, beat).catch(() => undefined)
      this.#lags.set(nameOf(replica), lag)
      if (lag === undefined) {
        this.#open.get(replica)?.destroy()
        this.#open.delete(replica)
        return undefined
      }
      lags.push(lag)
    }
    return Math.max(...lags)
  }

  async hll(source: Session): Promise<number | undefined> {
    if (source.dialect === 'postgres')
      return ask(
        source,
        'SELECT max(GREATEST(age(backend_xmin), age(backend_xid))) FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
      ).then((age) => age ?? 0)
    const metric = await ask(
      source,
      "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'",
    ).catch(() => undefined)
    return metric ?? this.status(source, 'Innodb_history_list_length')
  }

  async status(source: Session, name: string): Promise<number | undefined> {
    if (source.dialect === 'postgres') {
      if (name.toLowerCase() !== 'threads_running') return undefined
      return ask(
        source,
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend'",
      )
    }
    const { rows } = await source.run('SHOW GLOBAL STATUS LIKE ?', [name])
    const value = rows[0]?.['Value']
    // Some are words: ON, a version. They are below no limit and above none.
    return typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined
  }

  async query(source: Session, sql: string): Promise<number> {
    const { rows } = await source.run(sql)
    const value = (rows[0] && Object.values(rows[0])[0]) ?? ''
    // A comparison: MariaDB says 1 or 0, PostgreSQL t or f.
    const number = value === 't' ? 1 : value === 'f' ? 0 : Number(value)
    if (Number.isNaN(number))
      throw new ArchiverError('CONFIG_INVALID', `rows.throttle.query: "${value}" is not a number`, {
        hint: 'let it give a number above 0, or a comparison that holds, where batches are to wait',
      })
    return number
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((session) => session.close()))
  }

  /** Writes the source's time into our row; false: it may not be written. Throws trouble that passes. */
  async #beat(source: Session): Promise<boolean> {
    if (this.#beats === false) return false
    try {
      if (this.#beats === undefined)
        await makeOnce(async () => {
          await source.run(
            `CREATE TABLE IF NOT EXISTS ${this.#heartbeat} (id INT PRIMARY KEY, beat DOUBLE PRECISION NOT NULL)`,
          )
        })
      await source.run(
        source.dialect === 'mysql'
          ? `INSERT INTO ${this.#heartbeat} VALUES (1, UNIX_TIMESTAMP(NOW(6))) ON DUPLICATE KEY UPDATE beat = VALUES(beat)`
          : `INSERT INTO ${this.#heartbeat} VALUES (1, EXTRACT(EPOCH FROM clock_timestamp())) ON CONFLICT (id) DO UPDATE SET beat = EXCLUDED.beat`,
      )
      this.#beats = true
    } catch (error) {
      if (troubleOf(error) === 'transient') throw error
      this.#beats = false
    }
    return this.#beats
  }

  async #lagOf(replica: SessionOptions, source: Session, beats: boolean): Promise<number | undefined> {
    const session = this.#open.get(replica) ?? (await openSession({ ...replica, timeout: 5000 }))
    this.#open.set(replica, session)
    if (beats) {
      // Both times are the source's own, so that the clocks of the two machines do not matter.
      const beat = await ask(session, `SELECT beat FROM ${this.#heartbeat} WHERE id = 1`).catch(
        () => undefined,
      )
      const now = await ask(
        source,
        source.dialect === 'mysql'
          ? 'SELECT UNIX_TIMESTAMP(NOW(6))'
          : 'SELECT EXTRACT(EPOCH FROM clock_timestamp())',
      )
      if (beat !== undefined && now !== undefined) return Math.max(0, now - beat)
    }
    if (session.dialect === 'postgres')
      return ask(session, 'SELECT EXTRACT(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp())')
    for (const sql of ['SHOW ALL SLAVES STATUS', 'SHOW REPLICA STATUS', 'SHOW SLAVE STATUS']) {
      const answer = await session.run(sql).catch(() => undefined)
      const row = answer?.rows[0]
      const seconds = row?.['Seconds_Behind_Master'] ?? row?.['Seconds_Behind_Source']
      if (row) return seconds === null || seconds === undefined ? undefined : Number(seconds)
    }
    return undefined
  }

  #standbys(source: Session): Promise<number | undefined> {
    return ask(source, 'SELECT COALESCE(EXTRACT(EPOCH FROM max(replay_lag)), 0) FROM pg_stat_replication')
  }

  #aurora(source: Session): Promise<number | undefined> {
    return ask(source, AURORA).catch(() => undefined)
  }
}
