import type { QueueItem, StoredClaim } from '../../engine/claim-store.ts'
import type { Work } from './claims.ts'
import type { Sql } from './connection.ts'
import { jobId, priorityIn, priorityOf, queueName, RETRY_LIMIT } from './jobs.ts'

export interface Tally {
  readonly added?: number
  readonly done?: number
  readonly failed?: number
}

/** Adds to what this instance counted in a stage; `queue status` sums it up without reading items. */
export const count = async ({ sql, schema, instance }: Work, stage: string, tally: Tally): Promise<void> => {
  const { added = 0, done = 0, failed = 0 } = tally
  if (added === 0 && done === 0 && failed === 0) return
  await sql.executeSql(
    `INSERT INTO ${schema}.archiver_tallies AS t (stage, instance, added, done, failed) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (stage, instance) DO UPDATE SET added = t.added + $3, done = t.done + $4, failed = t.failed + $5`,
    [queueName(stage), instance, added, done, failed],
  )
}

/**
 * Whether a job was done before a time. What was done in the time to come was done by a clock that has been set back since: before whatever that
 * clock says now.
 */
const doneBefore = (job: string, time: string): string =>
  `(${job}.completed_on < ${time} OR ${job}.completed_on > clock_timestamp() AND ${time} <= clock_timestamp())`

/** Adds items that are not there, and opens those that were done before `missingAt` again. Returns how many. */
export const enqueue = async (
  work: Work,
  stage: string,
  items: readonly QueueItem[],
  missingAt: number,
): Promise<number> => {
  if (items.length === 0) return 0
  const { boss, sql, schema } = work
  const name = queueName(stage)
  const jobs = new Map(
    items.map(({ key, ordinal }) => {
      const id = jobId(stage, key)
      return [id, { id, data: { key, ordinal }, priority: priorityOf(ordinal) }]
    }),
  )
  const added =
    (await boss.insert(name, [...jobs.values()], { db: counting(work, name), returnId: true })) ?? []
  let opened = 0
  if (added.length < jobs.size && missingAt > 0) {
    const { rows } = await sql.executeSql(
      `UPDATE ${schema}.job SET state = 'retry', retry_limit = ${RETRY_LIMIT}, completed_on = NULL, output = NULL,
         created_on = now(), start_after = now(), priority = ${priorityIn('job')}
       WHERE name = $1 AND id = ANY($2::uuid[]) AND state = 'completed'
         AND ${doneBefore('job', 'to_timestamp($3::float8 / 1000)')}
       RETURNING id, retry_count`,
      [name, [...jobs.keys()], Math.min(missingAt, LATEST)],
    )
    opened = rows.length
    await forgetAttempts(work, name, rows)
  }
  await count(work, stage, { done: -opened })
  return added.length + opened
}

/** Runs pg-boss's `insert`, and counts what it added in the same statement. */
const counting = ({ sql, schema, instance }: Work, name: string): Sql => ({
  executeSql: (insert, values = []) =>
    sql.executeSql(
      `WITH added AS (${insert}),
         counted AS (INSERT INTO ${schema}.archiver_tallies AS t (stage, instance, added, done, failed)
           SELECT $${values.length + 1}::text, $${values.length + 2}::text, count(*), 0, 0 FROM added
           ON CONFLICT (stage, instance) DO UPDATE SET added = t.added + excluded.added)
       SELECT id FROM added`,
      [...values, name, instance],
    ),
})

/** The end of time, in milliseconds, that PostgreSQL can still compute with. */
const LATEST = 8_000_000_000_000

/** An item that is opened again begins with its first attempt; its epoch goes on. */
export const forgetAttempts = async (
  { sql, schema }: Work,
  name: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> => {
  if (rows.length === 0) return
  await sql.executeSql(
    `INSERT INTO ${schema}.archiver_held (stage, id, epoch, uncounted)
     SELECT $1, r.id, r.claims, r.claims FROM unnest($2::uuid[], $3::int[]) AS r(id, claims)
     ON CONFLICT (stage, id) DO UPDATE SET uncounted = excluded.uncounted, lost = 0, instance = NULL, message = NULL`,
    [name, rows.map(({ id }) => id), rows.map((row) => Number(row['retry_count']) + 1)],
  )
}

/** Adds what is done in a stage to the next one. What was done there before the item was added here is opened again. */
export const enqueueNext = async (
  work: Work,
  nextStage: string,
  done: readonly StoredClaim[],
): Promise<void> => {
  const { sql, schema } = work
  const added = await enqueue(work, nextStage, done, 0)
  const [first] = done
  if (!first || added === done.length) return
  const name = queueName(nextStage)
  const { rows } = await sql.executeSql(
    `UPDATE ${schema}.job j SET state = 'retry', retry_limit = ${RETRY_LIMIT}, completed_on = NULL, output = NULL,
       created_on = now(), start_after = now(), priority = ${priorityIn('j')}
     FROM unnest($2::uuid[], $4::uuid[]) AS r(id, here) JOIN ${schema}.job h ON h.name = $3 AND h.id = r.here
     WHERE j.name = $1 AND j.id = r.id AND j.state = 'completed' AND ${doneBefore('j', 'h.created_on')}
     RETURNING j.id, j.retry_count`,
    [
      name,
      done.map(({ key }) => jobId(nextStage, key)),
      queueName(first.stage),
      done.map(({ stage, key }) => jobId(stage, key)),
    ],
  )
  await forgetAttempts(work, name, rows)
  await count(work, nextStage, { done: -rows.length })
}
