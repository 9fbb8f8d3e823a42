import type { Selectable } from 'kysely'
import { displayStatus, HELD, type Outlook } from '../graph/outlook.ts'
import type { LedgerSchema } from '../ledger/schema-types.ts'
import { STATES, stateOf, wordsOf, type State } from '../ledger/status-words.ts'
import { timeMs } from '../../sql/timestamps.ts'

type ExecutionRow = Selectable<LedgerSchema['executions']>
type FileRow = Selectable<LedgerSchema['files']>
type SubtaskRow = Selectable<LedgerSchema['subtasks']>

const STANDINGS = {
  started: 'running',
  running: 'running',
  done: 'ok',
  partial: 'partial',
  failed: 'failed',
  killed: 'killed',
  cancelled: 'killed',
  terminated: 'terminated',
  system_reboot: 'reboot',
  pending: 'pending',
  skipped: 'skipped',
} as const satisfies Record<State, string>

export type LineStanding = (typeof STANDINGS)[State] | 'hung' | 'throttled'

const BAD: readonly string[] = ['failed', 'killed', 'terminated', 'reboot']

/**
 * The states of the ledger behind a standing of the page, or behind a status in capitals: `execution_status`, or that of `process_logs`. `bad`
 * stands for every end that was none of its own work.
 */
export const statesBehind = (standing: string): State[] =>
  STATES.filter(
    (state) =>
      STANDINGS[state] === standing ||
      (standing === 'bad' && BAD.includes(STANDINGS[state])) ||
      [wordsOf(state).execution, wordsOf(state).process].some((word) => word === standing),
  )

/** A row of `executions` in the words of the API. `outlook` is that of one that runs. */
export const executionLine = (row: ExecutionRow, outlook: Outlook | undefined) => {
  const state = stateOf(row.execution_status, row.end_reason)
  return {
    id: row.execution_id,
    runId: row.run_id,
    task: row.task_name,
    stage: row.task_stage ?? 'UNKNOWN',
    type: row.task_type ?? undefined,
    standing: standingOf(state, outlook),
    status: wordsOf(state).process,
    /** RUNNING, LOST, HUNG, BLOCKED ..., as in the view `monitoring_view`. */
    displayStatus: displayStatus(row.execution_status, outlook?.conditions ?? []),
    host: row.hostname,
    pid: row.process_id,
    user: row.user_name ?? undefined,
    startedAt: timeMs(row.execution_start),
    endedAt: ms(row.execution_end),
    updatedAt: timeMs(row.last_update),
    heartbeatAt: ms(row.heartbeat_at),
    progressAt: ms(row.progress_at),
    overall: row.overall_percent_complete ?? undefined,
    overallMessage: row.overall_progress_message ?? undefined,
    subtask: row.subtask_name ?? undefined,
    subtaskPercent: row.subtask_percent_complete ?? undefined,
    subtaskMessage: row.subtask_progress_message ?? undefined,
    subtaskNumber: row.current_subtask ?? undefined,
    subtasks: row.total_subtasks ?? undefined,
    items: row.subtask_items_total ?? undefined,
    itemsDone: row.subtask_items_complete ?? undefined,
    attempted: row.items_attempted ?? 0,
    failed: row.items_failed ?? 0,
    bytes: row.bytes ?? 0,
    /** LOST, HUNG, OVERDUE ...: only of executions that run. */
    conditions: outlook?.conditions ?? [],
    /** Never without its basis: `items` is its own rate, `history` the task's last good executions. */
    eta: outlook?.eta,
    error: row.error_message ?? undefined,
    exitCode: row.exit_code ?? undefined,
    version: row.version ?? undefined,
    currentRun: row.current_run ?? undefined,
    memoryMb: row.memory_mb ?? undefined,
    cpuPercent: row.cpu_percent ?? undefined,
  }
}

export type Line = ReturnType<typeof executionLine>

const standingOf = (state: State, outlook: Outlook | undefined): LineStanding => {
  const standing = STANDINGS[state]
  if (standing !== 'running') return standing
  const conditions = outlook?.conditions ?? []
  if (conditions.some((word) => HELD.some((held) => held === word))) return 'throttled'
  return conditions.includes('HUNG') ? 'hung' : 'running'
}

/** A row of `files` as an attempt of a run. */
export const runAttempt = (row: FileRow, execution: number | undefined) => ({
  execution,
  stage: row.stage,
  run: row.run ?? undefined,
  name: row.file_name,
  standing: STANDINGS[knownState(row.state)],
  result: row.result ?? undefined,
  bytes: row.file_size ?? undefined,
  documents: row.documents ?? undefined,
  attempts: row.attempts ?? undefined,
  startedAt: timeMs(row.started_at),
  endedAt: ms(row.ended_at),
  tookMs: row.duration_ms ?? undefined,
  code: row.error_code ?? undefined,
  error: row.error_message ?? undefined,
})

export const subtaskLine = (row: SubtaskRow) => ({
  number: row.seq,
  name: row.name,
  standing: STANDINGS[knownState(row.state)],
  startedAt: ms(row.started_at),
  endedAt: ms(row.ended_at),
  items: row.items_total ?? undefined,
  done: row.items_complete ?? undefined,
  failed: row.items_failed ?? undefined,
  message: row.error_message ?? row.message ?? undefined,
})

const knownState = (word: string): State => STATES.find((state) => state === word) ?? 'failed'
export const ms = (text: string | null): number | undefined => (text === null ? undefined : timeMs(text))
