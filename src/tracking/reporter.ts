import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Log } from '../common/log.ts'
import type { Started } from '../common/own-command.ts'
import type { Redact } from '../common/redact.ts'
import { messageOf } from '../errors.ts'
import type { Closed } from './ledger/close-dead.ts'
import type { EngineEvent, Listener } from '../engine/stage.ts'
import {
  closedAlerts,
  corruptAlert,
  damagedAlerts,
  unsilenced,
  killedAlert,
  PassWatch,
  staleAlert,
} from './alerts/rules.ts'
import { PassWatchers, type PassWatcher, type WatchedPass } from './alerts/pass-watchers.ts'
import { Alerts, type Alert, type AlertsOptions, type Channel, type Message } from './alerts/alerts.ts'
import { RuleSettings, type RulesConfig } from './alerts/rule-settings.ts'
import { BatchLog } from './batch-log.ts'
import { sendCarbon, type CarbonOptions } from './metrics/carbon.ts'
import { keepSuccess, lastSuccessAt, waitingSince } from './last-success.ts'
import { PassMetrics } from './metrics/pass-metrics.ts'
import { READING } from '../platform/read-file.ts'
import { openFilesOf } from '../platform/process-facts.ts'
import { type ProofCounts, Textfile, type Standing } from './metrics/prometheus-textfile.ts'
import type { TaskMetrics } from './metrics/task-metrics.ts'
import { sentFile } from './alerts/sent-alerts.ts'

export interface ReportingOptions {
  /** How the program was started, for the commands in messages; its configuration as a whole path. */
  readonly started?: Started | undefined
  /** A pass over runs has the plain batch log; other tasks keep logs of their own. */
  readonly isPass: boolean
  readonly task: string
  readonly version: string
  /** The commit that the program was built from; left out where that is not known. */
  readonly commit?: string | undefined
  readonly workDir: string
  readonly host: string
  readonly pid: number
  readonly now: () => number
  readonly log: Log
  readonly redact: Redact
  readonly channels: readonly Channel[]
  /** `reporting.rules`. Left out: nothing is chosen. */
  readonly rules?: RulesConfig
  readonly silences?: AlertsOptions['silences']
  readonly staleAfterHours: number
  readonly carbon: CarbonOptions | undefined
  /** Where node_exporter looks. */
  readonly textfile: string | undefined
  /** What a task counts that is no pass over runs. */
  readonly counted?: TaskMetrics | undefined
  /** False: steps are files or the like, whose names are no labels. */
  readonly stagesAreMetrics?: boolean
  /** Milliseconds for one message to one channel. */
  readonly channelTimeout: number
  /** Milliseconds in which the same thing is notified once. */
  readonly repeatAfter?: number
  readonly onSent?: (alert: Message, channel: string) => void
  readonly watchers?: readonly PassWatcher[]
  /** The log file, whose end watchers get. */
  readonly logFile?: string | undefined
}

/** How the pass ended, for those who are notified. */
export interface PassEnd {
  readonly exitCode: number
  /** Whether stages were asked to work: a recovery that ends well is no success of the archiving. */
  readonly isPass: boolean
  readonly signal: string | undefined
  readonly standings: readonly Standing[]
  readonly proof?: ProofCounts | undefined
  /** The shared backlog, where there is one. */
  readonly backlog?: TaskMetrics['series']
  readonly ledgerFailures: number
  readonly spoolBytes: number
}

const HOUR = 3_600_000
/** What watchers get of a log. */
const LONGEST_TEXT = 10_000

/** Everything that reports a pass to others, beside the ledger: alerts, metrics, the plain batch log. Nothing here throws. */
export class Reporting {
  readonly alerts: Alerts
  readonly metrics: PassMetrics
  readonly #options: ReportingOptions
  readonly #watch: PassWatch
  readonly #rules: RuleSettings
  readonly #batches: BatchLog | undefined
  readonly #watchers: PassWatchers
  readonly #runId = randomUUID()
  readonly #textfile: Textfile | undefined

