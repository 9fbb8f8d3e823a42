import type { SqliteFile } from '../../sql/libsql-database.ts'

/** Two clocks of the machine, in milliseconds. */
export interface MachineClocks {
  /** Since the epoch. It jumps when somebody sets it. */
  readonly now: () => number
  /** Since the machine was booted: never jumps, and is one for all of its processes. */
  readonly sinceBoot: () => number
}

/**
 * The clock of the queue: epoch milliseconds that never jump, the same for all processes of one boot. Who comes first reads the wall clock, and
 * keeps its distance from the time since boot in the file; the others take it from there. So a clock that is set forward lets no lease run
 * out, and one that is set back makes nobody wait.
 */
export class SharedClock {
  readonly #file: SqliteFile
  readonly #clocks: MachineClocks
  readonly #bootId: string
  #distance: number

  constructor(file: SqliteFile, bootId: string, clocks: MachineClocks) {
    this.#file = file
    this.#clocks = clocks
    this.#bootId = bootId
    const [kept] = file.prepare('SELECT boot_id, distance FROM clock').all([]) as Kept[]
    this.#distance = kept?.boot_id === bootId ? kept.distance : this.#wallDistance()
  }

  readonly now = (): number => this.#distance + this.#clocks.sinceBoot()

  /**
   * Inside a transaction of its caller. `alone`: no other process works on the queue. Then the wall clock is read anew, and what is due at
   * some time to come moves with it.
   */
  keep(alone: boolean): void {
    const [kept] = this.#file.prepare('SELECT boot_id, distance FROM clock').all([]) as Kept[]
    if (kept?.boot_id === this.#bootId && !alone) {
      this.#distance = kept.distance
      return
    }
    const wall = this.#wallDistance()
    if (kept?.boot_id === this.#bootId) this.#moveDueTimes(wall - kept.distance)
    else if (kept) this.#makeDue()
    this.#distance = wall
    // Nobody waits for a scan, and no scan of before may hide one to come.
    this.#file.prepare('UPDATE leaders SET scan_began_at = NULL, scan_wanted_at = NULL').run([])
    this.#file
      .prepare(
        `INSERT INTO clock (one, boot_id, distance) VALUES (1, ?, ?)
         ON CONFLICT (one) DO UPDATE SET boot_id = excluded.boot_id, distance = excluded.distance`,
      )
      .run([this.#bootId, wall])
  }

  #moveDueTimes(by: number): void {
    if (Math.abs(by) < NOTHING) return
    const columns = [
      ['work', 'not_before', `status = 'pending' AND not_before > 0`],
      ['work', 'lease_until', `status = 'claimed'`],
      ['stages', 'blocked_until', 'blocked_until IS NOT NULL'],
      ['leaders', 'expires_at', 'expires_at > 0'],
    ] as const
    for (const [table, column, where] of columns)
      this.#file.prepare(`UPDATE ${table} SET ${column} = ${column} + ? WHERE ${where}`).run([by])
  }

  /** After a boot nobody is alive who waits, and the clock that said until when may have been wrong. */
  #makeDue(): void {
    for (const change of [
      `UPDATE work SET not_before = 0 WHERE status = 'pending' AND not_before > 0`,
      'UPDATE stages SET blocked_until = NULL, blocked_reason = NULL WHERE blocked_until IS NOT NULL',
      'UPDATE leaders SET expires_at = 0',
    ])
      this.#file.prepare(change).run([])
  }

  #wallDistance(): number {
    return Math.round(this.#clocks.now() - this.#clocks.sinceBoot())
  }
}

interface Kept {
  readonly boot_id: string
  readonly distance: number
}

/** Milliseconds that two readings of the clocks may differ by. */
const NOTHING = 100
