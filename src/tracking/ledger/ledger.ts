import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { redact as redactByLook, type Redact } from '../../common/redact.ts'
import { endState, type State } from './status-words.ts'
import type { LedgerDatabase } from './schema-types.ts'
import type { Closed } from './close-dead.ts'
import { databasePlace, schemaName } from '../../sql/database-url.ts'
import { RunningFiles } from './running-files.ts'
import { Spool } from './spool.ts'
import type { OpenStore } from './ledger-database.ts'
import { LedgerWriter, within } from './writer.ts'
import type { Gap } from './writer-options.ts'
import type { InstanceTally } from '../../engine/claim-store.ts'
import type { EngineEvent, Listener } from '../../engine/stage.ts'
import { ExecutionRecord } from './execution.ts'
import type { Ending, ExecutionFacts } from './execution-row.ts'
import { hostOf, refusing, settle, type LedgerOptions } from './ledger-options.ts'
import { processUsage } from './process-usage.ts'

export type { LedgerOptions } from './ledger-options.ts'

/** Milliseconds. Together they keep every row at most one second behind. */
const FLUSH_EVERY = 500
const PATIENCE = { retryEvery: 30_000, timeout: 5000 }
/** An execution that ends sooner, with nothing done, never opens the ledger. */
const QUIET_START = 800

/**
 * Who ran, how far, and how it ended. It listens and writes behind the back of the work: no call throws, none but
 * `end`, `flush` and `ready` waits, and those for a limited time. Throws CONFIG_INVALID only here, for a URL that is none.
 */
export const openLedger = (options: LedgerOptions): Ledger => new Ledger(options)

export class Ledger {
  readonly #options: LedgerOptions
  readonly #redact: Redact
  readonly #files: RunningFiles
  readonly #spool: Spool
  readonly #writer: LedgerWriter<OpenStore> | undefined
  #record: ExecutionRecord | undefined
  #heart: NodeJS.Timeout | undefined
  #starting: NodeJS.Timeout | undefined
  /** Whether rows go to the ledger, or wait for something worth writing. */
  #active = false
  #logging: Promise<unknown> = Promise.resolve()
  #closed: readonly Closed[] = []
  /** What the destinations hold, by stage. */
  readonly #stored = new Map<string, (key: string) => boolean>()

