import { overallPercent, percent, RateMeter } from '../core/progress.ts'
import { printable, type Redact } from '../core/redact.ts'
import { wordsOf, type State } from '../core/verdict.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import type { Cell, Row } from '../sql/rows.ts'
import { timeText } from '../sql/times.ts'
import type { EngineEvent, StageName } from '../stages/stage.ts'
import { StageRecord } from './stage-record.ts'
import type { Usage } from './usage.ts'

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
  /** The signal's name, if one did. */
  readonly signal?: string | undefined
}

/** What people call the steps of a pass. */
export const STEP_NAMES: Readonly<Record<StageName, string>> = {
  import: 'Importing runs',
  migrate: 'Migrating runs',
}

/**
 * What one execution has to tell the ledger: it takes the engine's events and the process's own, and gives the rows that have
 * changed since it was last asked. It touches nothing; how and when rows are written is not its business.
 */
export class ExecutionRecord {
  readonly runId: string
  readonly #identity: Identity
  readonly #facts: ExecutionFacts
  readonly #now: () => number
  readonly #redact: Redact
  readonly #startedAt: number
  readonly #dirty = new Map<string, Row>()
  readonly #stages: StageRecord[] = []
  #state: State = 'started'
  #endedAt: number | undefined
  #heartbeatAt: number
  #progressAt: number
  #revision = 0
  #events = 0
  #changed = true
  #exitCode: number | undefined
  #error: { message: string; detail: string | undefined } | undefined
  #message: string | undefined
  #rate: RateMeter
  #usage: Usage | undefined
  #cpu: { percent: number; at: number; used: number } | undefined

  constructor(runId: string, identity: Identity, facts: ExecutionFacts, now: () => number, redact: Redact) {
    this.runId = runId
    this.#identity = identity
    this.#facts = facts
    this.#now = now
    this.#redact = redact
    this.#startedAt = this.#heartbeatAt = this.#progressAt = now()
    this.#rate = new RateMeter(this.#startedAt)
  }

  get state(): State {
    return this.#state
  }

  get startedAt(): number {
    return this.#startedAt
  }

  /** Runs that were attempted so far. */
  get attempted(): number {
    return this.#stages.reduce((sum, stage) => sum + stage.attempted, 0)
  }

  get failed(): number {
    return this.#stages.reduce((sum, stage) => sum + stage.failed, 0)
  }

  /** Whether there is work in it that a ledger should know of. */
  get hasWork(): boolean {
    return this.#stages.some((stage) => stage.total > 0) || this.#error !== undefined
  }

