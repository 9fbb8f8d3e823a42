import { join } from 'node:path'
import { withAnySignal } from '../engine/any-signal.ts'
import { fileOfShare } from '../common/share.ts'
import { durationText } from '../common/duration.ts'
import { createLog, levelOf, type OpenLog } from '../platform/log/logger.ts'
import type { InstanceTally } from '../engine/claim-store.ts'
import { ArchiverError, messageWithCode } from '../errors.ts'
import type { ProgressBar } from '../tracking/progress-bar.ts'
import { identity, monotonic, now } from '../platform/host.ts'
import { acquireLock, shareLock } from '../state/lock.ts'
import type { Context } from './context.ts'
import type { Archiver } from '../runs/archiver.ts'
import type { PassConditions, StageReport } from '../runs/pass.ts'
import { openListeners, type SessionEnd, type SessionOptions, showsProgress } from './listeners.ts'

export type { SessionOptions }

/** Everything a command that writes works in: the lock is held, the log is open, and listeners get what happens. */
export interface Session extends PassConditions {
  readonly log: OpenLog
  /** What this process did as an instance of a shared backlog so far. */
  counted(tally: InstanceTally): void
  /** The scrub found damaged runs. */
  damaged(found: ReadonlyMap<number, string>): void
  /** What became of the stages of a pass, for the listeners at the end. */
  report(reports: readonly StageReport[]): void
}

/** How long after the grace a run in hand may take to notice that it is to be dropped, in milliseconds. */
const NOTICE = 2000

/**
 * Does `work` as the only archiver on this work_dir. Throws LOCK_HELD when another is. At SIGTERM or SIGINT no new runs are taken; after
 * `app.shutdown_grace_seconds` those in hand are dropped; and where even that does not end them (a read that hangs), the process ends itself.
 */
export const withSession = async (
  archiver: Archiver,
  options: SessionOptions,
  context: Context,
  work: (session: Session) => Promise<number>,
): Promise<number> => {
  const { app } = archiver.config
  const bar = await openBar(options, context)
  const opened = await openLog(archiver, options, context, bar)
  const log = options.repeats?.over(opened) ?? opened
  const shares = options.shared ?? options.share !== undefined
  const lock = await (shares ? shareLock : acquireLock)({
    lockFile: app.lockFile,
    workDir: app.workDir,
    mode: options.mode,
    identity: identity(),
    waitSeconds: options.waitSeconds,
    now,
    signal: context.signal,
    files: archiver.writes,
    ...(options.share ? { alone: fileOfShare(join(app.workDir, '.archiver.flock'), options.share) } : {}),
    warn: (message) => log.warn(message),
  })
  const listeners = await openListeners(archiver, options, context, log, bar).catch(
    async (error: unknown) => {
      // The process may go on, as a daemon does: its next session would find the lock held, by itself.
      await lock.release()
      throw error
    },
  )
  const abandon = new AbortController()
  const timers: NodeJS.Timeout[] = []
  const onStop = (): void => {
    listeners.stopping(String(context.signal.reason))
    log.warn(
      `${String(context.signal.reason)}: no new runs are taken; those in hand may take ${durationText(app.shutdownGraceSeconds)}`,
    )
    const grace = app.shutdownGraceSeconds * 1000
    timers.push(setTimeout(() => abandon.abort(interrupted(context)), grace))
    timers.push(setTimeout(() => context.die(), grace + NOTICE))
  }
  if (context.signal.aborted) onStop()
  else context.signal.addEventListener('abort', onStop)
  const unlogged = archiver.warnings.to((message) => log.warn(message))
  const onLost = (): void => log.warn(messageWithCode(lock.lost.reason))
  lock.lost.addEventListener('abort', onLost)
  const reports: StageReport[] = []
  let end: SessionEnd = { exitCode: 2, reports }
  try {
    const exitCode = await withAnySignal([context.signal, lock.lost], (stop) =>
      work({
        log,
        stop,
        abandon: abandon.signal,
        listener: listeners.listener,
        assertHeld: () => lock.assertHeld(),
        warn: (message) => log.warn(message),
        corrupt: (file, kept) => listeners.corrupt(file, kept),
        counted: (tally) => listeners.counted(tally),
        damaged: (found) => listeners.damaged(found),
        report: (stages) => void reports.push(...stages),
      }),
    )
    end = { exitCode, reports }
    return exitCode
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    end = { exitCode: error instanceof ArchiverError ? error.exitCode : 2, error, reports }
    throw error
  } finally {
    for (const timer of timers) clearTimeout(timer)
    // Nothing of a session may hear anything after its end: the signal of a daemon lives on.
    context.signal.removeEventListener('abort', onStop)
    bar?.close()
    await listeners.close(end)
    lock.lost.removeEventListener('abort', onLost)
    unlogged()
    await lock.release()
    await log.close() // last: all of the above may log
  }
}

/** Loaded only where there is a terminal. */
const openBar = async (options: SessionOptions, context: Context): Promise<ProgressBar | undefined> => {
  if (!showsProgress(options, context)) return undefined
  const { progressBar } = await import('../tracking/progress-bar.ts')
  return progressBar(monotonic, {
    write: (text) => context.err(text),
    columns: () => process.stderr.columns || context.terminal.columns,
  })
}

const interrupted = ({ signal }: Context): ArchiverError =>
  new ArchiverError('INTERRUPTED', `dropped after ${String(signal.reason)}: the grace was over`)

const openLog = (
  { config, redact }: Archiver,
  options: SessionOptions,
  context: Context,
  bar: ProgressBar | undefined,
): Promise<OpenLog> => {
  const { app, logging } = config
  return createLog({
    level: options.verbose ? 'debug' : levelOf(app.logLevel),
    format: logging.format,
    file: app.logFile,
    maxBytes: logging.maxBytes,
    maxFiles: logging.maxFiles,
    maxDays: logging.maxDays,
    // Beside a progress bar only what needs a person's eye.
    ...(bar ? { consoleLevel: 'warn' as const } : {}),
    out: (line) => (bar ? bar.print(`${line}\n`) : context.err(`${line}\n`)),
    redact,
    journald: context.env['JOURNAL_STREAM'] !== undefined,
    now,
  })
}
