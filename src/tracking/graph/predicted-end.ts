import { quantile } from '../../common/quantile.ts'
import type { Estimate } from '../ledger/eta.ts'

/** An estimate with what it is based on: never shown without. */
export interface Prediction extends Estimate {
  readonly basis: 'items' | 'history'
  /** `subtask`: it is the end of the subtask in hand; nothing says how long those after it take. */
  readonly covers: 'execution' | 'subtask'
  /** Whether the execution has already taken longer than 95 % of the past ones. */
  readonly overdue: boolean
}

/** Past executions from which a median says something. */
const ENOUGH = 3

/**
 * When an execution will end, epoch milliseconds. In its last subtask by the rate of its items, where there is one. Else by the durations (seconds) of
 * its last good executions, median with the first and third quartile as the range, and not before the subtask in hand. Where those say nothing, when
 * the subtask in hand will end. Undefined when nothing says anything.
 */
export const predictedEnd = (of: {
  readonly startedAt: number
  readonly now: number
  /** Of the subtask in hand. */
  readonly byItems: Estimate | undefined
  readonly isLastSubtask: boolean
  readonly past: readonly number[]
}): Prediction | undefined => {
  const { startedAt, now, byItems, isLastSubtask, past } = of
  const elapsed = (now - startedAt) / 1000
  const p95 = quantile(past, 0.95)
  const overdue = past.length >= ENOUGH && p95 !== undefined && elapsed > p95
  if (byItems && isLastSubtask) return { ...byItems, basis: 'items', covers: 'execution', overdue }
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(past, share))
  if (past.length < ENOUGH || low === undefined || middle === undefined || high === undefined)
    return byItems && { ...byItems, basis: 'items', covers: 'subtask', overdue }
  const at = (seconds: number, earliest = now): number =>
    Math.round(Math.max(now, earliest, startedAt + seconds * 1000))
  return {
    ...{ at: at(middle, byItems?.at), low: at(low, byItems?.low), high: at(high, byItems?.high) },
    ...{ basis: 'history', covers: 'execution', overdue },
  }
}