  /** Takes what the engine tells. Costs some microseconds; the rows are made when they are asked for. */
  on(event: EngineEvent): void {
    const now = this.#now()
    if (this.#state === 'started') this.#state = 'running'
    if (event.type === 'pass-started') {
      this.#stages.push(
        new StageRecord(this.runId, this.#stages.length + 1, event, now, (text) => this.#text(text)),
      )
      this.#rate = new RateMeter(now)
      this.event('pass-started', { stage: event.stage, mode: event.mode, total: event.total })
    } else this.#stages.findLast((stage) => stage.name === event.stage)?.on(event, now)
    if (event.type === 'run-done' || event.type === 'run-failed') this.#rate.seen(now)
    if (event.type === 'pass-stopped')
      this.event('pass-stopped', {
        stage: event.stage,
        reason: event.reason,
        error: messageOf(event.error ?? ''),
      })
    this.#progressAt = now
    this.#changed = true
  }

  /** A sentence that says what is going on, for commands without an engine. */
  say(message: string): void {
    this.#message = this.#text(message)
    this.#progressAt = this.#now()
    this.#changed = true
  }

  /** Something worth finding again later. `detail` holds no secrets of its own. */
  event(kind: string, detail: Readonly<Record<string, unknown>>): void {
    const text = this.#redact(JSON.stringify(detail))
    const cells = { run_id: this.runId, seq: ++this.#events, at: timeText(this.#now()), kind, detail: text }
    this.#dirty.set(`event ${this.#events}`, { table: 'events', cells, transient: false })
  }

  /** It is alive, and this is what it uses. */
  heartbeat(usage: Usage): void {
    const now = this.#now()
    const before = this.#cpu ?? { at: this.#startedAt, used: 0 }
    const passed = Math.max(1, now - before.at)
    this.#cpu = { percent: ((usage.cpuMs - before.used) / passed) * 100, at: now, used: usage.cpuMs }
    this.#usage = usage
    this.#heartbeatAt = now
    this.#changed = true
    const cells = {
      run_id: this.runId,
      at: timeText(now),
      cpu_percent: rounded(this.#cpu.percent),
      memory_mb: usage.memoryMb,
      peak_memory_mb: usage.peakMemoryMb,
      read_bytes: usage.readBytes ?? null,
      write_bytes: usage.writeBytes ?? null,
    }
    this.#dirty.set(`metrics ${now}`, { table: 'process_metrics', cells, transient: true })
  }

  /** The end, whatever it was. A first end stays: what comes after a signal does not change that it was one. */
  end(state: State, { exitCode, error, signal }: Ending): void {
    if (this.#endedAt !== undefined) return
    this.#endedAt = this.#heartbeatAt = this.#now()
    this.#state = state
    this.#exitCode = exitCode
    if (signal !== undefined)
      this.#error = {
        message: `Process terminated by ${signal} signal (PID: ${this.#identity.pid})`,
        detail: undefined,
      }
    else if (error !== undefined)
      this.#error = { message: this.#text(messageOf(error)), detail: this.#detail(error) }
    for (const stage of this.#stages) stage.close(state, this.#endedAt, this.#error?.message)
    this.event('ended', { state, exitCode })
    this.#changed = true
  }

  /** The rows that changed since the last call. */
  drain(): Row[] {
    if (!this.#changed && this.#dirty.size === 0) return []
    const revision = ++this.#revision
    const rows = [...this.#dirty.values(), ...this.#stages.flatMap((stage) => stage.drain(revision))]
    this.#dirty.clear()
    if (this.#changed) rows.unshift(this.#row(revision))
    this.#changed = false
    return rows
  }

  /** The row of the execution as it is now, with revision 0: whatever the ledger has of it stays. */
  firstCells(): Readonly<Record<string, Cell>> {
    return this.#row(0).cells
  }

  #row(revision: number): Row {
    const { pid, host, user, bootId, startTicks } = this.#identity
    const facts = this.#facts
    const { execution, reason } = wordsOf(this.#state)
    const step = this.#stages.at(-1)
    const steps = Math.max(facts.steps ?? 0, this.#stages.length)
    const open = step !== undefined && !step.ended
    const sum = (of: (stage: StageRecord) => number): number =>
      this.#stages.reduce((total, stage) => total + of(stage), 0)
    const left = step?.total === undefined ? undefined : Math.max(0, step.total - step.attempted)
    const eta = open && left !== undefined ? this.#rate.estimate(this.#now(), left) : undefined
    const overall =
      this.#state === 'done'
        ? 100
        : overallPercent(
            this.#stages.filter((stage) => stage.ended).length,
            steps === 0 ? undefined : steps,
            open ? { done: step.attempted, total: step.total } : undefined,
          )
    const cells: Record<string, Cell> = {
      run_id: this.runId,
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
      execution_start: timeText(this.#startedAt),
      execution_end: timeOf(this.#endedAt),
      last_update: timeText(this.#now()),
      execution_status: execution,
      end_reason: reason,
      total_subtasks: steps === 0 ? null : steps,
      current_subtask: this.#stages.length,
      subtask_name: step ? STEP_NAMES[step.name] : null,
      subtask_status: step ? wordsOf(step.state).subtask : null,
      overall_percent_complete: overall ?? null,
      overall_progress_message: step
        ? `Step ${this.#stages.length} of ${steps}: ${STEP_NAMES[step.name]}`
        : (this.#message ?? null),
      subtask_percent_complete: step ? (percent({ done: step.attempted, total: step.total }) ?? null) : null,
      subtask_progress_message: step?.message ?? null,
      subtask_items_total: step?.total ?? null,
      subtask_items_complete: step?.attempted ?? null,
      memory_mb: this.#usage?.memoryMb ?? null,
      peak_memory_mb: this.#usage?.peakMemoryMb ?? null,
      cpu_percent: this.#cpu === undefined ? null : rounded(this.#cpu.percent),
      error_message: this.#error?.message ?? null,
      error_detail: this.#error?.detail ?? null,
      git_commit: facts.gitCommit ?? null,
      environment: facts.environment === undefined ? null : this.#redact(JSON.stringify(facts.environment)),
      boot_id: bootId,
      process_start_ticks: startTicks ?? null,
      heartbeat_at: timeText(this.#heartbeatAt),
      progress_at: timeText(this.#progressAt),
      eta_at: timeOf(eta?.at),
      eta_low: timeOf(eta?.low),
      eta_high: timeOf(eta?.high),
      exit_code: this.#exitCode ?? null,
      invocation_id: facts.invocationId ?? null,
      version: facts.version,
      counts: JSON.stringify({
        processed: sum((stage) => stage.attempted),
        succeeded: sum((stage) => stage.succeeded),
        failed: sum((stage) => stage.failed),
        bytes: sum((stage) => stage.bytes),
      }),
      mode: facts.task,
      subject: facts.subject,
      argv: this.#text(facts.argv.join(' ')),
      items_total: sum((stage) => stage.total),
      items_attempted: sum((stage) => stage.attempted),
      items_failed: sum((stage) => stage.failed),
      bytes: sum((stage) => stage.bytes),
      documents: sum((stage) => stage.documents),
      current_run: (open ? step.currentRun : undefined) ?? null,
      current_batch: step?.batch ?? null,
      revision,
    }
    return { table: 'executions', cells, transient: this.#endedAt === undefined && revision > 1 }
  }

  #detail(error: Error): string | undefined {
    if (error instanceof ArchiverError)
      return error.hint === undefined ? error.code : `${error.code}: ${error.hint}`
    const lines = (error.stack ?? '').split('\n')
    return lines
      .map((line) => printable(this.#redact(line)))
      .join('\n')
      .slice(0, LONGEST_DETAIL)
  }

  #text(text: string): string {
    return printable(this.#redact(text)).slice(0, LONGEST_MESSAGE)
  }
}

const LONGEST_MESSAGE = 2000
const LONGEST_DETAIL = 16_000

const timeOf = (ms: number | undefined): string | null => (ms === undefined ? null : timeText(ms))

const rounded = (value: number): number => Math.round(value * 100) / 100
