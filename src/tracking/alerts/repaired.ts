import { timeMs, timeText } from '../../sql/timestamps.ts'
import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'

/** Failed items of one execution that are followed. Where there are more, nobody repaired all of them unnoticed. */
const FOLLOWED = 10_000
/** Items of one statement. */
const AT_ONCE = 500

interface PartialExecution {
  readonly run_id: string
  readonly execution_start: string
  readonly items_failed: number | null
}

/**
 * Whether a later execution, of whichever task, has done every item that failed in this one: a retry archived them, and the task itself may have nothing
 * to do for weeks. False where the ledger does not hold each of its failed items.
 */
export const isRepaired = async (
  database: LedgerDatabase,
  { run_id: runId, execution_start: start, items_failed: failures }: PartialExecution,
): Promise<boolean> => {
  const failed = await tables(database)
    .selectFrom('files')
    .select(['stage', 'file_name', 'run'])
    .where('run_id', '=', runId)
    .where('state', '=', 'failed')
    .limit(FOLLOWED + 1)
    .execute()
  if (failed.length === 0 || failed.length > FOLLOWED || failed.length < (failures ?? 0)) return false
  const done = new Set<string>()
  const note = (rows: readonly { readonly stage: string; readonly file_name: string }[]): void =>
    rows.forEach((row) => done.add(`${row.stage} ${row.file_name}`))
  const doneSince = tables(database)
    .selectFrom('files')
    .select(['stage', 'file_name'])
    .where('state', '=', 'done')
    .where('started_at', '>=', timeText(timeMs(start)))
    .where('run_id', '<>', runId)
  const runs = [...new Set(failed.flatMap(({ run }) => (run === null ? [] : [run])))]
  for (let at = 0; at < runs.length; at += AT_ONCE)
    note(await doneSince.where('run', 'in', runs.slice(at, at + AT_ONCE)).execute())
  const names = failed.flatMap(({ run, file_name: name }) => (run === null ? [name] : []))
  for (let at = 0; at < names.length; at += AT_ONCE)
    note(await doneSince.where('file_name', 'in', names.slice(at, at + AT_ONCE)).execute())
  return failed.every((row) => done.has(`${row.stage} ${row.file_name}`))
}
