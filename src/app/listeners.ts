import { resolve } from 'node:path'
import type { Started } from '../common/own-command.ts'
import type { Share } from '../common/share.ts'
import { messageOf } from '../errors.ts'
import { bootTime, identity, now, startTicks } from '../platform/host.ts'
import type { OpenLog } from '../platform/log/logger.ts'
import type { RepeatFilter } from '../platform/log/repeat-filter.ts'
import type { InstanceTally } from '../engine/claim-store.ts'
import type { Listener } from '../engine/stage.ts'
import { databasePlace } from '../sql/database-url.ts'
import { loadDriver } from '../sql/open-database.ts'
import { type Ledger, openLedger } from '../tracking/ledger/ledger.ts'
import { channelsOf, watchersOf } from '../tracking/alerts/channels.ts'
import { standingSilences } from '../tracking/alerts/standing-silences.ts'
import { narrator } from '../tracking/event-logger.ts'
import type { TaskMetrics } from '../tracking/metrics/task-metrics.ts'
import type { ProgressBar } from '../tracking/progress-bar.ts'
import { Reporting } from '../tracking/reporter.ts'
import type { Redact } from '../common/redact.ts'
import type { Config } from '../config/settings.ts'
import type { Context } from './context.ts'
import type { Archiver } from '../runs/archiver.ts'
import type { StageReport } from '../runs/pass.ts'
import { RUNS_LEFT } from '../tracking/alerts/runs-left.ts'
import { queueSeries } from './queue-metrics.ts'
import { proofAfter, standingsOf } from './stage-standings.ts'
import { databasePassword } from '../sql/fresh-password.ts'

export interface SessionOptions {
  /** As it stands in the lock's owner file and in the ledger: `incremental`, `import-only`. */
  readonly mode: string
  readonly waitSeconds: number
  /** A worker of a queue: the lock is held together with other workers. */
  readonly shared?: boolean
  /** One of several instances that split the runs: the lock is held together with the others, and one of its own alone. */
  readonly share?: Share | undefined
  /** Steps that follow one another, for the share of the whole; undefined where that is not known. */
  readonly stages?: number | undefined
  readonly verbose: boolean
  /** A daemon's: lines that repeat what passes before have logged are left out. */
  readonly repeats?: RepeatFilter | undefined
  readonly json: boolean
}

/** How a session ended. */
export interface SessionEnd {
  readonly exitCode: number
  readonly error?: Error | undefined
  /** What became of the stages, where there was a pass. */
  readonly reports: readonly StageReport[]
}

/** Session listeners (log lines, progress bar, ledger). They never throw or block. */
export interface Listeners {
  readonly listener: Listener
  /** A state file was damaged, and is kept under another name. */
  corrupt(file: string, kept: string): void
  /** The scrub found damaged runs. */
  damaged(found: ReadonlyMap<number, string>): void
  /** A signal has asked for the end; what must be known even if the process does not live to its end is written now. */
  stopping(signal: string): void
  /** What this process did as an instance of a shared backlog so far. */
  counted(tally: InstanceTally): void
  close(end: SessionEnd): Promise<void>
}

/** Milliseconds that one message to one channel may take (a slow channel never holds up the pass). */
const PATIENCE = 5000

/** What the Python original calls the two listings in its metrics. */
const LISTINGS = [
  ['artdaq', 'ArtdaqDBClient.get_archived_runs.duration_ms'],
  ['archive', 'UconDBClient.get_existing_runs.duration_ms'],
] as const

/** A progress bar is for a person at a terminal who has not asked for the log instead. */
export const showsProgress = ({ json, verbose }: SessionOptions, { terminal }: Context): boolean =>
  terminal.interactive && !json && !verbose

