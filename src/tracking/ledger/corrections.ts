import { timeMs } from '../../sql/timestamps.ts'
import { tables } from './ledger-tables.ts'
import type { Row } from './row.ts'
import type { LedgerDatabase } from './schema-types.ts'

/**
 * Events for executions that were closed as terminated, and of which one of these rows says otherwise: the process lived after all. To be called
 * before the rows are written.
 */
export const corrections = async (database: LedgerDatabase, rows: readonly Row[]): Promise<Row[]> => {
  const newer = rows.filter(
    ({ table, cells }) =>
      table === 'executions' && cells['end_reason'] !== 'terminated' && revisionOf(cells) > 1,
  )
  if (newer.length === 0) return []
  const ids = [...new Set(newer.map(({ cells }) => String(cells['run_id'])))]
  const dead = await tables(database)
    .selectFrom('executions')
    .select(['run_id', 'revision', 'execution_end'])
    .where('run_id', 'in', ids)
    .where('end_reason', '=', 'terminated')
    .execute()
  return dead.flatMap(({ run_id: runId, revision, execution_end: end }) => {
    const row = newer.findLast(({ cells }) => cells['run_id'] === runId && revisionOf(cells) >= revision)
    if (!row) return []
    const at = row.cells['last_update'] ?? end
    const detail = { was: 'TERMINATED', ended: end, now: row.cells['execution_status'] ?? null }
    const cells = {
      // Below every number that the execution itself gives its events, as the event that closed it.
      ...{ run_id: runId, seq: -1 - timeMs(String(at)), at },
      ...{ kind: 'corrected', detail: JSON.stringify(detail) },
    }
    return [{ table: 'events', cells, transient: false }]
  })
}

const revisionOf = (cells: Row['cells']): number => Number(cells['revision'] ?? 0)