  constructor(options: ReportingOptions) {
    const { workDir, channels, repeatAfter = HOUR, channelTimeout: timeout } = options
    this.#options = options
    this.#watch = new PassWatch(options.task, options.started)
    this.#textfile = options.textfile === undefined ? undefined : new Textfile(options.textfile)
    this.metrics = new PassMetrics(options.now)
    this.#batches = options.isPass ? new BatchLog({ ...options, folder: workDir }) : undefined
    this.#rules = new RuleSettings(options.rules)
    const sending = { channels, rules: this.#rules, stateFile: sentFile(workDir), interval: repeatAfter }
    this.alerts = new Alerts({ ...options, ...sending, timeout })
    this.#watchers = new PassWatchers({ ...options, watchers: options.watchers ?? [], timeout })
    this.#watchers.began(this.#pass())
  }

  readonly listener: Listener = (event: EngineEvent) => {
    this.#watch.listener(event)
    this.metrics.listener(event)
    this.#batches?.listener(event)
  }

  /** Executions that the ledger found dead: for `LedgerOptions.onClosed`. */
  readonly closed = (closed: readonly Closed[]): void => this.#raise(closedAlerts(closed))

  /** A signal ends the pass. */
  killed(signal: string): void {
    this.#batches?.killed(signal)
    this.alerts.raise(killedAlert(this.#options.task, signal, this.#options.pid))
  }

  /** A stage could not begin: a store was away, or its state could not be read. */
  unbegun(stage: string, error: Error): void {
    this.#watch.unbegun(stage, error)
  }

  /** A state file was damaged and is kept under another name. */
  corrupt(file: string, kept: string): void {
    this.alerts.raise(corruptAlert(file, kept))
  }

  /** The scrub found damaged runs. */
  damaged(found: ReadonlyMap<number, string>): void {
    this.alerts.raiseEach((isSilent) => damagedAlerts(unsilenced(found, isSilent), this.#rules))
  }

  /** Reports how the pass ended, and waits for what is being sent for `ms` milliseconds at most. */
  async end(end: PassEnd, ms = 10_000): Promise<void> {
    const { now, staleAfterHours, workDir, log } = this.#options
    this.#raise(this.#watch.alerts())
    if (end.exitCode === 0) {
      if (end.isPass) await keepSuccess(workDir, now(), (message) => log.warn(message))
    } else {
      const last = await lastSuccessAt(workDir)
      const since = last ?? (await waitingSince(workDir, now(), (message) => log.warn(message)))
      const stale = staleAlert({ last, waitingSince: since }, now(), staleAfterHours)
      if (stale) this.alerts.raise(stale)
    }
    await Promise.all([
      this.#writeMetrics(end),
      this.#sendMetrics(),
      this.#watched(end),
      this.alerts.close(ms),
    ])
  }

  #raise(alerts: readonly Alert[]): void {
    for (const alert of alerts) this.alerts.raise(alert)
  }

  #pass(): WatchedPass {
    const { task, host, now } = this.#options
    return { runId: this.#runId, task, host, time: new Date(now()).toISOString() }
  }

  async #watched({ exitCode, signal }: PassEnd): Promise<void> {
    if (!this.#watchers.any) return
    const { redact, task, logFile } = this.#options
    const counts = this.metrics.stages.map(
      ({ stage, attempted, succeeded, failed }) =>
        `${stage}: ${attempted} attempted, ${succeeded} archived, ${failed} failed\n`,
    )
    const tail = logFile === undefined ? '' : await endOfFile(logFile, LONGEST_TEXT)
    const head = redact(`${task}: exit code ${exitCode}\n${counts.join('')}`).slice(0, LONGEST_TEXT)
    const text = head + (head.length < LONGEST_TEXT ? redact(tail).slice(head.length - LONGEST_TEXT) : '')
    await this.#watchers.ended({ ...this.#pass(), exitCode, signal, text })
  }

  /** Writes the metrics while the task goes on, so that a long one is not silent. */
  async publish(so: Pick<PassEnd, 'ledgerFailures' | 'spoolBytes'>): Promise<void> {
    await this.#writeMetrics({ ...so, standings: [], exitCode: undefined })
  }

  async #writeMetrics({
    exitCode,
    standings,
    proof,
    backlog = [],
    ledgerFailures,
    spoolBytes,
  }: Pick<PassEnd, 'standings' | 'proof' | 'backlog' | 'ledgerFailures' | 'spoolBytes'> & {
    readonly exitCode: number | undefined
  }): Promise<void> {
    const { textfile, task, version, commit, now, log, counted, stagesAreMetrics = true } = this.#options
    if (textfile === undefined) return
    const { startedAt } = this.metrics
    const stages = stagesAreMetrics ? this.metrics.stages : []
    const facts = {
      task,
      version,
      commit,
      startedAt,
      endedAt: now(),
      exitCode,
      stages,
      standings,
      proof,
      counted,
      backlog,
      ledgerFailures,
      spoolBytes,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      openDescriptors: openFilesOf(),
    }
    try {
      await this.#textfile?.write(facts)
    } catch (error) {
      log.warn(`The metrics could not be written to ${textfile}: ${messageOf(error)}`)
    }
  }

  async #sendMetrics(): Promise<void> {
    const { carbon, log, stagesAreMetrics = true } = this.#options
    if (carbon === undefined || !stagesAreMetrics) return
    await sendCarbon(carbon, this.metrics.samples()).catch((error: unknown) =>
      log.warn(`The metrics could not be sent to Carbon: ${messageOf(error)}`),
    )
  }
}

/** The last bytes of a text file; nothing where it cannot be read. */
const endOfFile = async (path: string, bytes: number): Promise<string> => {
  const file = await open(path, READING).catch(() => undefined)
  if (!file) return ''
  try {
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, Math.max(0, size - bytes))
    return buffer.subarray(0, bytesRead).toString('utf8')
  } catch {
    return ''
  } finally {
    await file.close()
  }
}
