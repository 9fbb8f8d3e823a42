import type { InstanceTally } from '../../engine/claim-store.ts'
import type { Hold, ServerLoad } from '../../engine/stage.ts'
import { overallPercent, percent, type RateMeter } from './eta.ts'
import { wordsOf, type State } from './status-words.ts'
import type { Cell } from './row.ts'
import { timeText } from '../../sql/timestamps.ts'
import type { StageRecord } from './stage-progress.ts'
import { timeOf } from './stage-rows.ts'
import type { Usage } from './process-usage.ts'

/** Who runs. */
export interface Identity {
  readonly pid: number
  readonly host: string
  readonly user: string
  readonly bootId: string
  readonly startTicks: number | undefined
}

/** What is known when an execution begins. */
export interface ExecutionFacts {
  /** The mode: `incremental`, `full`, `retry-failed-import`, `recover-import-state`, `report-status`, `daemon` ... */
  readonly task: string
  /** What is archived: `run_records`, or a table's name. */
  readonly subject: string
  /** Steps that will follow, for the share of the whole. */
  readonly steps: number | undefined
  /** The command line; what looks like a secret in it is masked. */
  readonly argv: readonly string[]
  /** Between two signs of life; undefined: none. */
  readonly heartbeatSeconds?: number | undefined
  readonly version: string
  readonly scriptPath?: string | undefined
  readonly logFile?: string | undefined
  readonly gitCommit?: string | undefined
  /** systemd's `$INVOCATION_ID`: `journalctl _SYSTEMD_INVOCATION_ID=...` then finds the log. */
  readonly invocationId?: string | undefined
  /** Variables that were chosen to be kept; none is kept by itself. */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** How an execution ended. */
export interface Ending {
  readonly exitCode: number
  /** What ended it before its end, if something did. */
  readonly error?: Error | undefined
  /** It did what it was to do, and left something on purpose: conflicts, or what is beyond a limit. */
  readonly isPartial?: boolean
  /** The signal's name, if one did. */
  readonly signal?: string | undefined
}

/** What people call the steps of a pass. */
const STEP_NAMES: Readonly<Record<string, string>> = {
  import: 'Importing runs',
  migrate: 'Migrating runs',
}

/** A stage as people read it; other stages go by their own name. */
const stepName = (stage: string): string => STEP_NAMES[stage] ?? stage

/** Everything that is known of an execution at one moment; texts are printable and hold no secrets. */
export interface Snapshot {
  readonly runId: string
  readonly identity: Identity
  readonly facts: ExecutionFacts
  readonly state: State
  readonly stages: readonly StageRecord[]
  /** Items that were attempted, each once, however many stages it passed. */
  readonly items: number
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly heartbeatAt: number
  readonly progressAt: number
  readonly now: number
  readonly rate: RateMeter
  readonly usage: Usage | undefined
  /** Of a worker on a shared backlog. */
  readonly tally?: InstanceTally | undefined
  readonly cpuPercent: number | undefined
  readonly error: { readonly message: string; readonly detail: string | undefined } | undefined
  readonly message: string | undefined
  readonly hold: Hold | undefined
  readonly servers: ServerLoad | undefined
  readonly exitCode: number | undefined
  readonly argv: string
  readonly environment: string | undefined
  readonly revision: number
}

/** Begins the message of an execution that waits, before the reason. */
const HELD_BACK = 'Held back: '

/** A step that failed or was stopped is as far as it came. */
const isCompleted = (stage: StageRecord): boolean => wordsOf(stage.state).subtask === 'COMPLETED'

/** The row of `executions`, always whole: a row that is written late replaces nothing newer, and lacks nothing. */
export const executionCells = (now: Snapshot): Record<string, Cell> => {
  const { pid, host, user, bootId, startTicks } = now.identity
  const { facts, stages } = now
  const { execution, reason } = wordsOf(now.state)
  const step = stages.at(-1)
  const steps = Math.max(facts.steps ?? 0, stages.length)
  const open = step !== undefined && !step.ended
  const sum = (of: (stage: StageRecord) => number): number =>
    stages.reduce((total, stage) => total + of(stage), 0)
  const left = step?.total === undefined ? undefined : Math.max(0, step.total - step.attempted)
  const hold = now.endedAt === undefined ? now.hold : undefined
  const eta = open && !hold && left !== undefined ? now.rate.estimate(now.now, left) : undefined
  const overall =
    now.state === 'done'
      ? 100
      : overallPercent(
          stages.filter(isCompleted).length,
          steps === 0 ? undefined : steps,
          step && !isCompleted(step) ? { done: step.attempted, total: step.total } : undefined,
        )
  return {
    run_id: now.runId,
    task_name: facts.task,
    task_stage: 'ARCHIVE',
    task_type: 'node',
    hostname: host,
    process_id: pid,
    user_name: user,
    script_path: facts.scriptPath ?? null,
    script_file: facts.scriptPath?.split('/').at(-1) ?? null,
    log_path: facts.logFile ?? null,
    log_file: facts.logFile?.split('/').at(-1) ?? null,
    execution_start: timeText(now.startedAt),
    execution_end: timeOf(now.endedAt),
    last_update: timeText(now.now),
    execution_status: execution,
    end_reason: reason,
    total_subtasks: steps === 0 ? null : steps,
    current_subtask: stages.length,
    subtask_name: step ? stepName(step.name) : null,
    subtask_status: step ? wordsOf(step.state).subtask : null,
    overall_percent_complete: overall ?? null,
    sub_state: hold ? (hold.isPause ? 'PAUSED' : 'THROTTLED') : null,
    overall_progress_message: hold
      ? `${HELD_BACK}${hold.reason}`
      : step
        ? `Step ${stages.length} of ${steps}: ${stepName(step.name)}`
        : (now.message ?? null),
    subtask_percent_complete: step ? (percent({ done: step.attempted, total: step.total }) ?? null) : null,
    subtask_progress_message: step?.message ?? null,
    subtask_items_total: step?.total ?? null,
    subtask_items_complete: step?.attempted ?? null,
    memory_mb: now.usage?.memoryMb ?? null,
    peak_memory_mb: now.usage?.peakMemoryMb ?? null,
    cpu_percent: now.cpuPercent ?? null,
    error_message: now.error?.message ?? null,
    error_detail: now.error?.detail ?? null,
    git_commit: facts.gitCommit ?? null,
    environment: now.environment ?? null,
    instance_id: now.tally?.instance ?? null,
    claims: now.tally?.claims ?? null,
    claims_fenced: now.tally?.fenced ?? null,
    claims_recovered: now.tally?.recovered ?? null,
    boot_id: bootId,
    process_start_ticks: startTicks ?? null,
    heartbeat_at: timeText(now.heartbeatAt),
    heartbeat_seconds: facts.heartbeatSeconds ?? null,
    replica_lag: now.servers?.replicaLag ?? null,
    history_list_length: now.servers?.historyList ?? null,
    progress_at: timeText(now.progressAt),
    eta_at: timeOf(eta?.at),
    eta_low: timeOf(eta?.low),
    eta_high: timeOf(eta?.high),
    eta_basis: eta ? 'items' : null,
    exit_code: now.exitCode ?? null,
    invocation_id: facts.invocationId ?? null,
    version: facts.version,
    counts: JSON.stringify({
      items: now.items,
      processed: sum((stage) => stage.attempted),
      succeeded: sum((stage) => stage.succeeded),
      failed: sum((stage) => stage.failed),
      bytes: sum((stage) => stage.bytes),
    }),
    mode: facts.task,
    subject: facts.subject,
    argv: now.argv,
    items_total: sum((stage) => stage.total ?? stage.attempted),
    items_attempted: sum((stage) => stage.attempted),
    items_failed: sum((stage) => stage.failed),
    bytes: sum((stage) => stage.bytes),
    documents: sum((stage) => stage.documents),
    current_run: (open ? step.currentRun : undefined) ?? null,
    current_batch: step?.batch ?? null,
    revision: now.revision,
  }
}
