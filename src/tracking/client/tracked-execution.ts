import { overallPercent } from '../ledger/eta.ts'
import type { State } from '../ledger/status-words.ts'
import { applyStatus } from './apply-status.ts'
import { numberIn, textIn, type Operation } from './operations.ts'
import { endStep, isOpen, newStep, stepPercent, type TrackedStep } from './tracked-step.ts'

/** States from which nothing follows. */
const ENDED: readonly State[] = [
  'done',
  'partial',
  'failed',
  'killed',
  'cancelled',
  'terminated',
  'system_reboot',
]

/**
 * One execution of somebody's pipeline as it is known so far: operations go in, and how it stands comes out. It does nothing else: it
 * has no clock, no file and no database, so the library, the commands and the HTTP API all share it. An end never changes.
 */
export class TrackedExecution {
  readonly runId: string
  readonly startedAt: number
  /** What `init` said. */
  readonly facts: Readonly<Record<string, unknown>>
  state: State = 'started'
  endedAt: number | null = null
  updatedAt: number
  /** Null while its reporter has sent no sign of life, and announced none: each report is one then. */
  heartbeatAt: number | null
  progressAt: number
  totalSubtasks: number | null
  /** Steps that were entered, nested ones too: the number that is shown as the current step. */
  entered = 0
  /** Steps that have ended. */
  ended = 0
  /** The steps that are open, the innermost last. */
  readonly open: TrackedStep[] = []
  /** The step that the row shows: the innermost that is open, or the last one that ended. */
  shown: TrackedStep | undefined
  /** Set by the pipeline, until the next step begins. */
  overallOverride: number | null = null
  overallMessage: string | null = null
  errorMessage: string | null = null
  errorDetail: string | null = null
  exitCode: number | null = null
  itemsFailed = 0
  /** THROTTLED, BLOCKED or PAUSED, as the pipeline said; until it reports anything but a message. */
  subState: string | null = null
  /** Items that were completed in all steps together; null while no step counts any. */
  rowsProcessed: number | null = null
  memoryMb: number | null = null
  peakMemoryMb: number | null = null
  cpuPercent: number | null = null
  /** Log paths, which a `status` may change. */
  logPath: string | null
  logFile: string | null
  readonly changedSteps = new Set<TrackedStep>()

  constructor(runId: string, init: Operation, at: number) {
    this.runId = runId
    this.facts = init
    this.startedAt = this.updatedAt = this.progressAt = at
    this.heartbeatAt = (numberIn(init, 'heartbeat_seconds') ?? 0) > 0 ? at : null
    this.totalSubtasks = numberIn(init, 'total_subtasks') ?? null
    this.logPath = textIn(init, 'log_path') ?? null
    this.logFile = textIn(init, 'log_file') ?? null
  }

  get hasEnded(): boolean {
    return ENDED.includes(this.state)
  }

  /** Why it runs and does not move: what the pipeline said, or that the step in hand is queued behind another. */
  get heldBack(): string | null {
    if (this.hasEnded) return null
    const isQueued = this.shown?.state === 'pending' && isOpen(this.shown)
    return this.subState ?? (isQueued ? 'BLOCKED' : null)
  }

  /** Whether the operation changed anything: nothing changes an end. */
  apply(operation: Operation, at: number): boolean {
    if (this.hasEnded) return false
    this.updatedAt = at
    if (operation.op === 'heartbeat') {
      this.#heartbeat(operation, at)
      return true
    }
    if (operation.op === 'init') return true
    if (this.state === 'started') this.state = 'running'
    this.progressAt = at
    if (operation.op !== 'message') this.subState = textIn(operation, 'sub_state') ?? null
    switch (operation.op) {
      case 'status':
        applyStatus(this, operation, at)
        break
      case 'enter':
        this.enter(textIn(operation, 'message') ?? '', at, numberIn(operation, 'items_total') ?? null)
        break
      case 'exit':
        this.exit(operation, at)
        break
      case 'message':
        this.say(textIn(operation, 'message') ?? null)
        break
      case 'progress':
      case 'add':
        this.#items(operation, at)
        break
      case 'finish':
        this.itemsFailed = countOf(this.itemsFailed + (numberIn(operation, 'failed') ?? 0))
        this.overallMessage = textIn(operation, 'message') ?? this.overallMessage
        this.end(this.itemsFailed > 0 ? 'partial' : 'done', at, numberIn(operation, 'exit_code') ?? 0)
        break
      case 'error':
        this.#fail(operation, at)
        break
      case 'cancel':
        this.#cancel(operation, at)
        break
    }
    return true
  }

  /** 100 × (steps ended + the part of the current one) / total; null without a total. An override wins until the next step. */
  get overall(): number | null {
    if (this.state === 'done') return 100
    if (this.overallOverride !== null) return this.overallOverride
    if (this.totalSubtasks === null) return null
    const current = this.open.at(-1)
    const part = current && { done: stepPercent(current) ?? 0, total: 100 }
    return overallPercent(this.ended, this.totalSubtasks, part) ?? null
  }

