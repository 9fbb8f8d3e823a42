import type { ItemStatus } from '../../engine/claim-store.ts'
import type { SqliteFile } from '../../sql/libsql-database.ts'
import type { Leadership } from './leadership.ts'
import { countsOf, instanceOf, itemOf, rangesOf } from '../claim-rows.ts'

/** What can be read of a queue, without a claim or a change. */
export class SqliteOverview {
  readonly #file: SqliteFile
  /** Epoch milliseconds. */
  readonly #now: () => number

  readonly #leadership: Leadership

  constructor(file: SqliteFile, now: () => number, leadership: Leadership) {
    this.#file = file
    this.#now = now
    this.#leadership = leadership
  }

  noteScan(beganAt: number, added: number) {
    return this.#leadership.noteScan(beganAt, added)
  }

  wantScan() {
    return this.#leadership.wantScan()
  }

  lastScan() {
    return this.#leadership.lastScan()
  }

  /** Reads no items: triggers keep the numbers. */
  counts() {
    return this.#read(
      `SELECT s.*, CASE WHEN blocked_until > ? THEN blocked_until END AS blocked_until,
         CASE WHEN blocked_until > ? THEN blocked_reason END AS blocked_reason,
         (SELECT min(added_at) FROM work w WHERE w.stage = s.stage AND w.status = 'pending') AS oldest
       FROM stages s ORDER BY s.stage`,
      [this.#now(), this.#now()],
    ).then((rows) => rows.map(countsOf))
  }

  list(stage: string, status: ItemStatus | undefined, limit: number) {
    return this.#read(
      `SELECT * FROM work ${FROM[status ?? 'any']} WHERE stage = ? ${withStatus(status)} ORDER BY ordinal, key LIMIT ?`,
      [stage, limit],
    ).then((rows) => rows.map(itemOf))
  }

  async ranges(stage: string, status: ItemStatus): Promise<(readonly [number, number])[]> {
    const rows = await this.#read(
      rangesOf(`SELECT DISTINCT ordinal FROM work ${FROM[status]} WHERE stage = ? ${withStatus(status)}`),
      [stage],
    )
    return rows.map((row) => [Number(row['first']), Number(row['last'])] as const)
  }

  show(key: string) {
    return this.#read(
      'SELECT * FROM work WHERE stage IN (SELECT stage FROM stages) AND key = ? ORDER BY stage',
      [key],
    ).then((rows) => rows.map(itemOf))
  }

  async attemptedUpTo(stage: string): Promise<number> {
    const lowest = (status: ItemStatus): string =>
      `coalesce((SELECT min(ordinal) FROM work ${FROM[status]} WHERE stage = ?1 ${withStatus(status)}), 9007199254740991)`
    // Below the lowest open one all have ended: the first that is found is the highest.
    const [row] = await this.#read(
      `SELECT ordinal AS highest FROM work ${FROM.any} WHERE stage = ?1 AND status IN ('done', 'failed')
         AND ordinal < min(${lowest('pending')}, ${lowest('claimed')}) ORDER BY ordinal DESC LIMIT 1`,
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
    ).then((rows) => rows.map((row) => instanceOf(row, this.#now())))
  }

  #read(sql: string, values: readonly unknown[]): Promise<Readonly<Record<string, unknown>>[]> {
    return Promise.resolve().then(
      () => this.#file.prepare(sql).all(values) as Readonly<Record<string, unknown>>[],
    )
  }
}

/** The index that has the items with a status, and only those; of those that are done there are so many that all are read. */
const FROM = {
  any: 'INDEXED BY work_ordered',
  done: '',
  pending: 'INDEXED BY work_due',
  claimed: 'INDEXED BY work_held',
  failed: 'INDEXED BY work_failed',
} as const

const withStatus = (status: ItemStatus | undefined): string =>
  status === undefined ? '' : `AND status = '${status}'`
