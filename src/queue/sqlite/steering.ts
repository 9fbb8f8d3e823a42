import type { QueueItem } from '../../engine/claim-store.ts'
import type { SqliteFile } from '../../sql/libsql-database.ts'
import { takeBack } from './claims.ts'

/** Changes by others than an item's holder. Each function runs inside a transaction of its caller. */

const OPEN = `UPDATE work SET status = 'pending', attempts = 0, lost = 0, not_before = 0, finished_at = NULL, claimed_by = NULL,
  claimed_at = NULL, code = NULL, message = NULL WHERE stage = ? AND status = 'failed'`

/** Opens failed items of a stage again: these keys, or all. Returns how many. */
export const reopen = (file: SqliteFile, stage: string, keys: readonly string[] | undefined): number => {
  if (keys === undefined) return Number(file.prepare(OPEN).run([stage]).changes)
  const one = file.prepare(`${OPEN} AND key = ?`)
  return keys.reduce((sum, key) => sum + Number(one.run([stage, key]).changes), 0)
}

/** Makes the failed items of a stage exactly these. Items that are to be done stay so. `now` is epoch milliseconds. */
export const adoptFailures = (
  file: SqliteFile,
  stage: string,
  items: readonly QueueItem[],
  kept: readonly string[],
  now: number,
): void => {
  const keys = new Set([...items.map(({ key }) => key), ...kept])
  const failed = file.prepare(`SELECT key FROM work WHERE stage = ? AND status = 'failed'`).all([stage])
  reopen(
    file,
    stage,
    (failed as { key: string }[]).map(({ key }) => key).filter((key) => !keys.has(key)),
  )
  const add = file.prepare(
    `INSERT INTO work (stage, key, ordinal, status, added_at, finished_at, message) VALUES (?, ?, ?, 'failed', ?, ?, 'in the failure log')
     ON CONFLICT (stage, key) DO UPDATE SET status = 'failed', finished_at = excluded.finished_at, message = excluded.message
     WHERE work.status = 'done'`,
  )
  for (const { key, ordinal } of items) add.run([stage, key, ordinal, now, now])
}

/** Sets columns of a stage. */
export const setStage = (file: SqliteFile, stage: string, sets: string, values: readonly unknown[]): void => {
  file.prepare('INSERT INTO stages (stage) VALUES (?) ON CONFLICT (stage) DO NOTHING').run([stage])
  file.prepare(`UPDATE stages SET ${sets} WHERE stage = ?`).run([...values, stage])
}

/** Marks instances as lost, and takes back what they and leases that ran out held. Returns how many claims. */
export const bury = (file: SqliteFile, dead: readonly string[], now: number): number => {
  const taken = takeBack(file, dead, now)
  const lose = file.prepare(
    `UPDATE instances SET status = 'lost', ended_at = ? WHERE id = ? AND status = 'running'`,
  )
  for (const id of dead) lose.run([now, id])
  return taken
}
