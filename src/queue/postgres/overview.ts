import type { InstanceState, ItemState, ItemStatus, ScanNote, StageCounts } from '../../engine/claim-store.ts'
import { countsOf, instanceOf, itemOf, rangesOf } from '../claim-rows.ts'
import type { Row, Sql } from './connection.ts'
import type { Leadership } from './leadership.ts'
import { jobId, LAST_PRIORITY, queueName, stageOfQueue } from './jobs.ts'

const ms = (column: string): string => `extract(epoch FROM ${column}) * 1000`

/** We never block a job. The condition stands here because pg-boss's index of what is due has it: without it the index is not used. */
const PENDING = `j.state < 'active' AND NOT j.blocked`
const FINISHED = `j.state IN ('completed', 'failed')`
const STATES: Readonly<Record<ItemStatus, string>> = {
  pending: PENDING,
  claimed: `j.state = 'active'`,
  done: `j.state = 'completed'`,
  failed: `j.state IN ('failed', 'cancelled')`,
}

/** What can be read of a queue on PostgreSQL, without a claim or a change. Counts and marks never read all items. */
export class PostgresOverview {
  readonly #sql: Sql
  readonly #schema: string

  readonly #leadership: Leadership

  constructor(sql: Sql, schema: string, leadership: Leadership) {
    this.#sql = sql
    this.#schema = schema
    this.#leadership = leadership
  }

  noteScan(beganAt: number, added: number): Promise<void> {
    return this.#leadership.noteScan(beganAt, added)
  }

  wantScan(): Promise<void> {
    return this.#leadership.wantScan()
  }

  lastScan(): Promise<ScanNote> {
    return this.#leadership.lastScan()
  }

