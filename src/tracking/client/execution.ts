import { messageOf } from '../../errors.ts'
import type { Redact } from '../../common/redact.ts'
import { timeText } from '../../sql/timestamps.ts'
import { RateMeter } from '../ledger/eta.ts'
import type { Cell, Row } from '../ledger/row.ts'
import { readOperation, type Operation } from './operations.ts'
import type { TaskOptions } from './run-facts.ts'
import type { TrackedExecution } from './tracked-execution.ts'
import { trackedRows } from './tracked-rows.ts'

/** `exec.status({...})`. Left out: it stays; null: it is cleared. */
export interface StatusOptions {
  readonly status?: 'RUNNING' | 'FINISHED' | 'FAILED' | 'CANCELLED' | undefined
  /** It waits; stands until the next report of anything but a message. */
  readonly subState?: 'THROTTLED' | 'BLOCKED' | 'PAUSED' | null | undefined
  readonly currentSubtask?: number | undefined
  readonly totalSubtasks?: number | null | undefined
  readonly subtaskName?: string | undefined
  readonly subtaskStatus?: 'NOT_STARTED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | undefined
  readonly overallPercent?: number | null | undefined
  readonly overallMessage?: string | null | undefined
  readonly subtaskPercent?: number | null | undefined
  readonly subtaskMessage?: string | null | undefined
  readonly subtaskItemsTotal?: number | null | undefined
  readonly subtaskItemsComplete?: number | null | undefined
}

interface Hands {
  readonly now: () => number
  readonly redact: Redact
  /** Memory of the process that does the work, as fields of a sign of life. */
  readonly measure: (tracked: TrackedExecution) => Readonly<Record<string, Cell>>
  readonly child: (task: TaskOptions) => Execution
  /** `urgent`: a start, a step, an error or an end, which is written at once. */
  readonly changed: (urgent: boolean) => void
}

/** One execution of this process. No call throws, waits, or costs more than some hundred nanoseconds; after its end all of them do nothing. */
export class Execution {
  readonly #tracked: TrackedExecution
  readonly #hands: Hands
  #rate: RateMeter
  #items = 0
  #revision = 0
  #changed = true
  /** What the last call got wrong; the caller decides whether anybody hears of it. */
  problems: readonly string[] = []

  constructor(tracked: TrackedExecution, hands: Hands) {
    this.#tracked = tracked
    this.#hands = hands
    this.#rate = new RateMeter(tracked.startedAt)
  }

  get runId(): string {
    return this.#tracked.runId
  }

  get hasEnded(): boolean {
    return this.#tracked.hasEnded
  }

  /** How it stands: for displays and tests. */
  get tracked(): TrackedExecution {
    return this.#tracked
  }

  /** Sets what is named. For pipelines that count their own steps. */
  status(options: StatusOptions): void {
    const fields = Object.entries(options).map(([name, value]) => [snakeCase(name), value as unknown])
    this.report({ op: 'status', ...Object.fromEntries(fields) })
  }

  /** A step begins, inside the one that is open. Its progress starts anew. */
  enter(message: string, itemsTotal?: number): void {
    this.report({ op: 'enter', message, items_total: itemsTotal })
  }

  /** The innermost open step is completed. */
  exit(): void {
    this.#apply({ op: 'exit' }, true)
  }

  /** A word about the step in hand. */
  message(message: string): void {
    this.#apply({ op: 'message', message }, false)
  }

  /** How far the step in hand is. */
  progress(complete: number, total?: number, message?: string): void {
    if (!isCount(complete) || (total !== undefined && !isCount(total))) {
      this.report({ op: 'progress', items_complete: complete, items_total: total, message })
      return
    }
    this.#apply({ op: 'progress', items_complete: complete, items_total: total, message }, false)
  }

  /** The same under the name that the other clients use. */
  trackSubtaskProgress(complete: number, total?: number, message?: string): void {
    this.progress(complete, total, message)
  }

  /** So many more items of the step in hand are done, in whatever order workers report. */
  add(items = 1): void {
    this.report({ op: 'add', items })
  }

