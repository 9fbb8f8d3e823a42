import { quantileOfSorted } from '../../common/quantile.ts'
import { timeMs, timeText } from '../../sql/timestamps.ts'
import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'

/** How a task did. Durations in seconds, of executions that FINISHED. */
export interface TaskStats {
  readonly task: string
  readonly executions: number
  readonly finished: number
  readonly failed: number
  readonly cancelled: number
  readonly running: number
  /** Percent of the ended ones that FINISHED; null while none has ended. */
  readonly successRate: number | null
  readonly medianSeconds: number | null
  readonly p95Seconds: number | null
}

/** Executions of one question: what is counted is never held whole. */
const AT_ONCE = 20_000

interface Tally {
  readonly counts: Map<string, number>
  readonly seconds: number[]
  ended: number
  executions: number
}

/** How each task did, over all its executions since a moment (epoch milliseconds), in the order of their names. */
export const taskStats = async (
  database: LedgerDatabase,
  { task, since }: { readonly task?: string | undefined; readonly since?: number | undefined },
  atOnce = AT_ONCE,
): Promise<TaskStats[]> => {
  const tallies = new Map<string, Tally>()
  for (let after = 0; ;) {
    let query = tables(database)
      .selectFrom('executions')
      .select(['execution_id', 'task_name', 'execution_status', 'execution_start', 'execution_end'])
      .where('execution_id', '>', after)
      .orderBy('execution_id')
      .limit(atOnce)
    if (task !== undefined) query = query.where('task_name', '=', task)
    if (since !== undefined) query = query.where('execution_start', '>=', timeText(since))
    const rows = await query.execute()
    for (const row of rows) {
      let tally = tallies.get(row.task_name)
      if (!tally)
        tallies.set(row.task_name, (tally = { counts: new Map(), seconds: [], ended: 0, executions: 0 }))
      count(tally, row)
    }
    const last = rows.at(-1)
    if (!last || rows.length < atOnce) break
    after = last.execution_id
  }
  return [...tallies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, tally]) => statsOf(name, tally))
}

const count = (
  tally: Tally,
  {
    execution_status: status,
    execution_start: start,
    execution_end: end,
  }: {
    readonly execution_status: string
    readonly execution_start: string
    readonly execution_end: string | null
  },
): void => {
  tally.executions += 1
  tally.counts.set(status, (tally.counts.get(status) ?? 0) + 1)
  if (end === null) return
  tally.ended += 1
  if (status === 'FINISHED') tally.seconds.push((timeMs(end) - timeMs(start)) / 1000)
}

const statsOf = (task: string, { counts, seconds, ended, executions }: Tally): TaskStats => {
  const finished = counts.get('FINISHED') ?? 0
  seconds.sort((a, b) => a - b)
  return {
    task,
    executions,
    finished,
    failed: counts.get('FAILED') ?? 0,
    cancelled: counts.get('CANCELLED') ?? 0,
    running: executions - ended,
    successRate: ended === 0 ? null : Math.round((finished / ended) * 1000) / 10,
    medianSeconds: quantileOfSorted(seconds, 0.5) ?? null,
    p95Seconds: quantileOfSorted(seconds, 0.95) ?? null,
  }
}