  constructor(options: LedgerOptions) {
    const { url, workDir, schema = 'tasker', password, now, log, version, redact = redactByLook } = options
    this.#options = options
    this.#redact = redact
    this.#files = new RunningFiles(workDir)
    this.#spool = new Spool(join(workDir, 'ledger-spool.jsonl'))
    const place = databasePlace(url, workDir)
    this.#writer =
      place &&
      new LedgerWriter<OpenStore>({
        connect: async () => {
          const { openStore } = await import('./ledger-database.ts')
          const opening = { place, schema: schemaName(schema), password, timeout: PATIENCE.timeout }
          return openStore({ ...opening, now, log, version, onRefused: refusing(this.#spool, options) })
        },
        spool: this.#spool,
        drain: () => this.#record?.drain() ?? [],
        ...{ now, log, redact },
        flushEvery: FLUSH_EVERY,
        ...PATIENCE,
        onOpen: async (store) => {
          const self = this.#record?.runId ?? randomUUID()
          const judged = await settle(store, this.#files, options, self)
          this.#closed = [...this.#closed, ...judged]
        },
        onRecovered: (gap) => this.#gap(gap),
      })
  }

  /** Tries to write that failed and rows that were refused, for the metric `archiver_tracking_failures_total`. */
  get failures(): number {
    return (this.#writer?.failures ?? 0) + this.#spool.refused
  }

  /** Bytes that wait to be written, for the metric `archiver_tracking_spool_bytes`. */
  get spoolBytes(): number {
    return this.#spool.size
  }

  /** Executions that this process found to have disappeared. */
  get closed(): readonly Closed[] {
    return this.#closed
  }

  get runId(): string | undefined {
    return this.#record?.runId
  }

  /**
   * An execution begins, and the log says so. Nothing is opened or written for it but a small file in work_dir, until there is work, or it lasts, or
   * an earlier one is found dead. Gives its UUID.
   */
  begin(facts: ExecutionFacts): string {
    const { identity, now, heartbeatEvery = 15_000 } = this.#options
    const timed = { ...facts, heartbeatSeconds: heartbeatEvery / 1000 }
    const record = new ExecutionRecord(randomUUID(), identity, timed, now, this.#redact, processUsage())
    this.#record = record
    this.#options.log.info(`Process started with PID: ${identity.pid}`)
    if (!this.#writer) return record.runId
    const left = this.#files.left(hostOf(this.#options))
    this.#files.put(record.runId, record.firstCells())
    if (left.length > 0) this.activate()
    this.#starting = setTimeout(() => this.activate(), QUIET_START)
    this.#starting.unref()
    this.#heart = setInterval(() => {
      record.heartbeat(processUsage())
      this.#wake()
    }, heartbeatEvery)
    this.#heart.unref()
    return record.runId
  }

  /** From now on rows are written. Happens by itself as soon as there is work. */
  activate(): void {
    if (this.#active || !this.#record) return
    this.#active = true
    void this.#writer?.flush()
  }

  /** What the engine reports. Costs microseconds. */
  readonly listener: Listener = (event: EngineEvent) => {
    if (!this.#record) return
    if (event.type === 'listed') {
      this.#stored.set(event.stage, event.isStored)
      return
    }
    if (event.type === 'pass-started' && (event.total ?? 0) > 0) {
      this.activate()
      this.#logging = Promise.all([this.#logging, this.#lookBack(event.stage)])
    }
    this.#record.on(event)
    this.#wake()
  }

  /** What is going on, in a sentence, where there is no engine. */
  say(message: string): void {
    this.#record?.say(message)
    this.#wake()
  }

  /** What this process did as an instance of a shared backlog so far. */
  counted(tally: InstanceTally): void {
    if (this.#record?.counted(tally)) this.#wake()
  }

  /** Something worth finding again: a state file that was damaged, an alert that was sent. */
  event(kind: string, detail: Readonly<Record<string, unknown>>): void {
    this.#record?.event(kind, detail)
    this.#wake()
  }

  /**
   * A signal ends the process. Before this returns the ledger has KILLED and the signal's name, or the spool has it for the next
   * start. Runs that are still finishing are recorded by later events; the end stays.
   */
  killed(signal: string): void {
    const record = this.#record
    if (!record || !this.#writer || record.state === 'killed') return
    const { log, identity } = this.#options
    log.warn(`Process terminated by ${signal} signal (PID: ${identity.pid})`)
    log.info('Graceful shutdown initiated...')
    record.end('killed', { exitCode: signal === 'SIGINT' ? 130 : 143, signal })
    this.#active = true
    this.#writer.writeNow(record.drain())
  }

  /** The end. Waits `ms` milliseconds at most for what is unwritten; the rest is in the spool. Nothing can be recorded after it. */
  async end(ending: Ending, ms = 2000): Promise<void> {
    const record = this.#record
    clearTimeout(this.#starting)
    clearInterval(this.#heart)
    if (!record || !this.#writer) return
    const state = this.#endState(record, ending)
    const cells = record.firstCells()
    if (!this.#active && state === 'skipped' && !this.#files.hasFailed(cells)) {
      this.#files.endedIdle(record.runId, this.#options.now())
      return
    }
    this.#active = true
    record.heartbeat(processUsage())
    record.end(state, ending)
    const began = this.#options.now()
    await within(ms, this.#logging).catch(() => undefined)
    const took = Math.max(0, this.#options.now() - began) // the clock may be set meanwhile
    await this.#writer.close(Math.max(0, ms - took))
    this.#files.ended(record.runId, cells, state === 'failed')
  }

  /** Writes what is unwritten, for `ms` milliseconds at most. Whether it was in time. */
  async flush(ms: number): Promise<boolean> {
    if (!this.#active || !this.#writer) return true
    return within(ms, this.#writer.flush()).then(
      () => true,
      () => false,
    )
  }

  /** Opens the ledger now, writes what waits and judges what was left open, for at most `ms` milliseconds: for commands that read it. */
  async ready(ms: number): Promise<LedgerDatabase | undefined> {
    this.#active = true
    await this.flush(ms)
    return this.#writer?.store?.database
  }

  /** For commands that only read: closes what `ready` opened. */
  async close(ms = 2000): Promise<void> {
    await this.#writer?.close(ms)
  }

  #endState(record: ExecutionRecord, { exitCode, error, signal, isPartial = false }: Ending): State {
    const broken = error !== undefined || (exitCode !== 0 && record.failed === 0 && !isPartial)
    const state = endState({
      failed: record.failed + (isPartial ? 1 : 0),
      succeeded: record.attempted - record.failed,
      error: broken,
      stopped: signal,
    })
    return state === 'done' && !record.hasWork ? 'skipped' : state
  }

  #wake(): void {
    if (this.#active) this.#writer?.wake()
  }

  async #lookBack(stage: string): Promise<void> {
    await this.#writer?.flush()
    const database = this.#writer?.store?.database
    const before = { self: this.#record?.runId ?? '', isStored: this.#stored.get(stage) }
    if (database) await (await import('./look-back.ts')).lookBack(database, stage, before, this.#options)
  }

  #gap({ from, to, spooled, lost }: Gap): void {
    this.#record?.event('ledger-gap', {
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      spooled,
      lost,
    })
    this.#wake()
  }
}
