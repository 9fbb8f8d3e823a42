import {
  POISON_AFTER,
  SUSPECT_AFTER,
  type QueueItem,
  type StoredClaim,
  type StoredFailure,
} from '../../engine/claim-store.ts'
import type { SqliteFile } from '../../sql/libsql-database.ts'
import { poisonMessage, reasonText } from '../claim-rows.ts'
import { fairShare } from '../fair-share.ts'

/** Statements on `work`. Each function runs inside a transaction of its caller; `now` is epoch milliseconds. */

/**
 * Adds items that are not there, and opens those that were done before `missingAt` again. What was done in the time to come was done by a clock
 * that has been set back since: before whatever that clock says now.
 */
export const enqueue = (
  file: SqliteFile,
  stage: string,
  items: Iterable<QueueItem>,
  missingAt: number,
  now: number,
): number => {
  const add = file.prepare(
    `INSERT INTO work (stage, key, ordinal, added_at) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (stage, key) DO UPDATE SET status = 'pending', added_at = excluded.added_at, finished_at = NULL,
       attempts = 0, lost = 0, not_before = 0, claimed_by = NULL, claimed_at = NULL, code = NULL, message = NULL
     WHERE work.status = 'done' AND (work.finished_at < ?5 OR work.finished_at > ?4 AND ?5 <= ?4)`,
  )
  let added = 0
  for (const { key, ordinal } of items)
    added += Number(add.run([stage, key, ordinal, now, missingAt]).changes)
  return added
}

/** Adds what is done in a stage to the next one. What was done there before the item was added here is opened again. */
export const enqueueNext = (
  file: SqliteFile,
  nextStage: string,
  done: readonly StoredClaim[],
  now: number,
): void => {
  const added = file.prepare('SELECT added_at FROM work WHERE stage = ? AND key = ?')
  for (const one of done) {
    const [row] = added.all([one.stage, one.key]) as { added_at: number }[]
    enqueue(file, nextStage, [one], row?.added_at ?? 0, now)
  }
}

/**
 * Takes what is due, lowest first; suspects only where there is nothing else, one, for an instance that holds
 * nothing.
 */
export const claim = (
  file: SqliteFile,
  stage: string,
  limit: number,
  instance: string,
  now: number,
  leaseUntil: number,
): StoredClaim[] => {
  const held = file.prepare(
    `SELECT count(*) AS held, coalesce(max(lost >= ${SUSPECT_AFTER}), 0) AS suspects FROM work WHERE status = 'claimed' AND claimed_by = ?`,
  )
  const [ours] = held.all([instance]) as [{ held: number; suspects: number }]
  if (ours.suspects > 0) return []
  const take = (which: string, atMost: number): StoredClaim[] =>
    taken(file, which, { stage, instance, now, leaseUntil, limit: atMost })
  const others = take(`lost < ${SUSPECT_AFTER}`, limit)
  return others.length > 0 || ours.held > 0 ? others : take(`lost >= ${SUSPECT_AFTER}`, 1)
}

/** How many of `most` items an instance may take, so that all end together. */
export const shareOf = (file: SqliteFile, stage: string, most: number): number => {
  const [row] = file
    .prepare(
      `SELECT pending, (SELECT count(*) FROM instances WHERE status = 'running') AS instances FROM stages WHERE stage = ?`,
    )
    .all([stage]) as { pending: number; instances: number }[]
  return row ? fairShare(most, row.pending, row.instances) : most
}

interface Taking {
  readonly stage: string
  readonly instance: string
  readonly now: number
  readonly leaseUntil: number
  readonly limit: number
}

