import { randomUUID } from 'node:crypto'
import { monotonic } from '../../platform/host.ts'
import { redact as redactByLook } from '../../common/redact.ts'
import { cpuPercent, processUsage, usageCells, usageOf, type Usage } from '../ledger/process-usage.ts'
import type { Cell, Row } from '../ledger/row.ts'
import type { LedgerWriter } from '../ledger/writer.ts'
import { Execution } from './execution.ts'
import type { Lineage } from './lineage.ts'
import { openLineage, openWriter, type WriterSettings } from './open-writer.ts'
import type { Operation } from './operations.ts'
import { initFields, type FactOptions, type Runner, type TaskOptions } from './run-facts.ts'
import type { TrackStore } from './track-store.ts'
import { TrackedExecution } from './tracked-execution.ts'

export interface TrackerOptions extends FactOptions, WriterSettings {
  readonly version: string
  readonly runner: Runner
  /** Milliseconds between two signs of life. 0: none. */
  readonly heartbeatEvery?: number | undefined
}

/** Milliseconds for which the end of a process waits for the last rows. */
const LAST_ROWS = 2000

/**
 * Reports executions of this process. Every call only changes memory and returns; the database is written behind its back, at most every
 * `flushEvery` milliseconds. Nothing here throws or changes an exit code: while the database is away rows wait in a spool file, and whatever
 * process reports next writes them. A row may be written twice without harm.
 */
export class Tracker {
  readonly #options: TrackerOptions
  readonly #writer: LedgerWriter<TrackStore> | undefined
  readonly #lineage: Lineage | undefined
  readonly #executions = new Map<string, Execution>()
  readonly #rows: Row[] = []
  #heart: NodeJS.Timeout | undefined
  #last: NodeJS.Timeout | undefined
  /** What each process that is reported of had used at the last sign of life. */
  #usage: ReadonlyMap<number, Usage> = new Map()

  /** Throws CONFIG_INVALID for a URL that is none. */
  constructor(options: TrackerOptions) {
    this.#options = options
    this.#lineage = openLineage(options)
    this.#writer = openWriter(options, () => this.#drain())
  }

  /** Writes that failed, for tests and metrics. */
  get failures(): number {
    return this.#writer?.failures ?? 0
  }

  /** The database, while it is connected. */
  get store(): TrackStore | undefined {
    return this.#writer?.store
  }

  /** The executions that this tracker reports and that have not ended. */
  get open(): Execution[] {
    return [...this.#executions.values()].filter((execution) => !execution.hasEnded)
  }

  /** An execution begins. */
  init(task: TaskOptions): Execution {
    const { runner } = this.#options
    return this.begin({ op: 'init', ...initFields(task, runner, this.#options) })
  }

  /** The same from the fields of an `init` operation, with a run id of its own where it was given one. */
  begin(init: Operation, runId: string = randomUUID()): Execution {
    const { now, redact = redactByLook } = this.#options
    const known = this.#executions.get(runId)
    if (known) return known
    const execution = new Execution(
      new TrackedExecution(runId, { ...init, heartbeat_seconds: this.#every / 1000 }, now()),
      {
        now,
        redact,
        measure: (tracked) => this.#memoryOf(tracked),
        child: (task) => this.init({ ...task, parentRunId: runId }),
        changed: (urgent) => this.#changed(urgent),
      },
    )
    this.#executions.set(runId, execution)
    this.#lineage?.begins(runId)
    this.#beat()
    this.#changed(true)
    return execution
  }

  find(runId: string): Execution | undefined {
    return this.#executions.get(runId)
  }

  /** Measurements of an execution, which stand in a table of their own. */
  measured(row: Row): void {
    if (!this.#writer) return
    this.#rows.push(row)
    this.#changed(false)
  }

  /** Writes what is unwritten. Resolves when it is written, or in the spool. */
  async flush(): Promise<void> {
    await this.#writer?.flush()
  }

  /** The end of the process: waits at most `ms` milliseconds for the last rows, and leaves the rest in the spool. */
  async close(ms = LAST_ROWS): Promise<void> {
    clearInterval(this.#heart)
    const until = monotonic() + ms
    await this.#writer?.close(ms)
    await this.#lineage?.close(Math.max(0, until - monotonic()))
  }

  /** Puts what is unwritten where it survives this process, before it returns: for signals and exits. */
  saveNow(): void {
    this.#writer?.writeNow(this.#drain())
  }

  #changed(urgent: boolean): void {
    if (!this.#writer) {
      // Nothing is written: lineage sees the rows all the same, and what has ended is forgotten.
      if (urgent) this.#drain()
    } else if (urgent) void this.#writer.flush()
    else this.#writer.wake()
    this.#limitLast()
  }

  /** The process may end when its last execution does: what is being sent then holds it for two seconds at most. */
  #limitLast(): void {
    if (this.open.length > 0) {
      clearTimeout(this.#last)
      this.#last = undefined
      return
    }
    this.#last ??= setTimeout(() => {
      const why = new Error(`no answer within ${LAST_ROWS / 1000} s`)
      this.#writer?.giveUp(why)
      this.#lineage?.giveUp(why)
    }, LAST_ROWS).unref()
  }

  #drain(): Row[] {
    const rows = [...this.#executions.values()].flatMap((execution) => execution.drain())
    // An end that was handed over needs no more memory.
    this.#lineage?.see(rows)
    for (const [runId, execution] of this.#executions) if (execution.hasEnded) this.#executions.delete(runId)
    return [...rows, ...this.#rows.splice(0)]
  }

  /** Milliseconds between two signs of life. 0: none. */
  get #every(): number {
    return this.#options.heartbeatEvery ?? 15_000
  }

  /** A sign of life of every open execution, by a timer that does not keep the process alive. */
  #beat(): void {
    if (this.#every === 0 || this.#heart !== undefined || !this.#writer) return
    this.#heart = setInterval(() => {
      const before = this.#usage
      const usage = new Map<number, Usage>()
      for (const execution of this.open) {
        const pid = this.#processOf(execution.tracked.facts)
        const used = pid === undefined ? undefined : (usage.get(pid) ?? this.#usageOf(pid))
        if (pid !== undefined && used) usage.set(pid, used)
        this.#rows.push(
          execution.heartbeat(
            pid === undefined || !used ? {} : usageCells(used, cpuPercent(before.get(pid), used)),
          ),
        )
      }
      this.#usage = usage
      // At once: `flush_ms` may be longer than the silence after which the execution counts as LOST.
      this.#changed(true)
    }, this.#every)
    this.#heart.unref()
  }

  /** What its process holds, and held at most; nothing where that is not known. */
  #memoryOf({ facts }: TrackedExecution): Readonly<Record<string, Cell>> {
    const pid = this.#processOf(facts)
    const { memoryMb, peakMemoryMb } = (pid === undefined ? undefined : this.#usageOf(pid)) ?? {}
    return memoryMb ? { memory_mb: memoryMb, peak_memory_mb: peakMemoryMb ?? null } : {}
  }

  /** The process that does the work: of a pipeline that reports through a pipe, another than this one. Undefined where it is on another host. */
  #processOf(facts: TrackedExecution['facts']): number | undefined {
    const { pid, host } = this.#options.runner
    if (facts['hostname'] !== undefined && facts['hostname'] !== host) return undefined
    return typeof facts['process_id'] === 'number' ? facts['process_id'] : pid
  }

  #usageOf(pid: number): Usage | undefined {
    return pid === this.#options.runner.pid ? processUsage() : usageOf(pid)
  }
}
