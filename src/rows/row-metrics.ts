import type { Counts } from './batch.ts'
import type { RowsListener } from './events.ts'
import type { Gate } from './gate.ts'

type Labels = Readonly<Record<string, string>>

/** Where an execution of rows puts its numbers. */
export interface RowCounters {
  add(family: 'rows_total' | 'throttled_seconds_total', labels: Labels, more: number): void
  set(
    family: 'row_conflicts' | 'replica_lag_seconds' | 'history_list_length',
    labels: Labels,
    value: number,
  ): void
}

/** The outcomes that every id of a file has one of, and their labels. */
const OUTCOMES = {
  moved: 'moved',
  alreadyArchivedLive: 'already_archived_live',
  alreadyArchived: 'already_archived',
  conflicts: 'conflict',
  notFound: 'not_found',
  appeared: 'appeared',
  repeated: 'repeated',
  heldBack: 'held_back',
} as const satisfies Partial<Record<keyof Counts, string>>

/** Counts rows by what became of them, and what held them back. A batch counts when it is committed. */
export const rowMetrics =
  (table: string, gate: Pick<Gate, 'lags'>, counters: RowCounters): RowsListener =>
  (event) => {
    if (event.type === 'throttled')
      counters.add('throttled_seconds_total', { table, reason: event.cause }, event.milliseconds / 1000)
    if (event.type === 'batch-done') {
      for (const [name, outcome] of Object.entries(OUTCOMES))
        counters.add('rows_total', { table, outcome }, event.counts[name as keyof typeof OUTCOMES])
      if (event.hll >= 0) counters.set('history_list_length', { table }, event.hll)
    }
    if (event.type === 'throttled' || event.type === 'batch-done')
      for (const [replica, lag] of gate.lags) counters.set('replica_lag_seconds', { replica }, lag ?? NaN)
    if (event.type === 'ended' && event.openConflicts !== undefined)
      counters.set('row_conflicts', { table }, event.openConflicts)
  }
