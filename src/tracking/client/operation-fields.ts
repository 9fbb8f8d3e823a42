import { HELD } from '../graph/outlook.ts'

interface Range {
  readonly low: number
  readonly high: number
  readonly whole: boolean
}

/**
 * Numbers, as the columns of every engine take them: a larger one would be refused with the whole row, and each later row of the execution
 * with it. Whole numbers are rounded: R writes 3 as 3.0.
 */
export const RANGES = {
  /** Steps, a process number, megabytes. */
  whole: { low: 0, high: 2 ** 31 - 1, whole: true },
  /** Items, bytes. */
  count: { low: 0, high: Number.MAX_SAFE_INTEGER, whole: true },
  /** Items that are added, or taken off. */
  change: { low: -Number.MAX_SAFE_INTEGER, high: Number.MAX_SAFE_INTEGER, whole: true },
  'exit-code': { low: 1 - 2 ** 31, high: 2 ** 31 - 1, whole: true },
  /** Of a share of processors: 100 for each. */
  processors: { low: 0, high: 999_999, whole: false },
  /** Between two signs of life. */
  seconds: { low: 0, high: 2_592_000, whole: false },
} as const satisfies Record<string, Range>

/** How a field of an operation is written. */
export type Kind =
  'text' | keyof typeof RANGES | 'percent' | 'status' | 'subtask-status' | 'sub-state' | 'map'

export const EXECUTION_WORDS = ['STARTED', 'RUNNING', 'FINISHED', 'FAILED', 'CANCELLED'] as const
export type ExecutionWord = (typeof EXECUTION_WORDS)[number]

export const SUBTASK_WORDS = ['NOT_STARTED', 'RUNNING', 'COMPLETED', 'FAILED'] as const
export type SubtaskWord = (typeof SUBTASK_WORDS)[number]

/** Why an execution that runs does not move. */
export const SUB_STATES = HELD

export const isWord = <T extends string>(words: readonly T[], value: unknown): value is T =>
  words.some((word) => word === value)

/** Names that the first versions of the clients used. In `init`, `task_name` is the task; in all others it was the step. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  script_name: 'task_name',
  category: 'stage',
  task_stage: 'stage',
  task_type: 'type',
  script_type: 'type',
  total_tasks: 'total_subtasks',
  pid: 'process_id',
  error_message: 'message',
  error_msg: 'message',
  error_detail: 'detail',
}

const OLD_STATUS_NAMES: Readonly<Record<string, string>> = {
  current_task: 'current_subtask',
  task_name: 'subtask_name',
  task_status: 'subtask_status',
  task_percent: 'subtask_percent',
  task_percent_complete: 'subtask_percent',
  task_message: 'subtask_message',
  task_progress_message: 'subtask_message',
  task_items_total: 'subtask_items_total',
  task_items_complete: 'subtask_items_complete',
  overall_percent_complete: 'overall_percent',
  overall_progress_message: 'overall_message',
  subtask_percent_complete: 'subtask_percent',
  subtask_progress_message: 'subtask_message',
  execution_status: 'status',
  total_tasks: 'total_subtasks',
}

const OLD_PROGRESS_NAMES: Readonly<Record<string, string>> = {
  complete: 'items_complete',
  total: 'items_total',
  task_items_complete: 'items_complete',
  task_items_total: 'items_total',
  task_message: 'message',
  subtask_message: 'message',
}

/** The name that a field has today. */
export const canonicalName = (op: string, name: string): string => {
  if (op === 'status') return OLD_STATUS_NAMES[name] ?? name
  if (op === 'progress') return OLD_PROGRESS_NAMES[name] ?? name
  return OLD_NAMES[name] ?? name
}

/** The value of a field as its kind wants it; null and undefined stay. Throws a RangeError that says what it must be. */
export const fieldValue = (kind: Kind, raw: unknown): unknown => {
  if (raw === null || raw === undefined) return raw
  switch (kind) {
    case 'text':
      if (typeof raw === 'string') return raw
      if (typeof raw === 'number' || typeof raw === 'boolean') return String(raw)
      throw new RangeError('must be a text')
    case 'map':
      if (typeof raw === 'object' && !Array.isArray(raw)) return raw
      throw new RangeError('must be an object of texts')
    case 'status':
      return wordOf(EXECUTION_WORDS, raw)
    case 'subtask-status':
      return wordOf(SUBTASK_WORDS, raw)
    case 'sub-state':
      return wordOf(SUB_STATES, raw)
    case 'percent':
      // A share may be a little outside of its range through rounding.
      return Math.min(100, Math.max(0, numberOf(raw)))
    default:
      return inRange(RANGES[kind], raw)
  }
}

const wordOf = (words: readonly string[], raw: unknown): string => {
  const word = typeof raw === 'string' ? raw.toUpperCase() : ''
  if (words.includes(word)) return word
  throw new RangeError(`${JSON.stringify(raw)} must be one of ${words.join(', ')}`)
}

const numberOf = (raw: unknown): number => {
  const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new RangeError(`${JSON.stringify(raw)} must be a number`)
}

const inRange = ({ low, high, whole }: Range, raw: unknown): number => {
  const value = numberOf(raw)
  if (value >= low && value <= high) return whole ? Math.round(value) : value
  const what = whole ? 'a whole number' : 'a number'
  const range = high === Number.MAX_SAFE_INTEGER && low === 0 ? 'from 0' : `from ${low} to ${high}`
  throw new RangeError(`${value} must be ${what} ${range}`)
}
