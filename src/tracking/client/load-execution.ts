import { jsonObject } from '../../common/json-object.ts'
import { timeMs } from '../../sql/timestamps.ts'
import { tables } from '../ledger/ledger-tables.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { percent as percentOf } from '../ledger/eta.ts'
import { STATES, stateOf, type State } from '../ledger/status-words.ts'
import { TrackedExecution } from './tracked-execution.ts'
import { newStep, type TrackedStep } from './tracked-step.ts'

/** An execution as the database has it, ready for further operations; its rows must then carry a higher revision. */
export interface LoadedExecution {
  readonly execution: TrackedExecution
  readonly revision: number
}

/**
 * For reports from a host that has no journal of it, and for the HTTP API. Undefined: there is no such execution. `revive` takes up one that was
 * closed as terminated, for a report of its own: only the process itself can correct that it died.
 */
export const loadExecution = async (
  database: LedgerDatabase,
  runId: string,
  { revive = false } = {},
): Promise<LoadedExecution | undefined> => {
  const from = tables(database)
  const row = await from.selectFrom('executions').selectAll().where('run_id', '=', runId).executeTakeFirst()
  if (!row) return undefined
  const facts = {
    op: 'init' as const,
    task_name: row.task_name,
    stage: row.task_stage,
    type: row.task_type,
    hostname: row.hostname,
    process_id: row.process_id,
    user_name: row.user_name,
    script_path: row.script_path,
    script_file: row.script_file,
    log_path: row.log_path,
    log_file: row.log_file,
    total_subtasks: row.total_subtasks,
    git_commit: row.git_commit,
    environment: row.environment === null ? undefined : jsonObject(row.environment),
    parent_run_id: row.parent_run_id,
    boot_id: row.boot_id,
    process_start_ticks: row.process_start_ticks,
    invocation_id: row.invocation_id,
    version: row.version,
    argv: row.argv,
    heartbeat_seconds: row.heartbeat_seconds,
  }
  const execution = new TrackedExecution(runId, facts, timeMs(row.execution_start))
  execution.state = stateOf(row.execution_status, row.end_reason)
  execution.endedAt = row.execution_end === null ? null : timeMs(row.execution_end)
  execution.heartbeatAt = row.heartbeat_at === null ? null : timeMs(row.heartbeat_at)
  execution.subState = row.sub_state || null
  execution.progressAt = timeMs(row.progress_at ?? row.last_update)
  execution.entered = row.current_subtask ?? 0
  execution.overallMessage = row.overall_progress_message
  execution.errorMessage = row.error_message
  execution.errorDetail = row.error_detail
  execution.exitCode = row.exit_code
  execution.itemsFailed = row.items_failed ?? 0
  execution.memoryMb = row.memory_mb
  execution.peakMemoryMb = row.peak_memory_mb
  execution.cpuPercent = row.cpu_percent
  const steps = await from
    .selectFrom('subtasks')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('seq')
    .execute()
  const counted = steps.flatMap(({ items_complete: items }) => items ?? [])
  if (counted.length > 0) execution.rowsProcessed = counted.reduce((sum, items) => sum + items)
  // It was taken for dead and it reports: what was said of its end counts no more, and its steps go on.
  const revived = revive && execution.state === 'terminated'
  if (revived)
    Object.assign(execution, { state: 'running', endedAt: null, errorMessage: null, errorDetail: null })
  takeSteps(
    execution,
    steps.map((step) => stepOf(revived && step.state === 'terminated' ? { ...step, ...GOES_ON } : step)),
    row.subtask_name,
  )
  if (revived) for (const step of execution.open) execution.changedSteps.add(step)
  // A share that the steps do not explain was set by the pipeline.
  const share = row.overall_percent_complete
  if (share !== null && !execution.hasEnded && Math.abs(share - (execution.overall ?? -1)) > 0.01)
    execution.overallOverride = share
  return { execution, revision: row.revision }
}

const GOES_ON = { state: 'running', ended_at: null, error_message: null } as const

interface StepRow {
  readonly seq: number
  readonly name: string
  readonly state: string
  readonly started_at: string | null
  readonly ended_at: string | null
  readonly items_total: number | null
  readonly items_complete: number | null
  readonly percent: number | null
  readonly message: string | null
  readonly error_message: string | null
  readonly depth: number | null
  readonly parent_seq: number | null
}

const stepOf = (row: StepRow): TrackedStep => {
  const state: State = STATES.find((known) => known === row.state) ?? 'failed'
  const words = { started: 'pending', running: 'running', done: 'done' } as const
  const step = newStep(row.seq, row.name, row.started_at === null ? 0 : timeMs(row.started_at), undefined)
  return Object.assign(step, {
    depth: row.depth ?? 0,
    parentSeq: row.parent_seq,
    state: state === 'started' || state === 'running' || state === 'done' ? words[state] : 'failed',
    endedAt: row.ended_at === null ? null : timeMs(row.ended_at),
    itemsTotal: row.items_total,
    itemsComplete: row.items_complete,
    percent: ownPercent(row),
    message: row.message,
    error: row.error_message,
  })
}

/** A share that its items do not explain. */
const ownPercent = ({ percent, items_total: total, items_complete: done }: StepRow): number | null => {
  if (percent === null || total === null || done === null) return percent
  const share = percentOf({ done, total }) ?? percent
  return Math.abs(share - percent) > 0.01 ? percent : null
}

const takeSteps = (
  execution: TrackedExecution,
  steps: readonly TrackedStep[],
  shown: string | null,
): void => {
  execution.open.push(...steps.filter(({ endedAt }) => endedAt === null))
  execution.ended = Math.max(0, execution.entered - execution.open.length)
  const newest = Math.max(...steps.map(({ endedAt }) => endedAt ?? 0))
  const last = steps.filter(({ endedAt }) => endedAt === newest)
  execution.shown = execution.open.at(-1) ?? last.find(({ name }) => name === shown) ?? last.at(-1)
}
