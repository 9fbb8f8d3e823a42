import type { ItemStatus } from '../../engine/claim-store.ts'
import type { SqliteFile } from '../../sql/libsql-database.ts'
import { countsOf, instanceOf, itemOf } from '../claim-rows.ts'

/** What can be read of a queue, without a claim or a change. */
export class SqliteOverview {
  readonly #file: SqliteFile
  /** Epoch milliseconds. */
  readonly #now: () => number

  constructor(file: SqliteFile, now: () => number) {
    this.#file = file
    this.#now = now
  }

  counts() {
    return this.#read(
      `SELECT s.stage, p.paused_at, CASE WHEN p.blocked_until > ? THEN p.blocked_until END AS blocked_until,
         CASE WHEN p.blocked_until > ? THEN p.blocked_reason END AS blocked_reason,
         sum(w.status = 'pending') AS pending, sum(w.status = 'claimed') AS claimed, sum(w.status = 'done') AS done,
         sum(w.status = 'failed') AS failed, min(CASE WHEN w.status = 'pending' THEN w.added_at END) AS oldest
       FROM (SELECT stage FROM work UNION SELECT stage FROM stages) s
       LEFT JOIN work w ON w.stage = s.stage LEFT JOIN stages p ON p.stage = s.stage GROUP BY s.stage ORDER BY s.stage`,
      [this.#now(), this.#now()],
    ).then((rows) => rows.map(countsOf))
  }

  list(stage: string, status: ItemStatus | undefined, limit: number) {
    return this.#read(
      `SELECT * FROM work WHERE stage = ? AND (? IS NULL OR status = ?) ORDER BY ordinal, key LIMIT ?`,
      [stage, status ?? null, status ?? null, limit],
    ).then((rows) => rows.map(itemOf))
  }

  show(key: string) {
    return this.#read('SELECT * FROM work WHERE key = ? ORDER BY stage', [key]).then((rows) =>
      rows.map(itemOf),
    )
  }

  async attemptedUpTo(stage: string): Promise<number> {
    const [row] = await this.#read(
      `SELECT coalesce((SELECT max(ordinal) FROM work WHERE stage = ?1 AND status IN ('done', 'failed') AND ordinal < coalesce(
         (SELECT min(ordinal) FROM work WHERE stage = ?1 AND status IN ('pending', 'claimed')), 9007199254740991)), 0) AS highest`,
      [stage],
    )
    return Number(row?.['highest'] ?? 0)
  }

  finishedSince(stage: string, time: number) {
    return this.#read('SELECT * FROM work WHERE stage = ? AND finished_at >= ?', [stage, time]).then((rows) =>
      rows.map(itemOf),
    )
  }

  instances() {
    return this.#read(
      `SELECT i.*, (SELECT count(*) FROM work w WHERE w.claimed_by = i.id AND w.status = 'claimed') AS held FROM instances i
       ORDER BY i.started_at`,
      [],
    ).then((rows) => rows.map(instanceOf))
  }

  #read(sql: string, values: readonly unknown[]): Promise<Readonly<Record<string, unknown>>[]> {
    return Promise.resolve().then(
      () => this.#file.prepare(sql).all(values) as Readonly<Record<string, unknown>>[],
    )
  }
}
