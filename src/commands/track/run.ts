import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Command, Context } from '../../app/context.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { identity, monotonic, now, startTicks } from '../../platform/host.ts'
import { sessionUsage } from '../../platform/process-group.ts'
import { startCommand, type Ended, type SessionCommand } from '../../platform/session-command.ts'
import { timeText } from '../../sql/timestamps.ts'
import { DirectiveReader } from '../../tracking/client/directives.ts'
import { JournalReporter } from '../../tracking/client/journal-reporter.ts'
import type { Operation } from '../../tracking/client/operations.ts'
import { findGitCommit, initFields } from '../../tracking/client/run-facts.ts'
import { usageCells } from '../../tracking/ledger/process-usage.ts'
import { taskOf, type InitOptions } from './report.ts'
import { RunLog } from './run-log.ts'
import { trackSettings } from './tracking-settings.ts'

export interface RunOptions extends InitOptions {
  readonly command: readonly string[]
  /** False with --no-log. */
  readonly log?: boolean
}

/**
 * `track run -- command`: runs the command and reports it. Its output passes unchanged, its exit code is ours, and a signal reaches it and
 * all that it started. The command starts before anything is read or opened for the report, most of the time before this program was
 * loaded (`src/early-command.ts`), so that tracking costs it nothing.
 */
export const trackRun: Command<RunOptions> = async (options, context) => {
  if (options.command.length === 0)
    throw new ArchiverError('USAGE', 'track run: which command?', {
      hint: 'track run --task-name N -- COMMAND',
    })
  context.out('') // From here on standard output belongs to the command: an error of ours must not add a document to it.
  const { runId, command } = context.early ?? startNow(options.command, context)
  const stop = (): void => command.kill(context.signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM')
  // A signal that came before was passed on already.
  if (context.early) context.early.take()
  else if (context.signal.aborted) stop()
  context.signal.addEventListener('abort', stop, { once: true })
  const tracked = await beginReport(options, context, runId, command.process.pid ?? 0).catch(
    (error: unknown) => {
      context.err(`Warning: Failed to initialize status tracking: ${messageOf(error)}\n`)
      return undefined
    },
  )
  const reader = new DirectiveReader((operation) =>
    tracked?.reporter.report(operation, operation.op !== 'progress'),
  )
  command.listen((piece, isOutput) => {
    if (!tracked) return
    tracked.log?.write(piece)
    if (isOutput) reader.take(piece)
  })
  const beats = tracked && beat(tracked, command.process.pid ?? 0, () => command.kill('SIGTERM'))
  const ended = await command.ended
  context.signal.removeEventListener('abort', stop)
  beats?.stop()
  if (tracked) {
    tracked.reporter.report(endOperation(ended, context, beats?.cancelled() ?? false))
    await Promise.all([tracked.log?.end(), tracked.reporter.close(2000)])
  }
  if (ended.error) context.err(`run-archiver: ${options.command[0] ?? ''}: ${ended.error.message}\n`)
  return ended.exitCode
}

const startNow = (
  words: readonly string[],
  { env }: Context,
): { readonly runId: string; readonly command: SessionCommand } => {
  const runId = randomUUID()
  const own = { ...env, RUN_ARCHIVER_RUN_ID: runId }
  return { runId, command: startCommand(words, { env: own, out: process.stdout, err: process.stderr }) }
}

interface Tracked {
  readonly runId: string
  readonly reporter: JournalReporter
  readonly log: RunLog | undefined
  readonly every: number
}

const beginReport = async (
  options: RunOptions,
  context: Context,
  runId: string,
  pid: number,
): Promise<Tracked> => {
  const settings = await trackSettings(options, context)
  const { place, log } = settings
  const task = taskOf(options)
  const stamp = timeText(now()).slice(0, 19).replace(/\D/g, '')
  const name = `${options.taskName.replace(/[^\w.-]/g, '_').slice(0, 100)}_${stamp}_${pid}.log`
  const logPath = options.logPath ?? join(place.folder, 'tracking', 'logs', name)
  const kept =
    options.log === false ? undefined : RunLog.open(logPath, (error) => log.warn(`No log: ${error.message}`))
  const facts = initFields(
    {
      ...task,
      gitCommit: await findGitCommit('.'),
      logPath: kept ? logPath : undefined,
      type: options.type ?? 'sh',
      argv: options.command.join(' '),
    },
    { ...identity(), pid, startTicks: startTicks(pid) },
    { ...settings, env: context.env },
  )
  const reporter = new JournalReporter(settings, runId)
  reporter.report({ op: 'init', ...facts, heartbeat_seconds: settings.heartbeatEvery / 1000 })
  return { runId, reporter, log: kept, every: settings.heartbeatEvery }
}

/** A sign of life, a measurement and a look whether somebody asked to cancel, every `every` milliseconds. */
const beat = (
  { runId, reporter, every }: Tracked,
  session: number,
  cancel: () => void,
): { stop(): void; cancelled(): boolean } => {
  let before = sessionUsage(session)
  let [at, peak, cancelled] = [monotonic(), before.memoryMb, false]
  const timer = setInterval(() => {
    const usage = sessionUsage(session)
    const passed = Math.max(1, monotonic() - at)
    const cpu = Math.round((Math.max(0, usage.cpuMs - before.cpuMs) / passed) * 10_000) / 100
    peak = Math.max(peak, usage.memoryMb)
    before = usage
    at = monotonic()
    const measure = usageCells({ ...usage, peakMemoryMb: peak }, cpu)
    reporter.report({ op: 'heartbeat', ...measure }, false)
    reporter.measured({
      table: 'process_metrics',
      cells: { run_id: runId, at: timeText(now()), ...measure },
      transient: true,
    })
    // At once: `flush_ms` may be longer than the silence after which the execution counts as LOST.
    void reporter.flush()
    void reporter.store?.cancelAsked(runId).then((yes) => {
      if (!yes || cancelled) return
      cancelled = true
      cancel()
    })
  }, every)
  return { stop: () => clearInterval(timer), cancelled: () => cancelled }
}

const endOperation = (
  { exitCode, signal, error }: Ended,
  context: Context,
  cancelled: boolean,
): Operation => {
  if (cancelled) return { op: 'cancel', exit_code: exitCode }
  if (context.signal.aborted)
    return { op: 'cancel', signal: String(context.signal.reason), exit_code: exitCode }
  if (error) return { op: 'error', message: error.message, exit_code: exitCode }
  if (signal) return { op: 'cancel', signal, exit_code: exitCode }
  if (exitCode === 0) return { op: 'finish', message: 'Command completed', exit_code: 0 }
  return { op: 'error', message: `Command ended with exit code ${exitCode}`, exit_code: exitCode }
}
