import type { SqliteFile } from '../../sql/libsql-database.ts'
import { countEnded } from '../claim-rows.ts'

export interface Settled {
  readonly done: number
  readonly failed: number
  readonly fenced: number
}

/** What this instance counts of itself, in its row. Each function but `beat` runs inside a transaction of its caller. */
export class InstanceRow {
  readonly #file: SqliteFile
  readonly #instance: string
  #beatAt = -Infinity

  constructor(file: SqliteFile, instance: string) {
    this.#file = file
    this.#instance = instance
  }

  claimed(count: number): void {
    if (count > 0) this.#set('claims = claims + ?', [count])
  }

  /** `now` is epoch milliseconds. */
  settled({ done, failed, fenced }: Settled, now: number): void {
    this.#set(`done = done + ?1, failed = failed + ?2, fenced = fenced + ?3, ${countEnded('?4', '?5')}`, [
      done,
      failed,
      fenced,
      Math.floor(now / 60_000),
      done + failed,
    ])
  }

  recovered(count: number): void {
    this.#set('recovered = recovered + ?', [count])
  }

  /** Whether it is time for a sign of life: with nothing in hand an instance renews nothing. */
  isSilent(now: number): boolean {
    return Math.abs(now - this.#beatAt) >= HEARTBEAT
  }

  beat(now: number): void {
    this.#beatAt = now
    this.#set('heartbeat_at = ?', [now])
  }

  #set(sets: string, values: readonly unknown[]): void {
    const place = values.length + 1
    this.#file.prepare(`UPDATE instances SET ${sets} WHERE id = ?${place}`).run([...values, this.#instance])
  }
}

/** Milliseconds between two signs of life. */
const HEARTBEAT = 5000
