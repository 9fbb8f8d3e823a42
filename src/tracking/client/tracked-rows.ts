import type { Estimate } from '../ledger/eta.ts'
import { isSecretKey, MASK, printable, type Redact } from '../../common/redact.ts'
import type { Cell, Row } from '../ledger/row.ts'
import { wordsOf } from '../ledger/status-words.ts'
import { timeText } from '../../sql/timestamps.ts'
import { numberIn, textIn, type Operation } from './operations.ts'
import type { TrackedExecution } from './tracked-execution.ts'
import { isOpen, stepPercent, stepRow, type TrackedStep } from './tracked-step.ts'

const LONGEST_TEXT = 2000
const LONGEST_DETAIL = 16_000
const LONGEST_NAME = 255

export interface RowOptions {
  readonly revision: number
  readonly now: number
  readonly redact: Redact
  readonly eta?: Estimate | undefined
}

/**
 * The rows of an execution that changed, whole: written twice, late or out of order they change nothing, because the revision counts up.
 * Texts are masked and made printable here, once for each row that is written, and not for each call that reports.
 */
export const trackedRows = (execution: TrackedExecution, options: RowOptions): Row[] => {
  const { revision, now, redact } = options
  const text = (value: string): string => printable(redact(value)).slice(0, LONGEST_TEXT)
  const steps = [...execution.changedSteps].sort((a, b) => a.seq - b.seq)
  execution.changedSteps.clear()
  return [
    {
      table: 'executions',
      cells: executionCells(execution, options, text),
      transient: isPassing(execution, revision),
    },
    ...steps.map((step) => stepRow(execution.runId, step, revision, now, text)),
  ]
}

/** Only a row that says neither beginning nor end may be given up when a spool is full. */
const isPassing = (execution: TrackedExecution, revision: number): boolean =>
  !execution.hasEnded && execution.state !== 'started' && revision > 1

const executionCells = (
  execution: TrackedExecution,
  { revision, redact, eta }: RowOptions,
  text: (value: string) => string,
): Record<string, Cell> => {
  const facts = execution.facts as Operation
  const step = execution.shown
  const { execution: status, reason } = wordsOf(execution.state)
  const optional = (value: string | null | undefined): string | null => (value ? text(value) : null)
  const fact = (name: string): string | null => optional(textIn(facts, name))
  return {
    run_id: execution.runId,
    task_name: text(textIn(facts, 'task_name') ?? 'unknown').slice(0, LONGEST_NAME),
    task_stage: fact('stage')?.slice(0, 50) ?? null,
    task_type: fact('type')?.slice(0, 20) ?? null,
    hostname: fact('hostname')?.slice(0, LONGEST_NAME) ?? 'unknown',
    process_id: numberIn(facts, 'process_id') ?? 0,
    user_name: fact('user_name')?.slice(0, LONGEST_NAME) ?? null,
    script_path: fact('script_path'),
    script_file: fact('script_file')?.slice(0, LONGEST_NAME) ?? null,
    log_path: optional(execution.logPath),
    log_file: optional(execution.logFile)?.slice(0, LONGEST_NAME) ?? null,
    execution_start: timeText(execution.startedAt),
    execution_end: timeOf(execution.endedAt),
    last_update: timeText(Math.max(execution.updatedAt, execution.heartbeatAt ?? 0)),
    execution_status: status,
    end_reason: reason,
    total_subtasks: execution.totalSubtasks,
    current_subtask: execution.entered,
    subtask_name: step ? text(step.name) : null,
    subtask_status: step ? stepWord(step) : null,
    overall_percent_complete: execution.overall,
    overall_progress_message: optional(execution.overallMessage),
    subtask_percent_complete: step ? stepPercent(step) : null,
    subtask_progress_message: optional(step?.message),
    subtask_items_total: step?.itemsTotal ?? null,
    subtask_items_complete: step?.itemsComplete ?? null,
    memory_mb: execution.memoryMb,
    peak_memory_mb: execution.peakMemoryMb,
    cpu_percent: execution.cpuPercent,
    error_message: optional(execution.errorMessage),
    error_detail: detail(execution.errorDetail, redact),
    git_commit: fact('git_commit')?.slice(0, 50) ?? null,
    environment: environmentOf(facts['environment'], redact),
    parent_run_id: uuidOf(textIn(facts, 'parent_run_id')),
    boot_id: fact('boot_id')?.slice(0, 50) ?? null,
    process_start_ticks: numberIn(facts, 'process_start_ticks') ?? null,
    sub_state: execution.heldBack,
    heartbeat_at: timeOf(execution.heartbeatAt),
    heartbeat_seconds: numberIn(facts, 'heartbeat_seconds') ?? null,
    progress_at: timeText(execution.progressAt),
    eta_at: timeOf(eta?.at),
    eta_low: timeOf(eta?.low),
    eta_high: timeOf(eta?.high),
    eta_basis: eta ? 'items' : null,
    exit_code: execution.exitCode,
    invocation_id: fact('invocation_id')?.slice(0, 50) ?? null,
    version: fact('version')?.slice(0, 50) ?? null,
    counts: JSON.stringify({ processed: step?.itemsComplete ?? 0, failed: execution.itemsFailed }),
    argv: fact('argv'),
    items_failed: execution.itemsFailed,
    revision,
  }
}

const stepWord = (step: TrackedStep): string => {
  if (isOpen(step)) return step.state === 'pending' ? 'NOT_STARTED' : 'RUNNING'
  return step.state === 'done' ? 'COMPLETED' : 'FAILED'
}

const timeOf = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : timeText(at)

/** Line by line, so that a stack keeps its lines. */
const detail = (value: string | null, redact: Redact): string | null =>
  value
    ?.split('\n')
    .map((line) => printable(redact(line)))
    .join('\n')
    .slice(0, LONGEST_DETAIL) ?? null

/** The variables that were chosen to be kept, each as a text; what looks like a secret is masked, also inside of a value. */
const environmentOf = (value: unknown, redact: Redact): string | null => {
  if (typeof value !== 'object' || value === null) return null
  const entries = Object.entries(value).map(([name, inner]) => [
    name,
    isSecretKey(name) ? MASK : printable(redact(variableText(inner))),
  ])
  return JSON.stringify(Object.fromEntries(entries))
}

const variableText = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? JSON.stringify(value, (name, inner: unknown) => (isSecretKey(name) ? MASK : inner))
    : String(value)

export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

const uuidOf = (text: string | null | undefined): string | null =>
  text && isUuid(text) ? text.toLowerCase() : null
