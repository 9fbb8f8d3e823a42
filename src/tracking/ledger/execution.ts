import { RateMeter } from './eta.ts'
import { isSecretKey, MASK, printable, type Redact } from '../../common/redact.ts'
import type { State } from './status-words.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import type { Cell, Row } from './row.ts'
import { timeText } from '../../sql/timestamps.ts'
import type { InstanceTally } from '../../engine/claim-store.ts'
import type { EngineEvent, Hold, ServerLoad } from '../../engine/stage.ts'
import { executionCells, type Ending, type ExecutionFacts, type Identity } from './execution-row.ts'
import { DistinctItems } from './distinct-items.ts'
import { StageRecord } from './stage-progress.ts'
import { cpuPercent, networkCells, usageCells, type Usage } from './process-usage.ts'

/**
 * What one execution has for the ledger: it takes the engine's events and the process's own, and gives the rows that have
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
  readonly #items = new DistinctItems()
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
  #hold: Hold | undefined
  #servers: ServerLoad | undefined
  #rate: RateMeter
  #usage: Usage | undefined
  #tally: InstanceTally | undefined
  #cpuPercent: number | undefined

  /** `usage` is what the process has used before it began. */
  constructor(
    runId: string,
    identity: Identity,
    facts: ExecutionFacts,
    now: () => number,
    redact: Redact,
    usage?: Usage,
  ) {
    this.runId = runId
    this.#usage = usage
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
    return this.#stages.some(({ total = 0, attempted }) => total + attempted > 0) || this.#error !== undefined
  }

  /** Takes what the engine reports. Costs some microseconds; the rows are made when they are asked for. */
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
    if (event.type === 'item-done' || event.type === 'item-failed') {
      this.#rate.seen(now)
      this.#items.add(event.stage, event.key)
    }
    if (event.type === 'pass-stopped')
      this.event('pass-stopped', {
        stage: event.stage,
        reason: event.reason,
        error: messageOf(event.error ?? ''),
      })
    if (event.type === 'held-back') this.#hold = event.hold
    else if (event.type === 'servers-seen') this.#servers = event.load
    else this.#progressAt = now
    this.#changed = true
  }

  /** A sentence that says what is going on, for commands without an engine. */
  say(message: string): void {
    this.#message = this.#text(message)
    this.#progressAt = this.#now()
    this.#changed = true
  }

  /** What it did as an instance of a shared backlog so far. Returns whether that is news. */
  counted(tally: InstanceTally): boolean {
    const before = this.#tally
    const same =
      before?.claims === tally.claims &&
      before.fenced === tally.fenced &&
      before.recovered === tally.recovered
    if (same) return false
    this.#tally = { ...tally }
    this.#changed = true
    return true
  }

  /** Something worth finding again later. `detail` holds no secrets of its own. */
  event(kind: string, detail: Readonly<Record<string, unknown>>): void {
    const cells = {
      run_id: this.runId,
      seq: ++this.#events,
      at: timeText(this.#now()),
      kind,
      detail: this.#json(detail),
    }
    this.#dirty.set(`event ${this.#events}`, { table: 'events', cells, transient: false })
  }

  /** It is alive, and this is what it uses. */
  heartbeat(usage: Usage): void {
    const now = this.#now()
    this.#cpuPercent = cpuPercent(this.#usage, usage)
    this.#usage = usage
    this.#heartbeatAt = now
    this.#changed = true
    const cells = {
      run_id: this.runId,
      at: timeText(now),
      ...usageCells(usage, this.#cpuPercent),
      rows_processed: this.#stages.reduce((sum, stage) => sum + stage.documents, 0),
      ...networkCells(usage),
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
    const cells = executionCells({
      runId: this.runId,
      identity: this.#identity,
      facts: this.#facts,
      state: this.#state,
      stages: this.#stages,
      items: this.#items.size,
      startedAt: this.#startedAt,
      // A clock that was set back meanwhile makes no execution end before it began.
      endedAt: this.#endedAt === undefined ? undefined : Math.max(this.#endedAt, this.#startedAt),
      heartbeatAt: this.#heartbeatAt,
      progressAt: this.#progressAt,
      now: this.#now(),
      rate: this.#rate,
      usage: this.#usage,
      tally: this.#tally,
      cpuPercent: this.#cpuPercent,
      error: this.#error,
      message: this.#message,
      servers: this.#servers,
      hold: this.#hold && { ...this.#hold, reason: this.#text(this.#hold.reason) },
      exitCode: this.#exitCode,
      argv: this.#text(this.#facts.argv.join(' ')),
      environment: this.#facts.environment && this.#json(this.#facts.environment),
      revision,
    })
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

  /** Each text is masked and made printable by itself: in JSON a mask would take its quotes along, and PostgreSQL refuses a NUL there. */
  #json(value: unknown): string {
    return JSON.stringify(value, (key, inner: unknown) => {
      if (typeof inner !== 'string') return inner
      return isSecretKey(key) ? MASK : printable(this.#redact(inner))
    })
  }

  #text(text: string): string {
    return printable(this.#redact(text)).slice(0, LONGEST_MESSAGE)
  }
}

const LONGEST_MESSAGE = 2000
const LONGEST_DETAIL = 16_000
