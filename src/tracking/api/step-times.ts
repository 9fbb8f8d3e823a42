import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { quantile } from '../../common/quantile.ts'
import { tables } from '../ledger/ledger-tables.ts'
import { timeMs } from '../../sql/timestamps.ts'

/** How long a subtask usually takes, by the good executions of its task. */
export interface StepTime {
  readonly name: string
  /** Where it stands in the newest of them. */
  readonly number: number
  /** The median of the newest 20 good executions that had it, in seconds. */
  readonly p50: number
  /** How many of them had it. */
  readonly executions: number
  /** The median of the 20 before; undefined where fewer than five had it. */
  readonly before: number | undefined
}

/** Good executions of one part, and how many must have a subtask before the part before says something. */
const PART = 20
const ENOUGH = 5

/** The subtasks of a task's newest 20 good executions against those of the 20 before, in their order. */
export const stepTimes = async (database: LedgerDatabase, task: string): Promise<StepTime[]> => {
  const from = tables(database)
  const good = await from
    .selectFrom('executions')
    .select('run_id')
    .where('task_name', '=', task)
    .where('execution_status', '=', 'FINISHED')
    .where((eb) => eb.or([eb('end_reason', 'is', null), eb('end_reason', '=', 'ok')]))
    .orderBy('execution_start', 'desc')
    .limit(2 * PART)
    .execute()
  if (good.length === 0) return []
  const place = new Map(good.map(({ run_id }, i) => [run_id, i]))
  const rows = await from
    .selectFrom('subtasks')
    .select(['run_id', 'seq', 'name', 'started_at', 'ended_at'])
    .where('run_id', 'in', [...place.keys()])
    .orderBy('seq')
    .limit(20_000)
    .execute()
  const steps = new Map<string, { number: number; lately: number[]; before: number[] }>()
  for (const { run_id, seq, name, started_at, ended_at } of rows) {
    if (started_at === null || ended_at === null) continue
    const step = steps.get(name) ?? { number: seq, lately: [], before: [] }
    steps.set(name, step)
    const isLate = (place.get(run_id) ?? 0) < PART
    if (isLate) step.number = Math.min(step.number, seq)
    step[isLate ? 'lately' : 'before'].push((timeMs(ended_at) - timeMs(started_at)) / 1000)
  }
  return [...steps]
    .flatMap(([name, { number, lately, before }]): StepTime[] => {
      const p50 = quantile(lately, 0.5)
      if (p50 === undefined) return []
      const past = before.length < ENOUGH ? undefined : quantile(before, 0.5)
      return [{ name, number, p50, executions: lately.length, before: past }]
    })
    .sort((a, b) => a.number - b.number)
}