  /** What is pending is looked through for the oldest (OFFSET keeps it from being sought by age, among all that are done). */
  async counts(): Promise<readonly StageCounts[]> {
    const s = this.#schema
    const rows = await this.#read(
      `WITH t AS (SELECT stage, sum(added) AS added, sum(done) AS done, sum(failed) AS failed FROM ${s}.archiver_tallies GROUP BY stage),
         h AS (SELECT stage, count(*) AS claimed FROM ${s}.archiver_held WHERE instance IS NOT NULL GROUP BY stage)
       SELECT n.stage, t.added - t.done - t.failed - coalesce(h.claimed, 0) AS pending, coalesce(h.claimed, 0) AS claimed, t.done, t.failed,
         ${ms('p.paused_at')} AS paused_at, CASE WHEN p.blocked_until > now() THEN ${ms('p.blocked_until')} END AS blocked_until,
         CASE WHEN p.blocked_until > now() THEN p.blocked_reason END AS blocked_reason,
         (SELECT ${ms('min(o.created_on)')} FROM (SELECT j.created_on FROM ${s}.job j WHERE j.name = n.stage AND ${PENDING} OFFSET 0) o) AS oldest
       FROM (SELECT stage FROM t UNION SELECT stage FROM ${s}.archiver_stages) n
       LEFT JOIN t ON t.stage = n.stage LEFT JOIN h ON h.stage = n.stage LEFT JOIN ${s}.archiver_stages p ON p.stage = n.stage
       ORDER BY n.stage`,
      [],
    )
    return rows.map((row) => countsOf(withStage(row)))
  }

  list(stage: string, status: ItemStatus | undefined, limit: number): Promise<readonly ItemState[]> {
    const where = status === undefined ? '' : `AND ${STATES[status]}`
    return this.#items(`j.name = $1 ${where} ORDER BY ordinal, key LIMIT $2`, [queueName(stage), limit])
  }

  async ranges(stage: string, status: ItemStatus): Promise<(readonly [number, number])[]> {
    const ordinals = `SELECT DISTINCT (j.data->>'ordinal')::bigint AS ordinal FROM ${this.#schema}.job j WHERE j.name = $1 AND ${STATES[status]}`
    const rows = await this.#read(rangesOf(ordinals), [queueName(stage)])
    return rows.map((row) => [Number(row['first']), Number(row['last'])] as const)
  }

  async show(key: string): Promise<readonly ItemState[]> {
    const names = await this.#read(`SELECT name FROM ${this.#schema}.queue`, [])
    const items: ItemState[] = []
    // By its id in each stage: keys have no index of their own.
    for (const { name } of names) {
      const stage = stageOfQueue(String(name))
      items.push(...(await this.#items('j.name = $1 AND j.id = $2', [name, jobId(stage, key)])))
    }
    return items.sort((a, b) => (a.stage < b.stage ? -1 : 1))
  }

  async attemptedUpTo(stage: string): Promise<number> {
    const s = this.#schema
    const ordinal = `(j.data->>'ordinal')::bigint`
    // The lowest one comes first, but for those that come last because their holders died.
    const lowest = (priority: string): string =>
      `coalesce((SELECT min(${ordinal}) FROM ${s}.job j WHERE j.name = $1 AND ${PENDING} AND priority = ${priority}), 9007199254740991)`
    const [row] = await this.#read(
      `SELECT (SELECT ${ordinal} FROM ${s}.job j WHERE j.name = $1 AND ${FINISHED} AND ${ordinal} < least(
           ${lowest(`(SELECT max(priority) FROM ${s}.job j WHERE j.name = $1 AND ${PENDING})`)}, ${lowest(String(LAST_PRIORITY))},
           coalesce((SELECT min(${ordinal}) FROM ${s}.archiver_held h JOIN ${s}.job j ON j.name = h.stage AND j.id = h.id
             WHERE h.stage = $1 AND h.instance IS NOT NULL), 9007199254740991))
         ORDER BY ${ordinal} DESC LIMIT 1) AS highest`,
      [queueName(stage)],
    )
    return Number(row?.['highest'] ?? 0)
  }

  finishedSince(stage: string, time: number): Promise<readonly ItemState[]> {
    return this.#items(`j.name = $1 AND ${FINISHED} AND j.completed_on >= to_timestamp($2::float8 / 1000)`, [
      queueName(stage),
      time,
    ])
  }

  async instances(): Promise<readonly InstanceState[]> {
    const s = this.#schema
    const rows = await this.#read(
      `SELECT i.id, i.host, i.pid, i.status, i.done, i.failed, i.fenced, i.recovered, i.claims, i.workers, i.processors, i.minute,
         i.ended_in_minute, i.ended_before, ${ms('clock_timestamp()')} AS now, ${ms('i.started_at')} AS started_at,
         ${ms('i.heartbeat_at')} AS heartbeat_at, ${ms('i.ended_at')} AS ended_at,
         (SELECT count(*) FROM ${s}.archiver_held h WHERE h.instance = i.id) AS held
       FROM ${s}.archiver_instances i ORDER BY i.started_at`,
      [],
    )
    return rows.map((row) => instanceOf(row, Number(row['now'])))
  }

  async #items(where: string, values: readonly unknown[]): Promise<readonly ItemState[]> {
    const s = this.#schema
    const rows = await this.#read(
      `SELECT j.name AS stage, j.data->>'key' AS key, (j.data->>'ordinal')::bigint AS ordinal,
         CASE WHEN ${STATES.pending} THEN 'pending' WHEN ${STATES.claimed} THEN 'claimed' WHEN ${STATES.done} THEN 'done' ELSE 'failed' END AS status,
         CASE WHEN j.started_on IS NULL THEN 0 ELSE j.retry_count + 1 - coalesce(h.uncounted, 0) END AS attempts,
         coalesce(h.lost, 0) AS lost, h.instance AS claimed_by, ${ms('h.claimed_at')} AS claimed_at,
         CASE WHEN ${STATES.pending} AND j.start_after > now() THEN ${ms('j.start_after')} ELSE 0 END AS not_before,
         ${ms('j.completed_on')} AS finished_at, j.output->>'code' AS code, coalesce(j.output->>'message', h.message) AS message
       FROM ${s}.job j LEFT JOIN ${s}.archiver_held h ON h.stage = j.name AND h.id = j.id WHERE ${where}`,
      values,
    )
    return rows.map((row) => itemOf(withStage(row)))
  }

  async #read(text: string, values: readonly unknown[]): Promise<Row[]> {
    return (await this.#sql.executeSql(text, [...values])).rows
  }
}

const withStage = (row: Row): Row => ({ ...row, stage: stageOfQueue(String(row['stage'])) })
