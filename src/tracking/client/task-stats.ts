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
  { task, since }: Wanted,
  atOnce = AT_ONCE,
): Promise<TaskStats[]> => {
  const tallies = new Map<string, Tally>()
  await eachTimed(database, { task, since }, atOnce, (row) => {
    let tally = tallies.get(row.task_name)
    if (!tally)
      tallies.set(row.task_name, (tally = { counts: new Map(), seconds: [], ended: 0, executions: 0 }))
    count(tally, row)
  })
  return [...tallies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, tally]) => statsOf(name, tally))
}

/** What is asked of executions. */
interface Wanted {
  readonly task?: string | undefined
  readonly since?: number | undefined
}

interface Timed {
  readonly task_name: string
  readonly execution_status: string
  readonly execution_start: string
  readonly execution_end: string | null
}

const eachTimed = async (
  database: LedgerDatabase,
  { task, since }: Wanted,
  atOnce: number,
  visit: (row: Timed) => void,
): Promise<void> => {
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
    for (const row of rows) visit(row)
    const last = rows.at(-1)
    if (!last || rows.length < atOnce) break
    after = last.execution_id
  }
}

/** A task on a UTC day, by the executions that began then and have ended. */
export interface TaskDay {
  readonly task: string
  readonly day: string
  executions: number
  failed: number
  meanSeconds: number
  minSeconds: number
  maxSeconds: number
}

/** Each task on each day, the newest day of a task first. */
export const taskDays = async (
  database: LedgerDatabase,
  wanted: Wanted,
  atOnce = AT_ONCE,
): Promise<TaskDay[]> => {
  const days = new Map<string, TaskDay>()
  await eachTimed(database, wanted, atOnce, (row) => {
    if (row.execution_end === null) return
    const seconds = Math.max(0, timeMs(row.execution_end) - timeMs(row.execution_start)) / 1000
    const [task, day] = [row.task_name, row.execution_start.slice(0, 10)]
    const key = JSON.stringify([task, day])
    const one = days.get(key) ?? {
      ...{ task, day, executions: 0, failed: 0, meanSeconds: 0 },
      ...{ minSeconds: seconds, maxSeconds: seconds },
    }
    days.set(key, one)
    one.executions += 1
    if (row.execution_status === 'FAILED') one.failed += 1
    one.meanSeconds += (seconds - one.meanSeconds) / one.executions
    one.minSeconds = Math.min(one.minSeconds, seconds)
    one.maxSeconds = Math.max(one.maxSeconds, seconds)
  })
  return [...days.values()].sort((a, b) => compare(a.task, b.task) || compare(b.day, a.day))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const count = (
  tally: Tally,
  { execution_status: status, execution_start: start, execution_end: end }: Timed,
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
