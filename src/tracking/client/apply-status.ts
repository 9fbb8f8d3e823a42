import type { State } from '../ledger/status-words.ts'
import type { SubtaskWord } from './operation-fields.ts'
import { endStep, isOpen, newStep, type TrackedStep } from './tracked-step.ts'
import { numberIn, textIn, type Operation } from './operations.ts'

/** What of an execution a status report changes. */
export interface StatusTarget {
  totalSubtasks: number | null
  entered: number
  ended: number
  readonly open: TrackedStep[]
  readonly shown: TrackedStep | undefined
  overallOverride: number | null
  overallMessage: string | null
  errorMessage: string | null
  memoryMb: number | null
  cpuPercent: number | null
  logPath: string | null
  logFile: string | null
  readonly changedSteps: Set<TrackedStep>
  completed(step: TrackedStep, items: number | null): void
  show(step: TrackedStep): void
  end(state: State, at: number, exitCode: number | null): void
}

/**
 * `track_status`: sets what it names, for pipelines that count their steps themselves. Another number or name of the current step
 * begins a new step; the one before it is completed. Explicit shares win over computed ones.
 */
export const applyStatus = (execution: StatusTarget, operation: Operation, at: number): void => {
  const total = numberIn(operation, 'total_subtasks')
  if (total !== undefined) execution.totalSubtasks = total
  const step = stepOf(execution, operation, at)
  if (step) applyToStep(execution, step, operation, at)
  const overall = numberIn(operation, 'overall_percent')
  if (overall !== undefined) execution.overallOverride = overall
  const message = textIn(operation, 'overall_message')
  if (message !== undefined) execution.overallMessage = message
  execution.memoryMb = numberIn(operation, 'memory_mb') ?? execution.memoryMb
  execution.cpuPercent = numberIn(operation, 'cpu_percent') ?? execution.cpuPercent
  execution.logPath = textIn(operation, 'log_path') ?? execution.logPath
  execution.logFile = textIn(operation, 'log_file') ?? execution.logFile
  const status = operation['status']
  if (status === 'FINISHED') execution.end('done', at, 0)
  if (status === 'CANCELLED') execution.end('cancelled', at, null)
  if (status === 'FAILED') {
    execution.errorMessage ??= message ?? step?.message ?? 'failed'
    execution.end('failed', at, null)
  }
}

const STEP_FIELDS = [
  'current_subtask',
  'subtask_name',
  'subtask_status',
  'subtask_percent',
  'subtask_message',
  'subtask_items_total',
  'subtask_items_complete',
]

/** The step that is meant; undefined where the operation is not about a step. */
const stepOf = (execution: StatusTarget, operation: Operation, at: number): TrackedStep | undefined => {
  if (!STEP_FIELDS.some((field) => operation[field] !== undefined)) return undefined
  const shown = execution.open.at(-1) ?? execution.shown
  const number = numberIn(operation, 'current_subtask') ?? undefined
  const name = textIn(operation, 'subtask_name') ?? undefined
  const same =
    (number === undefined || number === execution.entered) && (name === undefined || name === shown?.name)
  if (shown && same) return shown
  // The same number under a fuller name is the same step while it runs.
  if (shown && number === execution.entered && name !== undefined && isOpen(shown)) {
    shown.name = name
    return shown
  }
  return begin(execution, number ?? execution.entered + 1, name ?? shown?.name ?? '', at)
}

const begin = (execution: StatusTarget, number: number, name: string, at: number): TrackedStep => {
  for (const step of execution.open.splice(0).reverse()) {
    endStep(step, 'done', at)
    execution.changedSteps.add(step)
  }
  const step = newStep(number, name, at, undefined)
  execution.entered = number
  execution.ended = Math.max(0, number - 1)
  execution.open.push(step)
  execution.overallOverride = null
  if (execution.totalSubtasks !== null)
    execution.totalSubtasks = Math.max(execution.totalSubtasks, execution.entered)
  return step
}

const applyToStep = (execution: StatusTarget, step: TrackedStep, operation: Operation, at: number): void => {
  const set = <T>(value: T | undefined, change: (value: T) => void): void => {
    if (value !== undefined) change(value)
  }
  set(numberIn(operation, 'subtask_items_total'), (value) => (step.itemsTotal = value))
  set(numberIn(operation, 'subtask_items_complete'), (value) => {
    execution.completed(step, value)
    step.percent = null
  })
  set(numberIn(operation, 'subtask_percent'), (value) => (step.percent = value))
  set(textIn(operation, 'subtask_message'), (value) => (step.message = value))
  const word = operation['subtask_status'] as SubtaskWord | null | undefined
  if (word === 'NOT_STARTED' && isOpen(step)) step.state = 'pending'
  if (word === 'RUNNING' && isOpen(step)) step.state = 'running'
  if ((word === 'COMPLETED' || word === 'FAILED') && isOpen(step)) {
    const place = execution.open.indexOf(step)
    if (place >= 0) execution.open.splice(place, 1)
    execution.ended += 1
    endStep(step, word === 'COMPLETED' ? 'done' : 'failed', at)
  }
  execution.show(step)
}
