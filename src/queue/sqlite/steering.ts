import type { QueueItem } from '../../engine/claim-store.ts'
import type { SqliteFile } from '../../sql/libsql-database.ts'

/** Changes of items by others than their holder. Each function runs inside a transaction of its caller. */

const OPEN = `UPDATE work SET status = 'pending', attempts = 0, lost = 0, not_before = 0, finished_at = NULL WHERE stage = ? AND status = 'failed'`

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
