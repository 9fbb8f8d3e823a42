import { LEADER_LEASE, LEADER_MARGIN, LEADER_RENEW, type ScanNote } from '../../engine/claim-store.ts'
import type { SqliteFile } from '../../sql/libsql-database.ts'
import { scanOf } from '../claim-rows.ts'
import { write } from './transaction.ts'

interface Options {
  readonly path: string
  readonly instance: string
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** The role of the one instance that scans and writes the state files: a row with a lease. */
export class Leadership {
  readonly #file: SqliteFile
  readonly #options: Options
  #asked = -Infinity
  #until = -Infinity

  constructor(file: SqliteFile, options: Options) {
    this.#file = file
    this.#options = options
  }

  get isLeading(): boolean {
    return this.#options.now() < this.#until
  }

  /** Takes the role, or keeps it. */
  async take(): Promise<boolean> {
    const { instance, now } = this.#options
    const asked = now()
    if (this.isLeading && asked - this.#asked < LEADER_LEASE * LEADER_RENEW) return true
    const taken = await this.#write(
      `INSERT INTO leaders (role, holder, expires_at) VALUES ('scanner', ?, ?)
       ON CONFLICT (role) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
       WHERE leaders.holder = excluded.holder OR leaders.expires_at < ?
         OR NOT EXISTS (SELECT 1 FROM instances i WHERE i.id = leaders.holder AND i.status = 'running')`,
      [instance, asked + LEADER_LEASE, asked],
    )
    this.#asked = asked
    this.#until = taken > 0 ? asked + LEADER_LEASE * LEADER_MARGIN : -Infinity
    return this.isLeading
  }

  async resign(): Promise<void> {
    if (!this.isLeading) return
    this.#until = -Infinity
    await this.#write(`UPDATE leaders SET expires_at = 0 WHERE role = 'scanner' AND holder = ?`, [
      this.#options.instance,
    ])
  }

  async noteScan(beganAt: number, added: number): Promise<void> {
    await this.#write(
      `UPDATE leaders SET scan_began_at = ?1, scan_added = ?2 WHERE role = 'scanner' AND coalesce(scan_began_at, 0) <= ?1`,
      [beganAt, added],
    )
  }

  async wantScan(): Promise<void> {
    await this.#write(`UPDATE leaders SET scan_wanted_at = ? WHERE role = 'scanner'`, [this.#options.now()])
  }

  lastScan(): Promise<ScanNote> {
    const [row] = this.#file
      .prepare(
        `SELECT scan_began_at AS began, scan_wanted_at AS wanted, scan_added, CASE WHEN expires_at > ? AND EXISTS
           (SELECT 1 FROM instances i WHERE i.id = leaders.holder AND i.status = 'running') THEN holder END AS leader
         FROM leaders WHERE role = 'scanner'`,
      )
      .all([this.#options.now()]) as Readonly<Record<string, unknown>>[]
    return Promise.resolve(scanOf(row ?? {}))
  }

  #write(sql: string, values: readonly unknown[]): Promise<number> {
    return write(this.#file, this.#options.path, () => Number(this.#file.prepare(sql).run(values).changes))
  }
}
