import { quantileOfSorted } from '../../common/quantile.ts'
import { itemsOf } from './distinct-items.ts'
import { stateOf, type State } from './status-words.ts'
import type { LedgerDatabase } from './schema-types.ts'
import type { Cell, Row } from './row.ts'
import { tables } from './ledger-tables.ts'
import { timeMs, timeText } from '../../sql/timestamps.ts'

const DAY = 86_400_000

/** A task on a UTC day. */
export interface TaskDay {
  readonly task: string
  readonly day: string
}

/** The days whose statistics these rows change: those of executions that have ended. */
export const daysTouched = (rows: readonly Row[]): TaskDay[] =>
  rows.flatMap(({ table, cells }) => {
    const { execution_end: end, execution_start: start, task_name: task } = cells
    if (table !== 'executions' || typeof end !== 'string') return []
    return typeof start === 'string' && typeof task === 'string' ? [{ task, day: start.slice(0, 10) }] : []
  })

/** Each day once: PostgreSQL refuses a statement that changes a row twice. */
export const distinctDays = (days: readonly TaskDay[]): TaskDay[] => [
  ...new Map(days.map((one) => [JSON.stringify([one.task, one.day]), one])).values(),
]

/** `daily_stats` for these days, counted anew from the executions, so that counting twice changes nothing. */
export const daysOf = async (database: LedgerDatabase, days: readonly TaskDay[]): Promise<Row[]> => {
  const rows: Row[] = []
  for (const { task, day } of distinctDays(days)) {
    const from = Date.parse(`${day}T00:00:00Z`)
    const ended = await tables(database)
      .selectFrom('executions')
      .select(['execution_status', 'end_reason', 'execution_start', 'execution_end'])
      .select(['counts', 'items_attempted', 'items_failed', 'bytes'])
      .where('task_name', '=', task)
      .where('execution_start', '>=', timeText(from))
      .where('execution_start', '<', timeText(from + DAY))
      .where('execution_end', 'is not', null)
      .execute()
    rows.push(summary(task, day, ended))
  }
  return rows
}

interface Ended {
  readonly execution_status: string
  readonly end_reason: string | null
  readonly execution_start: string
  readonly execution_end: string | null
  readonly counts: string | null
  readonly items_attempted: number | null
  readonly items_failed: number | null
  readonly bytes: number | null
}

const summary = (task: string, day: string, ended: readonly Ended[]): Row => {
  const states = ended.map((row) => stateOf(row.execution_status, row.end_reason))
  const count = (...wanted: readonly State[]): number =>
    states.filter((state) => wanted.includes(state)).length
  const seconds = ended
    .map(
      ({ execution_start: start, execution_end: end }) =>
        Math.max(0, timeMs(end ?? start) - timeMs(start)) / 1000,
    )
    .sort((a, b) => a - b)
  const sum = (values: readonly (number | null)[]): number =>
    values.reduce<number>((total, value) => total + (value ?? 0), 0)
  const cells: Record<string, Cell> = {
    task_name: task,
    day,
    executions: ended.length,
    ok: count('done', 'skipped'),
    partly: count('partial'),
    failed: count('failed'),
    killed: count('killed', 'cancelled'),
    reboots: count('system_reboot'),
    ended_unseen: count('terminated'),
    items: sum(ended.map(itemsOf)),
    items_failed: sum(ended.map((row) => row.items_failed)),
    bytes: sum(ended.map((row) => row.bytes)),
    seconds: sum(seconds),
    min_seconds: seconds[0] ?? null,
    max_seconds: seconds.at(-1) ?? null,
    p50_seconds: quantileOfSorted(seconds, 0.5) ?? null,
    p95_seconds: quantileOfSorted(seconds, 0.95) ?? null,
  }
  return { table: 'daily_stats', cells, transient: false }
}