/** Opens everything that listens to a session. */
export const openListeners = async (
  archiver: Archiver,
  options: SessionOptions,
  context: Context,
  log: OpenLog,
  bar?: ProgressBar,
): Promise<Listeners> => {
  const reporting = reportingOf(archiver, options, context, log)
  const { app, ledger: settings } = archiver.config
  await loadDriver(databasePlace(settings.url.reveal(), app.workDir))
  const ledger = ledgerOf(archiver, options, context, log, reporting.closed)
  const listeners: Listener[] = [
    // First, since it says that the process has started.
    ledger.listener,
    narrator(log, { eachRun: options.verbose ? true : app.logEachRun }),
    reporting.listener,
  ]
  if (bar) listeners.push(bar.listener)
  return {
    listener: (event) => {
      for (const listener of listeners) listener(event)
    },
    corrupt: (file, kept) => {
      ledger.event('state_corrupt', { file, kept })
      reporting.corrupt(file, kept)
    },
    counted: (tally) => ledger.counted(tally),
    damaged: (found) => reporting.damaged(found),
    stopping: (signal) => {
      ledger.killed(signal)
      reporting.killed(signal)
    },
    close: async ({ exitCode, error, reports }) => {
      const signal = context.signal.aborted ? String(context.signal.reason) : undefined
      const stageError = reports.find((report) => report.error)?.error
      const left = reports.flatMap((report) => (report.left === undefined ? [] : [report]))
      if (left.length > 0)
        ledger.event(RUNS_LEFT, {
          work_dir: app.workDir,
          stages: Object.fromEntries(left.map((report) => [report.stage, report.left])),
        })
      await ledger.end({ exitCode, error: error ?? stageError, signal })
      const standings = await standingsOf(archiver, reports, now()).catch((thrown: unknown) => {
        log.warn(`How the stages stand could not be found out: ${messageOf(thrown)}`)
        return []
      })
      for (const [store, name] of LISTINGS) {
        const took = archiver.cache.taken.get(store)
        if (took !== undefined) reporting.metrics.duration(name, took)
      }
      const { failures, spoolBytes } = ledger
      const isPass = reports.length > 0
      const { queue, metrics } = archiver.config
      const backlog =
        options.shared && metrics.textfile !== undefined ? await queueSeries(queue, app.workDir) : []
      for (const { stage, outcome, error: cause } of signal === undefined ? reports : [])
        if (cause && !outcome) reporting.unbegun(stage, cause)
      const proof =
        metrics.textfile === undefined
          ? undefined
          : await proofAfter(archiver, reports).catch(() => undefined)
      const end = {
        exitCode,
        isPass,
        signal,
        standings,
        backlog,
        proof,
        ledgerFailures: failures,
        spoolBytes,
      }
      await reporting.end(end)
    },
  }
}

/** What those who report of an execution need of the configuration. */
export interface Reported {
  readonly config: Pick<Config, 'app' | 'ledger' | 'reporting' | 'carbon' | 'metrics'>
  readonly redact: Redact
}

/** Alerts and metrics of one execution. */
export const reportingOf = (
  { config, redact }: Reported,
  {
    mode,
    isPass = true,
    ...task
  }: Pick<SessionOptions, 'mode'> & {
    readonly isPass?: boolean
    readonly counted?: TaskMetrics
    readonly stagesAreMetrics?: boolean
  },
  context: Context,
  log: OpenLog,
): Reporting => {
  const { carbon, metrics, reporting, app } = config
  const { pid, host } = identity()
  return new Reporting({
    started: startedFrom(context),
    ...task,
    task: mode,
    isPass,
    ...{ version: context.version, commit: context.commit },
    workDir: app.workDir,
    ...{ host, pid, now, log, redact },
    rules: reporting.rules,
    silences: standingSilences({ workDir: app.workDir, ledger: config.ledger, now }),
    channels: channelsOf(reporting, PATIENCE, context.env),
    watchers: watchersOf(reporting, context.env),
    logFile: app.logFile,
    staleAfterHours: reporting.staleAfterHours,
    carbon: carbon.enabled
      ? {
          host: carbon.host,
          port: carbon.port,
          prefix: carbon.metricPrefix,
          timeout: carbon.timeoutSeconds * 1000,
        }
      : undefined,
    textfile: metrics.textfile,
    channelTimeout: PATIENCE,
  })
}

/** Messages are read elsewhere than where the program was started: paths are whole. */
const startedFrom = ({ program = 'run-archiver', configFile = 'config.yaml' }: Context): Started => ({
  program: /^[\w.-]*\/[\w./-]*$/.test(program) ? resolve(program) : program,
  config: resolve(configFile),
})

/** The ledger's record of one execution, begun. */
export const ledgerOf = (
  { config, redact }: Reported,
  { mode, stages, subject = 'run_records' }: Pick<SessionOptions, 'mode' | 'stages'> & { subject?: string },
  context: Context,
  log: OpenLog,
  onClosed: Reporting['closed'],
): Ledger => {
  const settings = config.ledger
  const ledger = openLedger({
    url: settings.url.reveal(),
    password: databasePassword(settings),
    schema: settings.schema,
    workDir: config.app.workDir,
    identity: identity(),
    bootTime: bootTime(),
    startTicksOf: startTicks,
    now,
    log,
    version: context.version,
    heartbeatEvery: settings.heartbeatSeconds * 1000,
    foreignSilence: settings.foreignHostTimeoutSeconds * 1000,
    keepDays: settings.keepDays,
    redact,
    onClosed,
  })
  ledger.begin({
    task: mode,
    subject,
    steps: stages,
    argv: context.argv,
    version: context.version,
    gitCommit: context.commit,
    logFile: config.app.logFile,
    invocationId: context.env['INVOCATION_ID'],
  })
  return ledger
}