const taken = (
  file: SqliteFile,
  which: string,
  { stage, instance, now, leaseUntil, limit }: Taking,
): StoredClaim[] => {
  const rows = file
    .prepare(
      `UPDATE work SET status = 'claimed', epoch = epoch + 1, attempts = attempts + 1, claimed_by = ?, claimed_at = ?,
         lease_until = ?, not_before = 0
       WHERE stage = ? AND key IN (
         SELECT key FROM work INDEXED BY work_due WHERE stage = ? AND status = 'pending' AND ${which} AND not_before <= ?
           AND NOT EXISTS (SELECT 1 FROM stages s WHERE s.stage = ? AND (s.paused_at IS NOT NULL OR s.blocked_until > ?))
         ORDER BY ordinal LIMIT ?)
       RETURNING key, ordinal, epoch, attempts`,
    )
    .all([instance, now, leaseUntil, stage, stage, now, stage, now, limit]) as {
    key: string
    ordinal: number
    epoch: number
    attempts: number
  }[]
  return rows
    .map(({ key, ordinal, epoch, attempts }) => ({ stage, key, ordinal, epoch, attempt: attempts }))
    .sort((a, b) => a.ordinal - b.ordinal)
}

/** A claim is ours as long as nobody has claimed the item since: the epoch says so. */
const OURS = `stage = ? AND key = ? AND epoch = ? AND claimed_by = ? AND status = 'claimed'`
const oursOf = ({ stage, key, epoch }: StoredClaim, instance: string) => [stage, key, epoch, instance]

/** Runs a change on each claim; returns those that are no longer ours. */
const refused = (
  file: SqliteFile,
  sets: string,
  claims: readonly StoredClaim[],
  instance: string,
  values: (claim: StoredClaim) => readonly unknown[],
): StoredClaim[] => {
  const statement = file.prepare(`UPDATE work SET ${sets} WHERE ${OURS}`)
  return claims.filter(
    (one) => Number(statement.run([...values(one), ...oursOf(one, instance)]).changes) === 0,
  )
}

export const renew = (
  file: SqliteFile,
  claims: readonly StoredClaim[],
  instance: string,
  leaseUntil: number,
): StoredClaim[] => refused(file, 'lease_until = ?', claims, instance, () => [leaseUntil])

export const settleDone = (
  file: SqliteFile,
  done: readonly StoredClaim[],
  instance: string,
  now: number,
): StoredClaim[] =>
  refused(
    file,
    `status = 'done', finished_at = ?, lease_until = NULL, code = NULL, message = NULL, lost = 0`,
    done,
    instance,
    () => [now],
  )

export const settleFailed = (
  file: SqliteFile,
  failed: readonly StoredFailure[],
  instance: string,
  now: number,
): StoredClaim[] => {
  const reasons = new Map(failed.map((one) => [one.claim, one]))
  return refused(
    file,
    `status = 'failed', finished_at = ?, lease_until = NULL, code = ?, message = ?`,
    [...reasons.keys()],
    instance,
    (one) => [now, reasons.get(one)?.code ?? '', reasonText(reasons.get(one)?.message ?? '')],
  )
}

const BACK = `status = 'pending', attempts = max(0, attempts - 1), claimed_by = NULL, claimed_at = NULL, lease_until = NULL`

export const giveBack = (
  file: SqliteFile,
  claims: readonly StoredClaim[],
  instance: string,
  notBefore: number,
  reason: string | null,
): void =>
  void refused(file, `${BACK}, not_before = ?, message = ?`, claims, instance, () => [
    notBefore,
    reason && reasonText(reason),
  ])

/** Takes back what these instances hold, and every lease that ran out. */
export const takeBack = (file: SqliteFile, dead: readonly string[], now: number): number => {
  const places = dead.map(() => '?').join(', ')
  const gone = `status = 'claimed' AND (lease_until < ?${dead.length > 0 ? ` OR claimed_by IN (${places})` : ''})`
  const poison = file
    .prepare(
      `UPDATE work SET status = 'failed', lost = lost + 1, finished_at = ?, code = 'QUEUE_POISON', message = ?, lease_until = NULL
       WHERE ${gone} AND lost + 1 >= ?`,
    )
    .run([now, poisonMessage(POISON_AFTER), now, ...dead, POISON_AFTER])
  const back = file
    .prepare(
      `UPDATE work SET status = 'pending', lost = lost + 1, claimed_by = NULL, claimed_at = NULL, lease_until = NULL
       WHERE ${gone}`,
    )
    .run([now, ...dead])
  return Number(poison.changes) + Number(back.changes)
}
