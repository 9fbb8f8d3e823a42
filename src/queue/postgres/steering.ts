import { POISON_AFTER, SUSPECT_AFTER, type QueueItem, type StoredClaim } from '../../engine/claim-store.ts'
import { poisonMessage } from '../claim-rows.ts'
import type { Work } from './claims.ts'
import { count, enqueue, forgetAttempts } from './enqueue.ts'
import type { Sql } from './connection.ts'
import { jobId, LAST_PRIORITY, priorityIn, queueName, RETRY_LIMIT, stageOfQueue } from './jobs.ts'

/** Changes by others than an item's holder: what dead instances held, retries, failures of a single archiver, pauses of a stage. */

/** Sets columns of a stage: `sets` is SQL whose parameters begin with $2. */
export const setStage = async (
  { sql, schema }: Work,
  stage: string,
  sets: string,
  values: readonly unknown[],
): Promise<void> => {
  const name = queueName(stage)
  await sql.executeSql(
    `INSERT INTO ${schema}.archiver_stages (stage) VALUES ($1) ON CONFLICT (stage) DO NOTHING`,
    [name],
  )
  await sql.executeSql(`UPDATE ${schema}.archiver_stages SET ${sets} WHERE stage = $1`, [name, ...values])
}

/** What this instance holds, by the server's word. */
export const heldBy = async ({ sql, schema, instance }: Work): Promise<readonly StoredClaim[]> => {
  const { rows } = await sql.executeSql(
    `SELECT h.stage, h.epoch, j.data->>'key' AS key FROM ${schema}.archiver_held h
     JOIN ${schema}.job j ON j.name = h.stage AND j.id = h.id WHERE h.instance = $1 ORDER BY h.stage, h.id FOR UPDATE OF h`,
    [instance],
  )
  return rows.map((row) => ({
    stage: stageOfQueue(String(row['stage'])),
    key: String(row['key']),
    ordinal: 0,
    epoch: Number(row['epoch']),
    attempt: 1,
  }))
}

/** Opens failed items of a stage again: these keys, all, or all but these. Returns how many. */
export const reopen = async (
  work: Work,
  stage: string,
  keys: { readonly only?: readonly string[]; readonly except?: readonly string[] },
): Promise<number> => {
  const name = queueName(stage)
  const idsOf = (some: readonly string[] | undefined) => some?.map((key) => jobId(stage, key)) ?? null
  const { rows } = await work.sql.executeSql(
    `UPDATE ${work.schema}.job SET state = 'retry', retry_limit = ${RETRY_LIMIT}, completed_on = NULL, output = NULL, start_after = now(),
       priority = ${priorityIn('job')}
     WHERE name = $1 AND state = 'failed' AND ($2::uuid[] IS NULL OR id = ANY($2::uuid[])) AND ($3::uuid[] IS NULL OR NOT id = ANY($3::uuid[]))
     RETURNING id, retry_count`,
    [name, idsOf(keys.only), idsOf(keys.except)],
  )
  await forgetAttempts(work, name, rows)
  await count(work, stage, { failed: -rows.length })
  return rows.length
}

/** Makes the failed items of a stage exactly these. Items that are to be done stay so. */
export const adoptFailures = async (
  work: Work,
  stage: string,
  items: readonly QueueItem[],
  kept: readonly string[],
): Promise<void> => {
  const { sql, schema } = work
  const name = queueName(stage)
  const keys = items.map(({ key }) => key)
  const ids = keys.map((key) => jobId(stage, key))
  await reopen(work, stage, { except: [...keys, ...kept] })
  const open = await sql.executeSql(
    `SELECT id FROM ${schema}.job WHERE name = $1 AND id = ANY($2::uuid[]) AND state <= 'active'`,
    [name, ids],
  )
  const isOpen = new Set(open.rows.map(({ id }) => id))
  await enqueue(work, stage, items, 0)
  const { rows } = await sql.executeSql(
    `WITH before AS (SELECT id, state FROM ${schema}.job WHERE name = $1 AND id = ANY($2::uuid[]) AND state <> 'failed' FOR UPDATE)
     UPDATE ${schema}.job j SET state = 'failed', completed_on = clock_timestamp(), started_on = coalesce(j.started_on, now()),
       output = '{"message": "in the failure log"}' FROM before b WHERE j.name = $1 AND j.id = b.id RETURNING b.state`,
    [name, ids.filter((id) => !isOpen.has(id))],
  )
  const wereDone = rows.filter(({ state }) => state === 'completed').length
  await count(work, stage, { failed: rows.length, done: -wereDone })
}

/** Takes back what these instances hold, and every lease that ran out; fails poison. Returns how many. */
const takeBack = async (work: Work, dead: readonly string[]): Promise<number> => {
  const { boss, sql, schema } = work
  const { rows } = await sql.executeSql(
    `SELECT h.stage, h.id, h.epoch, h.lost, j.data->>'key' AS key FROM ${schema}.archiver_held h
     JOIN ${schema}.job j ON j.name = h.stage AND j.id = h.id
     WHERE h.instance IS NOT NULL AND (h.lease_until < clock_timestamp() OR h.instance = ANY($1::text[])) FOR UPDATE OF h SKIP LOCKED`,
    [dead],
  )
  for (const row of rows) {
    const [name, id, lost] = [String(row['stage']), String(row['id']), Number(row['lost']) + 1]
    await sql.executeSql(
      `UPDATE ${schema}.archiver_held SET instance = NULL, lease_until = NULL, lost = $3 WHERE stage = $1 AND id = $2`,
      [name, id, lost],
    )
    const isPoison = lost >= POISON_AFTER
    const retryCount = Number(row['epoch']) - 1
    if (isPoison)
      await sql.executeSql(
        `UPDATE ${schema}.job SET retry_limit = retry_count WHERE name = $1 AND id = $2 AND state = 'active' AND retry_count = $3`,
        [name, id, retryCount],
      )
    const output = isPoison ? { code: 'QUEUE_POISON', message: poisonMessage(POISON_AFTER) } : null
    await boss.fail(name, { id, retryCount }, output, { db: sql })
    if (lost >= SUSPECT_AFTER)
      await sql.executeSql(
        `UPDATE ${schema}.job SET priority = ${LAST_PRIORITY} WHERE name = $1 AND id = $2`,
        [name, id],
      )
    if (isPoison) await count(work, stageOfQueue(name), { failed: 1 })
  }
  return rows.length
}

/** Marks instances as lost, and takes back what they and leases that ran out held. Returns how many claims. */
export const bury = async (work: Work, dead: readonly string[]): Promise<number> => {
  const { sql, schema, instance } = work
  const taken = await takeBack(work, dead)
  await sql.executeSql(
    `UPDATE ${schema}.archiver_instances SET status = 'lost', ended_at = clock_timestamp() WHERE id = ANY($1::text[]) AND status = 'running'`,
    [dead],
  )
  await sql.executeSql(`UPDATE ${schema}.archiver_instances SET recovered = recovered + $2 WHERE id = $1`, [
    instance,
    taken,
  ])
  return taken
}

/** Whether a lease ran out. */
export const hasExpired = async (sql: Sql, schema: string): Promise<boolean> => {
  const { rows } = await sql.executeSql(
    `SELECT 1 FROM ${schema}.archiver_held WHERE instance IS NOT NULL AND lease_until < clock_timestamp() LIMIT 1`,
  )
  return rows.length > 0
}