  /** Runs `work` as a step: completed when it returns, failed when it throws. What it throws goes on. */
  async step<T>(message: string, work: () => T | Promise<T>): Promise<T> {
    this.enter(message)
    const depth = this.#tracked.open.length
    const leave = (operation: Operation): void => {
      // Steps that the work left open end with it.
      while (this.#tracked.open.length > depth) this.#apply({ op: 'exit' }, false)
      if (this.#tracked.open.length === depth) this.#apply(operation, true)
    }
    try {
      const result = await work()
      leave({ op: 'exit' })
      return result
    } catch (error) {
      leave({ op: 'exit', error: messageOf(error) })
      throw error
    }
  }

  /** An execution of its own that is a part of this one: for parallel workers. */
  child(task: TaskOptions): Execution {
    return this.#hands.child(task)
  }

  /** The end: FINISHED, and 100 %. With `failed` items it is FINISHED and partial, and keeps its real share. */
  finish(message = 'Script completed successfully', { failed = 0 } = {}): void {
    this.report({ op: 'finish', message, failed })
  }

  /** The end: FAILED, with the message and, of an Error, its stack. */
  error(error: unknown, detail?: string): void {
    const stack = error instanceof Error ? error.stack : undefined
    this.report({ op: 'error', message: messageOf(error), detail: detail ?? stack })
  }

  /** The end: CANCELLED, by a signal or, without one, by a user. */
  cancel(signal?: string): void {
    this.report({ op: 'cancel', signal })
  }

  /** An operation from outside. What is wrong with it is left out of it and named in `problems`. */
  report(value: unknown): boolean {
    const { operation, problems, old } = readOperation(value)
    this.problems = [...problems, ...old.map((name) => `old name: ${name}`)]
    return operation !== undefined && this.#apply(operation, URGENT.has(operation.op))
  }

  /** It is alive. Returns the row of the measurement. */
  heartbeat(measure: Readonly<Record<string, Cell>>): Row {
    this.#apply({ op: 'heartbeat', ...measure }, false)
    const { rowsProcessed } = this.#tracked
    const cells = {
      run_id: this.runId,
      at: timeText(this.#hands.now()),
      ...measure,
      rows_processed: rowsProcessed,
    }
    return { table: 'process_metrics', cells, transient: true }
  }

  /** The rows that changed since the last call. */
  drain(): Row[] {
    if (!this.#changed) return []
    this.#changed = false
    const now = this.#hands.now()
    return trackedRows(this.#tracked, {
      revision: ++this.#revision,
      now,
      redact: this.#hands.redact,
      eta: this.#estimate(now),
    })
  }

  #apply(operation: Operation, urgent: boolean): boolean {
    const now = this.#hands.now()
    const tracked = this.#tracked
    // Also of one that is too short for a sign of life. Its process may be gone when the end is written.
    if (isEnd(operation) && !tracked.hasEnded)
      tracked.measured({ op: 'heartbeat', ...this.#hands.measure(tracked) })
    if (!tracked.apply(operation, now)) return false
    if (operation.op === 'enter') this.#rate = new RateMeter(now)
    this.#changed = true
    this.#hands.changed(urgent || this.#tracked.hasEnded)
    return true
  }

  #estimate(now: number): ReturnType<RateMeter['estimate']> {
    const step = this.#tracked.open.at(-1)
    const done = step?.itemsComplete ?? 0
    if (done > this.#items) this.#rate.seen(now, done - this.#items)
    this.#items = done
    if (step?.itemsTotal === undefined || step.itemsTotal === null) return undefined
    return this.#rate.estimate(now, Math.max(0, step.itemsTotal - done))
  }
}

/** Operations that are written at once. */
const URGENT: ReadonlySet<string> = new Set(['init', 'enter', 'exit', 'finish', 'error', 'cancel'])

const isEnd = ({ op, status }: Operation): boolean =>
  ['finish', 'error', 'cancel'].includes(op) ||
  (op === 'status' && ['FINISHED', 'FAILED', 'CANCELLED'].includes(String(status)))

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
