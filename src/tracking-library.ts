import type { Log } from './common/log.ts'
import { Secret } from './common/secret.ts'
import { readConfig } from './config/load-config.ts'
import { identity, now } from './platform/host.ts'
import type { Execution } from './tracking/client/execution.ts'
import type { LineageSettings } from './tracking/client/lineage.ts'
import {
  configuredTracking,
  trackingPlace,
  type TrackingPlace,
  type TrackingSettings,
} from './tracking/client/place.ts'
import type { TaskOptions } from './tracking/client/run-facts.ts'
import { Tracker } from './tracking/client/tracker.ts'

export type { Execution, StatusOptions } from './tracking/client/execution.ts'
export type { TaskOptions } from './tracking/client/run-facts.ts'

export interface TrackingOptions {
  /** A configuration file of the archiver, for its `ledger` and `tracking` sections. */
  readonly config?: string | undefined
  /** Where to report to, as `ledger.url`, or the `https://` of a `run-archiver serve`; wins over everything else. */
  readonly url?: string | undefined
  /** The token of the service, where `url` is one. */
  readonly token?: string | undefined
  readonly password?: string | undefined
  /** The schema of the tables on PostgreSQL. */
  readonly schema?: string | undefined
  /** Holds the spool: rows that wait while the database is away. */
  readonly folder?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Milliseconds. */
  readonly flushEvery?: number | undefined
  readonly heartbeatEvery?: number | undefined
  readonly timeout?: number | undefined
  readonly retryEvery?: number | undefined
  /** Receives warnings; without it they go to standard error. It never receives a secret. */
  readonly warn?: ((message: string) => void) | undefined
  /** Whether signals, an uncaught error and the end of the process end the open executions. Default: true. */
  readonly watchProcess?: boolean | undefined
}

/** Reports the executions of this process. Nothing that it does throws, waits or changes the exit code. */
export interface Tracking {
  init(task: TaskOptions): Execution
  /** Resolves when everything so far is written, or waits in the spool. */
  flush(): Promise<void>
  /** Waits at most `ms` milliseconds (2000) for the last rows; what is left waits in the spool. */
  close(ms?: number): Promise<void>
}

/**
 * Opens tracking: by the options, else `MONITOR_DB_*`, else the configuration file, else the database `geodb` on this host. It connects at
 * the first report, not here. Throws CONFIG_INVALID for a configuration or URL that cannot be used, and nothing later.
 */
export const openTracking = (options: TrackingOptions = {}): Tracking => {
  const env = options.env ?? process.env
  const { settings, ...tuning } = settingsOf(options.config ?? env['RUN_ARCHIVER_CONFIG'], env)
  const found = trackingPlace(env, settings)
  const place = {
    url: options.url ?? found.url,
    schema: options.schema ?? found.schema,
    ...secretsFor(options, found),
    folder: options.folder ?? found.folder,
  }
  const { flushEvery, heartbeatEvery, timeout, retryEvery } = options
  const tracker = new Tracker({
    ...tuning,
    place,
    env,
    runner: identity(),
    version: __VERSION__,
    now,
    log: logTo(options.warn ?? ((message) => void process.stderr.write(`Warning: ${message}\n`))),
    ...(flushEvery === undefined ? {} : { flushEvery }),
    ...(heartbeatEvery === undefined ? {} : { heartbeatEvery }),
    timeout,
    retryEvery,
  })
  if (options.watchProcess !== false) watch(tracker)
  return tracker
}

/** Of the configuration's secrets none goes to a place that the options name. */
const secretsFor = ({ url, password, token }: TrackingOptions, found: TrackingPlace) => ({
  password: password !== undefined ? new Secret(password) : url === undefined ? found.password : undefined,
  token: token !== undefined ? new Secret(token) : url === undefined ? found.token : undefined,
})

let opened: Tracking | undefined

const standard = (): Tracking => (opened ??= openTracking())

/** Tracking as the environment describes it (`MONITOR_DB_*`, `RUN_ARCHIVER_CONFIG`), opened by the first call. */
export const tracker: Tracking = {
  init: (task) => standard().init(task),
  flush: () => standard().flush(),
  close: (ms) => standard().close(ms),
}

interface Settings {
  readonly settings: TrackingSettings | undefined
  readonly heartbeatEvery?: number
  readonly flushEvery?: number
  readonly stagePatterns?: ReadonlyMap<string, string>
  readonly envAllow?: readonly string[]
  readonly lineage?: LineageSettings | undefined
}

const settingsOf = (
  config: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Settings => {
  if (config === undefined) return { settings: undefined }
  const read = readConfig(config, env).config
  const { settings, tuning } = configuredTracking(read)
  return { ...tuning, settings, heartbeatEvery: read.ledger.heartbeatSeconds * 1000 }
}

const logTo = (warn: (message: string) => void): Log => ({
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => warn(message),
  error: (message) => warn(message),
})

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** Ends open executions with the process: by its signal, its uncaught error or its exit code, and never changes any of them. */
const watch = (reporter: Tracker): void => {
  for (const signal of SIGNALS) {
    const onSignal = (): void => {
      process.off(signal, onSignal)
      for (const execution of reporter.open) execution.cancel(signal)
      // Where nobody else handles the signal it ends the process, as it would have without us.
      void reporter.close(2000).finally(() => {
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
      })
    }
    process.on(signal, onSignal)
  }
  process.on('uncaughtExceptionMonitor', (error) => {
    for (const execution of reporter.open) execution.error(error)
    reporter.saveNow()
  })
  process.once('beforeExit', (code) => {
    endAll(reporter, code)
    void reporter.close(2000)
  })
  process.on('exit', (code) => {
    endAll(reporter, code)
    reporter.saveNow()
  })
}

const endAll = (reporter: Tracker, code: number): void => {
  for (const execution of reporter.open)
    if (code === 0) execution.finish('Script completed')
    else execution.report({ op: 'error', message: `Process ended with exit code ${code}`, exit_code: code })
}