  enter(name: string, at: number, itemsTotal: number | null = null): TrackedStep {
    const step = newStep(++this.entered, name, at, this.open.at(-1))
    step.itemsTotal = itemsTotal
    if (itemsTotal !== null) this.completed(step, 0)
    this.open.push(step)
    this.show(step)
    if (this.totalSubtasks !== null) this.totalSubtasks = Math.max(this.totalSubtasks, this.entered)
    this.overallOverride = null
    const total = this.totalSubtasks === null ? '' : ` of ${this.totalSubtasks}`
    this.overallMessage = `Task ${this.entered}${total}: ${name}`
    return step
  }

  /** Ends the innermost open step. Without one there is nothing to end. */
  exit(operation: Operation, at: number): void {
    const step = this.open.pop()
    if (!step) return
    this.ended += 1
    step.message = textIn(operation, 'message') ?? step.message
    const error = textIn(operation, 'error')
    const failed = error !== undefined || operation['subtask_status'] === 'FAILED'
    endStep(step, failed ? 'failed' : 'done', at, error)
    this.show(step)
  }

  say(message: string | null): void {
    const step = this.open.at(-1) ?? this.shown
    if (!step) {
      this.overallMessage = message
      return
    }
    step.message = message
    this.show(step)
  }

  /** So many items of a step are complete; never fewer than none. */
  completed(step: TrackedStep, items: number | null): void {
    const complete = items === null ? null : countOf(items)
    if (complete !== null || step.itemsComplete !== null)
      this.rowsProcessed = countOf((this.rowsProcessed ?? 0) + (complete ?? 0) - (step.itemsComplete ?? 0))
    step.itemsComplete = complete
  }

  /** Makes a step the one that the row shows, and has it written. */
  show(step: TrackedStep): void {
    this.shown = step
    this.changedSteps.add(step)
  }

  /** The end. Open steps end with it: failed where the execution failed. */
  end(state: State, at: number, exitCode: number | null): void {
    // A clock that was set back meanwhile makes no execution end before it began.
    this.endedAt = Math.max(at, this.startedAt)
    this.exitCode = exitCode
    const good = state === 'done' || state === 'partial'
    // Steps that end because it failed are no further than they came.
    if (!good) this.overallOverride = this.overall
    this.state = state
    for (const step of this.open.splice(0).reverse()) {
      endStep(step, good ? 'done' : 'failed', at)
      this.ended += 1
      this.changedSteps.add(step)
    }
    if (this.shown && isOpen(this.shown)) endStep(this.shown, good ? 'done' : 'failed', at)
    if (this.shown) this.changedSteps.add(this.shown)
  }

  #items(operation: Operation, at: number): void {
    const step =
      this.open.at(-1) ?? this.shown ?? this.enter(textIn(this.facts as Operation, 'task_name') ?? '', at)
    const total = numberIn(operation, 'items_total')
    if (total !== undefined) step.itemsTotal = total
    if (operation.op === 'add')
      this.completed(step, (step.itemsComplete ?? 0) + (numberIn(operation, 'items') ?? 1))
    else {
      const complete = numberIn(operation, 'items_complete')
      if (complete !== undefined) this.completed(step, complete)
    }
    // A share of its own wins over the items, until the next report of items.
    step.percent = numberIn(operation, 'percent') ?? null
    const message = textIn(operation, 'message')
    if (message !== undefined) step.message = message
    this.show(step)
  }

  #heartbeat(operation: Operation, at: number): void {
    this.heartbeatAt = at
    this.measured(operation)
  }

  /** What its process uses, as a sign of life says it. */
  measured(operation: Operation): void {
    this.memoryMb = numberIn(operation, 'memory_mb') ?? this.memoryMb
    this.cpuPercent = numberIn(operation, 'cpu_percent') ?? this.cpuPercent
    const peak = numberIn(operation, 'peak_memory_mb') ?? this.memoryMb
    if (peak !== null) this.peakMemoryMb = Math.max(this.peakMemoryMb ?? 0, peak)
  }

  #fail(operation: Operation, at: number): void {
    this.errorMessage = textIn(operation, 'message') ?? 'failed'
    this.errorDetail = textIn(operation, 'detail') ?? null
    const state = operation['reason'] === 'terminated' ? 'terminated' : 'failed'
    this.end(state, at, numberIn(operation, 'exit_code') ?? null)
  }

  #cancel(operation: Operation, at: number): void {
    const signal = textIn(operation, 'signal')
    const by = signal ? `Process terminated by ${signal} signal` : 'Cancelled by a user'
    this.errorMessage = textIn(operation, 'message') ?? by
    this.end(signal ? 'killed' : 'cancelled', at, numberIn(operation, 'exit_code') ?? null)
  }
}

/** A sum of counts, in the range of a count. */
const countOf = (sum: number): number => Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, sum))
