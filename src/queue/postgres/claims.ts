import type { PgBoss } from 'pg-boss'
import type { StoredClaim, StoredFailure } from '../../engine/claim-store.ts'
import { reasonText } from '../claim-rows.ts'
import type { Sql } from './connection.ts'
import { attemptOf, idOf, queueName } from './jobs.ts'

/** What the statements need to know. `sql` is a transaction of the caller: an item's job and our row of it change together or not at all. */
export interface Work {
  readonly boss: PgBoss
  readonly sql: Sql
  readonly schema: string
  readonly instance: string
}

/** Which claim of which item by whom, in one word; and in SQL, of our row `h`. */
export const marksOf = (claims: readonly StoredClaim[], instance: string): string[] =>
  claims.map((one) => `${idOf(one)}:${one.epoch}:${instance}`)
export const MARK = `(h.id::text || ':' || h.epoch || ':' || h.instance)`

/**
 * Claims that are ours, by the epoch: the condition of every statement that ends or extends one. Its parameters are those of `oursOf`, $1 to
 * $3. The ids find the rows by their key, the marks are looked up in a hashed list: nothing else is read, whatever the planner expects.
 */
const OURS = `h.stage = $1 AND h.id = ANY($2::uuid[]) AND ${MARK} = ANY($3::text[])`
const oursOf = (stage: string, instance: string, claims: readonly StoredClaim[]): unknown[] => [
  queueName(stage),
  claims.map(idOf),
  marksOf(claims, instance),
]

/**
 * Runs a statement on our rows of these claims, all of one stage; returns the claims that are still ours. Our row is always the first that
 * is locked, so that two instances never wait for each other.
 */
const stillOurs = async (
  { sql, instance }: Work,
  statement: string,
  claims: readonly StoredClaim[],
  ...values: readonly unknown[]
): Promise<readonly StoredClaim[]> => {
  const [first] = claims
  if (!first) return []
  const { rows } = await sql.executeSql(statement, [...oursOf(first.stage, instance, claims), ...values])
  const ids = new Set(rows.map((row) => row['id']))
  return claims.filter((one) => ids.has(idOf(one)))
}

export const renew = (work: Work, claims: readonly StoredClaim[], lease: number) =>
  stillOurs(
    work,
    `UPDATE ${work.schema}.archiver_held h SET lease_until = clock_timestamp() + $4 * interval '1 ms' WHERE ${OURS} RETURNING h.id`,
    claims,
    lease,
  )

export const settleFailed = async (
  work: Work,
  failed: readonly StoredFailure[],
): Promise<readonly StoredClaim[]> => {
  const reasons = new Map(failed.map((one) => [one.claim, one]))
  const ours = await stillOurs(
    work,
    `UPDATE ${work.schema}.archiver_held h SET instance = NULL, lease_until = NULL WHERE ${OURS} RETURNING h.id`,
    [...reasons.keys()],
  )
  for (const one of ours) {
    const { code = '', message = '' } = reasons.get(one) ?? {}
    await failForGood(work, one, { code, message })
  }
  return ours
}

/** pg-boss fails a job for good where its retries are used up. */
export const failForGood = async (
  { boss, sql, schema }: Work,
  claim: StoredClaim,
  reason: { readonly code: string; readonly message: string },
): Promise<void> => {
  const name = queueName(claim.stage)
  const attempt = attemptOf(claim)
  await sql.executeSql(
    `UPDATE ${schema}.job SET retry_limit = retry_count WHERE name = $1 AND id = $2 AND state = 'active' AND retry_count = $3`,
    [name, attempt.id, attempt.retryCount],
  )
  const output = { code: reason.code, message: reasonText(reason.message) }
  agree(await boss.fail(name, attempt, output, { db: sql }), [claim])
}

/** Gives claims back; the attempts do not count. */
export const giveBack = async (
  work: Work,
  claims: readonly StoredClaim[],
  delay: number,
  reason: string | null,
): Promise<readonly StoredClaim[]> => {
  const { boss, sql, schema } = work
  const ours = await stillOurs(
    work,
    `UPDATE ${schema}.archiver_held h SET instance = NULL, lease_until = NULL, uncounted = uncounted + 1, message = $4 WHERE ${OURS} RETURNING h.id`,
    claims,
    reason === null ? null : reasonText(reason),
  )
  const [first] = ours
  if (!first) return []
  const name = queueName(first.stage)
  agree(await boss.fail(name, ours.map(attemptOf), null, { db: sql }), ours)
  if (delay > 0)
    await sql.executeSql(
      `UPDATE ${schema}.job SET start_after = clock_timestamp() + $3 * interval '1 ms' WHERE name = $1 AND id = ANY($2::uuid[]) AND state = 'retry'`,
      [name, ours.map(idOf), delay],
    )
  return ours
}

/** Our row and pg-boss's job changed together, or the transaction must not commit. */
const agree = (answer: object, claims: readonly StoredClaim[]): void => {
  const { affected } = answer as { affected?: number }
  if (affected === claims.length) return
  const keys = claims.map(({ key }) => key).join(', ')
  throw new Error(
    `the queue's tables disagree about ${keys}: pg-boss changed ${String(affected)} of ${claims.length}`,
  )
}
