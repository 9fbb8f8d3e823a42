import { LEADER_LEASE } from '../../engine/claim-store.ts'
import type { Sql } from './connection.ts'

/** Milliseconds. Nothing is put off for longer, and a clock that is set back by less makes nobody wait for longer. */
const LONGEST_WAIT = 60_000

interface ClockOptions {
  readonly sql: Sql
  readonly schema: string
  readonly lease: number
  /** Milliseconds between two looks at the server's clock. */
  readonly lookEvery: number
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
}

/**
 * The server's clock was set back: what was due by the clock of before would wait until that time comes again. It is made due by the clock of now.
 * Looked for by each process when it starts, and while it runs.
 */
export class ClockSetBack {
  readonly #options: ClockOptions
  /** Between the two clocks, when last asked: at first a set back of before is looked for. */
  #distance = Infinity
  #lookedAt = -Infinity

  constructor(options: ClockOptions) {
    this.#options = options
  }

  async makeDue(): Promise<void> {
    const { sql, lookEvery, monotonic } = this.#options
    if (monotonic() - this.#lookedAt < lookEvery) return
    this.#lookedAt = monotonic()
    const { rows } = await sql.executeSql('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now')
    const distance = Number(rows[0]?.['now']) - monotonic()
    if (distance > this.#distance - LONGEST_WAIT) {
      this.#distance = Math.max(distance, this.#distance)
      return
    }
    for (const change of this.#changes()) await sql.executeSql(change)
    this.#distance = distance
  }

  #changes(): readonly string[] {
    const { schema, lease } = this.#options
    const [now, after] = ['clock_timestamp()', (ms: number) => `clock_timestamp() + ${ms} * interval '1 ms'`]
    return [
      `UPDATE ${schema}.job SET start_after = ${now}, created_on = least(created_on, ${now})
       WHERE (name, id) IN (SELECT name, id FROM ${schema}.job WHERE state < 'active' AND start_after > ${after(LONGEST_WAIT)} FOR UPDATE SKIP LOCKED)`,
      `UPDATE ${schema}.archiver_held SET claimed_at = ${now}, lease_until = ${after(lease)} WHERE instance IS NOT NULL AND claimed_at > ${now}`,
      `UPDATE ${schema}.archiver_stages SET blocked_until = NULL, blocked_reason = NULL WHERE blocked_until > ${after(LONGEST_WAIT)}`,
      `UPDATE ${schema}.archiver_leaders SET expires_at = least(expires_at, ${after(LEADER_LEASE)}),
         scan_began_at = CASE WHEN scan_began_at <= ${now} THEN scan_began_at END,
         scan_wanted_at = CASE WHEN scan_wanted_at <= ${now} THEN scan_wanted_at END`,
    ]
  }
}
