import { tables } from './ledger-tables.ts'
import type { LedgerDatabase } from './schema-types.ts'
import { jsonObject } from '../../common/json-object.ts'
import { timeText } from '../../sql/timestamps.ts'

/** So far back, in milliseconds, and so many executions are looked at. */
const BACK = 7 * 86_400_000
const EXECUTIONS = 5
/** Runs that one execution can have had in hand. */
const IN_HAND = 10_000

const DEAD = ['terminated', 'system_reboot']

/**
 * Executions that died (kill -9, power cut) could not record what they had just stored. What of it the destination lists is counted for them, once.
 * `isStored` says whether the destination of this stage lists an item. Returns how many were found.
 */
export const countStored = async (
  database: LedgerDatabase,
  stage: string,
  isStored: (key: string) => boolean,
  now: number,
): Promise<number> => {
  const dead = await tables(database)
    .selectFrom('executions')
    .select('run_id')
    .where('end_reason', 'in', DEAD)
    .where('execution_start', '>=', timeText(now - BACK))
    .orderBy('execution_start', 'desc')
    .limit(EXECUTIONS)
    .execute()
  let found = 0
  for (const { run_id } of dead) {
    const rows = await tables(database)
      .selectFrom('files')
      .select(['file_id', 'file_name'])
      .where('run_id', '=', run_id)
      .where('stage', '=', stage)
      .where('state', 'in', DEAD)
      .limit(IN_HAND)
      .execute()
    const stored = rows.filter(({ file_name }) => isStored(file_name)).map(({ file_id }) => file_id)
    if (stored.length > 0) found += await recount(database, run_id, stage, stored, now)
  }
  return found
}

const recount = (
  database: LedgerDatabase,
  runId: string,
  stage: string,
  stored: readonly number[],
  now: number,
): Promise<number> =>
  database.kysely.transaction().execute(async (transaction) => {
    const within = tables({ ...database, kysely: transaction })
    let found = 0
    for (let at = 0; at < stored.length; at += 500) {
      const changed = await within
        .updateTable('files')
        .set({ state: 'done', result: 'stored', processed_batches: 1, last_processed_batch: 1 })
        .set({
          error_message: 'stored before the process died; seen by the next pass',
          updated_at: timeText(now),
        })
        .where('file_id', 'in', stored.slice(at, at + 500))
        .where('state', 'in', DEAD)
        .executeTakeFirst()
      found += Number(changed.numUpdatedRows)
    }
    if (found === 0) return 0
    await within
      .updateTable('subtasks')
      .set((eb) => ({ items_complete: eb('items_complete', '+', found), updated_at: timeText(now) }))
      .where('run_id', '=', runId)
      .where('name', '=', stage)
      .execute()
    const row = await within
      .selectFrom('executions')
      .select('counts')
      .where('run_id', '=', runId)
      .executeTakeFirst()
    await within
      .updateTable('executions')
      .set((eb) => ({
        items_attempted: eb('items_attempted', '+', found),
        counts: raised(row?.counts, found),
      }))
      .where('run_id', '=', runId)
      .execute()
    return found
  })

/** The counts of an execution with more items that succeeded. */
const raised = (text: string | null | undefined, by: number): string => {
  const counts = jsonObject(text)
  const more = ['processed', 'succeeded', 'items'].map(
    (name) => [name, Number(counts[name] ?? 0) + by] as const,
  )
  return JSON.stringify({ ...counts, ...Object.fromEntries(more) })
}
