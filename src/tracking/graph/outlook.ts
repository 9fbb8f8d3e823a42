import type { Estimate } from '../ledger/eta.ts'
import { isHung, isLost, type Latest } from './conditions.ts'
import { predictedEnd, type Prediction } from './predicted-end.ts'

/** What the status word of an execution does not say. */
export type Condition = 'LOST' | 'HUNG' | 'THROTTLED' | 'BLOCKED' | 'PAUSED' | 'OVERDUE'

export interface Outlook {
  readonly conditions: readonly Condition[]
  /** Undefined where nothing can be promised: it is lost, hangs or is held back, or nothing is known. */
  readonly eta: Prediction | undefined
}

export const HELD = ['THROTTLED', 'BLOCKED', 'PAUSED'] as const

const STUCK: readonly Condition[] = ['LOST', 'HUNG', ...HELD]

/**
 * The one word that a task, or an execution of it, has on a page: of one that runs what keeps it, else its status; of a task that has no
 * execution or none that runs, LATE where its schedule wants one. The view `monitoring_view` says the same (tracking/ledger/display-status.ts).
 */
export const displayStatus = (
  status: string | undefined,
  conditions: readonly Condition[],
  isLateNow = false,
): string => {
  const isRunning = status === 'STARTED' || status === 'RUNNING'
  if (!isRunning) return isLateNow ? 'LATE' : (status ?? 'NOT_STARTED')
  return conditions.find((word) => STUCK.includes(word)) ?? status
}

/** How an execution that runs will go on, by its items or by the durations (seconds) of the task's last good executions. */
export const outlookOf = (of: {
  readonly latest: Latest
  /** When the items of the subtask in hand will be done. */
  readonly byItems: Estimate | undefined
  readonly isLastSubtask: boolean
  readonly past: readonly number[]
  readonly now: number
}): Outlook => {
  const { latest, byItems, isLastSubtask, past, now } = of
  if (latest.state !== 'started' && latest.state !== 'running') return { conditions: [], eta: undefined }
  const prediction = predictedEnd({ startedAt: latest.startedAt, now, byItems, isLastSubtask, past })
  const held = HELD.find((word) => word === latest.subState?.toUpperCase())
  const stuck: Condition | undefined = isLost(latest, now) ? 'LOST' : isHung(latest, now) ? 'HUNG' : held
  return {
    conditions: [...(stuck ? [stuck] : []), ...(prediction?.overdue ? ['OVERDUE' as const] : [])],
    eta: stuck ? undefined : prediction,
  }
}
