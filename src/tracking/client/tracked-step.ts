import { percent } from '../ledger/eta.ts'
import { timeText } from '../../sql/timestamps.ts'
import type { Row } from '../ledger/row.ts'

/** One step of an execution. Times in epoch milliseconds. */
export interface TrackedStep {
  readonly seq: number
  name: string
  readonly depth: number
  readonly parentSeq: number | null
  state: 'pending' | 'running' | 'done' | 'failed'
  readonly startedAt: number
  endedAt: number | null
  itemsTotal: number | null
  itemsComplete: number | null
  /** Given by the pipeline itself; without it the share of the items counts. */
  percent: number | null
  message: string | null
  error: string | null
}

export const newStep = (
  seq: number,
  name: string,
  at: number,
  above: TrackedStep | undefined,
): TrackedStep => ({
  seq,
  name,
  depth: above ? above.depth + 1 : 0,
  parentSeq: above?.seq ?? null,
  state: 'running',
  startedAt: at,
  endedAt: null,
  itemsTotal: null,
  itemsComplete: null,
  percent: null,
  message: null,
  error: null,
})

export const isOpen = (step: TrackedStep): boolean => step.endedAt === null

/** 0 to 100, or null where nothing says how far it is. A step that is completed is at 100. */
export const stepPercent = (step: TrackedStep): number | null => {
  if (step.state === 'done') return 100
  if (step.percent !== null) return step.percent
  if (step.itemsTotal === null || step.itemsComplete === null) return null
  return percent({ done: step.itemsComplete, total: step.itemsTotal }) ?? null
}

/** Ends a step; one that has ended stays as it is. */
export const endStep = (
  step: TrackedStep,
  state: 'done' | 'failed',
  at: number,
  error?: string | null,
): void => {
  if (!isOpen(step)) return
  step.state = state
  step.endedAt = Math.max(at, step.startedAt)
  step.error = error ?? step.error
}

/** The row of `subtasks`, whole. `text` makes a text safe to be shown. */
export const stepRow = (
  runId: string,
  step: TrackedStep,
  revision: number,
  now: number,
  text: (value: string) => string,
): Row => ({
  table: 'subtasks',
  cells: {
    run_id: runId,
    seq: step.seq,
    name: text(step.name),
    state: step.state === 'pending' ? 'started' : step.state,
    started_at: timeText(step.startedAt),
    ended_at: step.endedAt === null ? null : timeText(step.endedAt),
    updated_at: timeText(now),
    items_total: step.itemsTotal,
    items_complete: step.itemsComplete,
    items_failed: null,
    percent: stepPercent(step),
    message: step.message === null ? null : text(step.message),
    error_message: step.error === null ? null : text(step.error),
    depth: step.depth,
    parent_seq: step.parentSeq,
    revision,
  },
  transient: isOpen(step),
})
