import { LEADER_LEASE, LEADER_MARGIN, LEADER_RENEW, type ScanNote } from '../../engine/claim-store.ts'
import { scanOf } from '../claim-rows.ts'
import type { Sql } from './connection.ts'

export interface LeadershipOptions {
  readonly sql: Sql
  readonly schema: string
  readonly instance: string
  readonly monotonic: () => number
}

/** The role of the one instance that scans and writes the state files: a row with a lease, by the server's clock. */
export class Leadership {
  readonly #options: LeadershipOptions
  #asked = -Infinity
  #until = -Infinity

  constructor(options: LeadershipOptions) {
    this.#options = options
  }

  get isLeading(): boolean {
    return this.#options.monotonic() < this.#until
  }

  /** Takes the role, or keeps it. */
  async take(): Promise<boolean> {
    const { sql, schema, instance, monotonic } = this.#options
    const asked = monotonic()
    if (this.isLeading && asked - this.#asked < LEADER_LEASE * LEADER_RENEW) return true
    const { rows } = await sql.executeSql(
      `INSERT INTO ${schema}.archiver_leaders AS l (role, holder, epoch, expires_at)
       VALUES ('scanner', $1, 1, clock_timestamp() + $2 * interval '1 ms')
       ON CONFLICT (role) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,
         epoch = l.epoch + CASE WHEN l.holder = excluded.holder THEN 0 ELSE 1 END
       WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp()
         OR NOT EXISTS (SELECT 1 FROM ${schema}.archiver_instances i WHERE i.id = l.holder AND i.status = 'running')
       RETURNING holder`,
      [instance, LEADER_LEASE],
    )
    this.#asked = asked
    this.#until = rows.length > 0 ? asked + LEADER_LEASE * LEADER_MARGIN : -Infinity
    return this.isLeading
  }

  async resign(): Promise<void> {
    if (!this.isLeading) return
    this.#until = -Infinity
    const { sql, schema, instance } = this.#options
    await sql.executeSql(
      `UPDATE ${schema}.archiver_leaders SET expires_at = to_timestamp(0) WHERE role = 'scanner' AND holder = $1`,
      [instance],
    )
  }

  async noteScan(beganAt: number, added: number): Promise<void> {
    const { sql, schema } = this.#options
    await sql.executeSql(
      `UPDATE ${schema}.archiver_leaders SET scan_began_at = to_timestamp($1::float8 / 1000), scan_added = $2 WHERE role = 'scanner'
         AND (scan_began_at IS NULL OR scan_began_at <= to_timestamp($1::float8 / 1000))`,
      [beganAt, added],
    )
  }

  async wantScan(): Promise<void> {
    const { sql, schema } = this.#options
    await sql.executeSql(
      `UPDATE ${schema}.archiver_leaders SET scan_wanted_at = clock_timestamp() WHERE role = 'scanner'`,
    )
  }

  async lastScan(): Promise<ScanNote> {
    const { sql, schema } = this.#options
    const { rows } = await sql.executeSql(
      `SELECT extract(epoch FROM scan_began_at) * 1000 AS began, extract(epoch FROM scan_wanted_at) * 1000 AS wanted,
         scan_added, CASE WHEN expires_at > clock_timestamp() AND EXISTS
           (SELECT 1 FROM ${schema}.archiver_instances i WHERE i.id = l.holder AND i.status = 'running') THEN holder END AS leader
       FROM ${schema}.archiver_leaders l WHERE role = 'scanner'`,
    )
    return scanOf(rows[0] ?? {})
  }
}
