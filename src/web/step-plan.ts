import type { ExecutionDetail } from './model.ts'
import type { StepTime } from './models/steps.ts'

/** A subtask that has not begun, where the medians place it. Epoch milliseconds. */
export interface PlannedStep {
  readonly name: string
  readonly number: number
  readonly from: number
  readonly to: number
}

export interface StepPlan {
  /** When the subtask in hand ends, by its median; undefined where nothing says so. */
  readonly currentEnds: number | undefined
  readonly rest: readonly PlannedStep[]
  /** When the last of them ends. */
  readonly end: number
}

/** Executions from which a median says something. */
const ENOUGH = 3

/** What is left of an execution that runs, by how long its task's subtasks usually take. Without enough of the past nothing is planned. */
export const stepPlan = (
  { parts, endedAt }: Pick<ExecutionDetail, 'parts' | 'endedAt'>,
  times: readonly StepTime[],
  now: number,
): StepPlan | undefined => {
  const known = times.filter(({ executions }) => executions >= ENOUGH)
  const last = parts.at(-1)
  if (endedAt !== undefined || known.length === 0 || !last) return undefined
  const inHand = last.endedAt === undefined ? known.find(({ name }) => name === last.name) : undefined
  const currentEnds = inHand && last.startedAt !== undefined ? last.startedAt + inHand.p50 * 1000 : undefined
  // Of one that already takes longer than it usually does nothing more is known.
  let at = Math.max(now, currentEnds ?? now)
  const begun = new Set(parts.map(({ name }) => name))
  const rest = known
    .filter(({ name, number }) => !begun.has(name) && number > last.number)
    .map(({ name, number, p50 }): PlannedStep => {
      const from = at
      at += p50 * 1000
      return { name, number, from, to: at }
    })
  return { currentEnds, rest, end: at }
}
