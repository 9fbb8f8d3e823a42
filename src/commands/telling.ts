import { bootTime, identity, monotonic, now, startTicks } from '../host.ts'
import type { OpenLog } from '../log.ts'
import type { Listener } from '../stages/stage.ts'
import { type Ledger, openLedger } from '../status/ledger.ts'
import { narrator } from '../status/narrator.ts'
import type { Context } from './context.ts'
import type { Archiver } from './open.ts'

export interface SessionOptions {
  /** As it stands in the lock's owner file and in the ledger: `incremental`, `import-only`. */
  readonly mode: string
  readonly waitSeconds: number
  /** Steps that follow one another, for the share of the whole; undefined where that is not known. */
  readonly stages?: number | undefined
  readonly verbose: boolean
  readonly json: boolean
}

/** How a session ended. */
export interface SessionEnd {
  readonly exitCode: number
  readonly error?: Error | undefined
}

/** Whoever is told of a session: log lines, progress bar, ledger. None of them can stop it or slow it down. */
export interface Listeners {
  readonly listener: Listener
  /** A signal has asked for the end; what must be known even if the process does not live to its end is written now. */
  stopping(signal: string): void
  close(end: SessionEnd): Promise<void>
}

/** Opens everything that is told of a session. */
export const openListeners = async (
  archiver: Archiver,
  options: SessionOptions,
  context: Context,
  log: OpenLog,
): Promise<Listeners> => {
  const ledger = ledgerOf(archiver, options, context, log)
  const listeners: Listener[] = [narrator(log), ledger.listener]
  if (context.terminal.interactive && !options.json && !options.verbose) {
    const { progressBar } = await import('../status/progress-bar.ts')
    listeners.push(progressBar(monotonic))
  }
  return {
    listener: (event) => {
      for (const listener of listeners) listener(event)
    },
    stopping: (signal) => ledger.killed(signal),
    close: ({ exitCode, error }) =>
      ledger.end({
        exitCode,
        error,
        signal: context.signal.aborted ? String(context.signal.reason) : undefined,
      }),
  }
}

const ledgerOf = (
  { config }: Archiver,
  { mode, stages }: SessionOptions,
  context: Context,
  log: OpenLog,
): Ledger => {
  const settings = config.ledger
  const ledger = openLedger({
    url: settings.url.reveal(),
    password: settings.password,
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
  })
  ledger.begin({
    task: mode,
    subject: 'run_records',
    steps: stages,
    argv: context.argv,
    version: context.version,
    logFile: config.app.logFile,
    invocationId: context.env['INVOCATION_ID'],
  })
  return ledger
}
