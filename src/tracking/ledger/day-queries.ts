import { dayOf } from '../../sql/timestamps.ts'
import { tables } from './ledger-tables.ts'
import type { LedgerDatabase } from './schema-types.ts'

/** A UTC day of the archiver's health: the "system health" of operators' queries. */
export interface PastDay {
  readonly day: string
  readonly executions: number
  readonly completed: number
  readonly partial: number
  readonly failed: number
  readonly killed: number
  readonly reboots: number
  readonly terminated: number
  readonly runs: number
  readonly failedRuns: number
  /** Runs a minute while something ran; undefined when nothing did for long enough to know. */
  readonly rate: number | undefined
  /** Passes that found nothing to do. */
  readonly idle: number
}

/** The newest day first. Days outlive their executions, which `ledger.keep_days` removes. */
export const pastDays = async (database: LedgerDatabase, since: number): Promise<PastDay[]> => {
  const from = tables(database)
  const first = dayOf(since)
  const stats = await from.selectFrom('daily_stats').selectAll().where('day', '>=', first).execute()
  const idle = await from.selectFrom('idle_passes').selectAll().where('day', '>=', first).execute()
  const days = new Set([...stats, ...idle].map(({ day }) => day))
  return [...days]
    .sort()
    .reverse()
    .map((day): PastDay => {
      const rows = stats.filter((row) => row.day === day)
      const sum = (of: (row: (typeof rows)[number]) => number | null): number =>
        rows.reduce((total, row) => total + (of(row) ?? 0), 0)
      const seconds = sum((row) => row.seconds)
      const runs = sum((row) => row.items)
      return {
        day,
        executions: sum((row) => row.executions),
        completed: sum((row) => row.ok),
        partial: sum((row) => row.partly),
        failed: sum((row) => row.failed),
        killed: sum((row) => row.killed),
        reboots: sum((row) => row.reboots),
        terminated: sum((row) => row.ended_unseen),
        runs,
        failedRuns: sum((row) => row.items_failed),
        rate: seconds < 1 ? undefined : (runs / seconds) * 60,
        idle: idle.filter((row) => row.day === day).reduce((total, row) => total + row.passes, 0),
      }
    })
}
