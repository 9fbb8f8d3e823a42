import { basename } from 'node:path'
import { withAnySignal } from '../engine/any-signal.ts'
import { runOfName } from '../stores/run-records/record-names.ts'
import type { RunSet } from '../common/run-set.ts'
import { ArchiverError } from '../errors.ts'
import { identity, monotonic, monotonicMicroseconds, now } from '../platform/host.ts'
import { levelOf, type Log, plainLog } from '../platform/log/logger.ts'
import { RepeatFilter } from '../platform/log/repeat-filter.ts'
import { type Notifier, openNotifier } from '../platform/sd-notify.ts'
import { openRecordWatch } from '../stores/run-records/watcher.ts'
import { type Command, type Context, stopCode } from '../app/context.ts'
import { type LoopParts, runLoop } from '../runs/daemon/daemon.ts'
import { daemonPass } from '../app/daemon-pass.ts'
import { openArchiver } from '../app/open-archiver.ts'
import type { Archiver } from '../runs/archiver.ts'
import { IdleScrub } from '../runs/scrub/idle-scrub.ts'

export interface DaemonOptions {
  readonly config: string
  readonly verbose?: boolean
}

/**
 * Archives runs as they end, until a signal. The lock is held for each pass only, so that commands by hand work in between.
 * SIGHUP reads the configuration again between two passes; a faulty one is reported, and the old one stays in force.
 */
export const daemon: Command<DaemonOptions> = async ({ config: path, verbose = false }, given) => {
  // Lines, no progress bar: a daemon is not looked at.
  const context: Context = { ...given, terminal: { ...given.terminal, interactive: false } }
  let archiver = await openArchiver(path, context)
  const log = openLog(archiver, verbose, context)
  const notifier = openNotifier({
    env: context.env,
    pid: identity().pid,
    monotonic,
    uptime: monotonicMicroseconds,
    warn: (message) => log.warn(message),
  })
  const grace = () => archiver.config.app.shutdownGraceSeconds
  context.signal.addEventListener('abort', () => notifier.stopping(grace() + 5))
  let turn = new AbortController()
  context.onHangup(() => turn.abort())
  for (;;) {
    log.info(`watching ${archiver.config.sourceFiles.runRecordsDir}`)
    notifier.ready()
    const parts = partsOf(archiver, verbose, context, notifier, log)
    await withAnySignal([context.signal, turn.signal], (stop) => runLoop(parts, stop))
    if (context.signal.aborted) break
    turn = new AbortController()
    notifier.reloading()
    archiver = await reread(path, context, log, archiver)
  }
  await notifier.close()
  return stopCode(context.signal)
}

/** The archiver of the configuration as it is now; the old one where that is faulty. */
const reread = async (path: string, context: Context, log: Log, old: Archiver): Promise<Archiver> => {
  try {
    const archiver = await openArchiver(path, context)
    log.info(`${path} was read again`)
    return archiver
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    log.error(`the old configuration stays in force: ${error.message}`, { error })
    return old
  }
}

const partsOf = (
  archiver: Archiver,
  verbose: boolean,
  context: Context,
  notifier: Notifier,
  log: Log,
): LoopParts => {
  const { config, records } = archiver
  const { daemon: settings, sourceFiles } = config
  const { retry } = settings
  const warn = (message: string) => log.warn(message)
  const repeats = new RepeatFilter(now)
  const idleScrub = new IdleScrub()
  return {
    pass: async (retries) => {
      const options = { verbose, alive: notifier.alive, repeats, idleScrub, warn }
      const summary = await daemonPass(archiver, context, retries, options)
      repeats.active = summary.trouble !== undefined
      return summary
    },
    openWatch: ({ onDirectory, onRun }) =>
      openRecordWatch({
        directory: sourceFiles.runRecordsDir,
        mode: settings.watch,
        pollSeconds: settings.pollSeconds,
        onDirectory,
        onRecord: (name) => {
          const run = runOfName(name)
          if (run !== undefined) onRun(run)
        },
        warn,
      }),
    directoriesOf: (runs) => directoriesOf(records, runs),
    confirmIdle: () =>
      records.fingerprint().then(
        () => undefined,
        () => undefined, // it answers, though not well: the passes report that
      ),
    notifier,
    monotonic,
    random: Math.random,
    timeOfDay: () => clockOf(now()),
    warn,
    settleMs: sourceFiles.settleSeconds * 1000,
    scanMs: settings.scanSeconds * 1000,
    retry: {
      first: retry.firstSeconds * 1000,
      factor: retry.factor,
      max: retry.maxSeconds * 1000,
      attempts: retry.attempts,
    },
  }
}

/** A record that went away, or that two folders claim, has no folder to watch. */
const directoriesOf = async (records: Archiver['records'], runs: RunSet): Promise<ReadonlySet<string>> => {
  const names = new Set<string>()
  for (const run of runs) {
    const path = await records.pathOf(run).catch((error: unknown) => {
      if (error instanceof ArchiverError) return undefined
      throw error
    })
    if (path !== undefined) names.add(basename(path))
  }
  return names
}

/** `12:03`, local time. */
const clockOf = (time: number): string =>
  new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(time)

/** For what happens between passes; each pass has a log of its own, with the configuration's file. */
const openLog = ({ config }: Archiver, verbose: boolean, context: Context): Log =>
  plainLog({
    level: verbose ? 'debug' : levelOf(config.app.logLevel),
    format: config.logging.format,
    out: (line) => context.err(`${line}\n`),
    journald: context.env['JOURNAL_STREAM'] !== undefined,
    now,
  })
