import { type Command, type Context, startedAs, stopCode } from '../../app/context.ts'
import { openTaskListeners, type TaskListeners } from '../../app/task-listeners.ts'
import { printable } from '../../common/redact.ts'
import { completeCommands } from '../../common/own-command.ts'
import { ArchiverError, messageWithCode } from '../../errors.ts'
import { errorOf } from '../../engine/attempt.ts'
import { identity, monotonic, now } from '../../platform/host.ts'
import { plainLog } from '../../platform/log/logger.ts'
import type { BatchMode } from '../../rows/batch.ts'
import { conflictLog } from '../../rows/conflict-log.ts'
import type { RowsListener } from '../../rows/events.ts'
import { moveRows } from '../../rows/move-rows.ts'
import { rowMetrics } from '../../rows/row-metrics.ts'
import type { RowsOptions, RowsOutcome } from '../../rows/options.ts'
import { ProgressLine } from '../../rows/progress-line.ts'
import { screen, textLines, troubleLines } from '../../rows/screen.ts'
import { TaskEvents } from '../../rows/task-events.ts'
import { TextLog } from '../../rows/text-log.ts'
import { dialectOf } from '../../sql/open-session.ts'
import { outcomeJson, outcomeLines } from './outcome-text.ts'
import { archiveFilesOf, type RowsConfig, rowsConfig } from './rows-config.ts'
import { modeOf, optionsOf, type RowsRunOptions } from './run-settings.ts'

/** `rows run`: moves the rows. Returns 0 when all is moved, 1 when conflicts or failed batches are left, 130 or 143 after a signal. */
export const rowsRun: Command<RowsRunOptions> = async (options, context) => {
  const config = rowsConfig(options.config, context)
  const mode = modeOf(options)
  if (mode === 'verify' && archiveFilesOf(config))
    return (await import('./files.ts')).rowsVerifyFiles(options, context)
  const { pid } = identity()
  let progress: ProgressLine | undefined
  const out = (line: string): void => {
    const text = `${printable(line)}\n`
    const print = (): void => (options.json === true ? context.err(text) : context.out(text))
    if (progress) progress.print(print)
    else print()
  }
  // The document has counts, and not why a file failed.
  const listeners: RowsListener[] = [options.json === true ? troubleLines(out) : screen(out)]
  if (mode === 'move' || mode === 'copy') {
    const { workDir } = config.app
    listeners.push(textLines(new TextLog(workDir, pid, now)), conflictLog(workDir, now))
  }
  const work = optionsOf(config, options, mode, context, (event) => {
    for (const listener of listeners) listener(event)
  })
  if ((mode === 'move' || mode === 'copy') && options.json !== true) out(`Process started with PID: ${pid}`)
  if (context.terminal.interactive) {
    const { columns } = context.terminal
    const write = (text: string): void => context.err(text)
    progress = new ProgressLine({ write, columns, monotonic, gate: work.gate })
    listeners.push(progress.listener)
  }
  const reported =
    mode === 'move' || mode === 'copy' ? await reportedAs(config, mode, work, context) : undefined
  if (reported)
    listeners.push(reporter(reported, mode), rowMetrics(config.rows.table, work.gate, reported.metrics))
  try {
    const outcome = await moveRows(work)
    await reported?.close({
      exitCode: context.signal.aborted ? stopCode(context.signal) : exitOf(outcome),
      error: outcome.error,
      isPartial: outcome.error === undefined && outcome.status === 'PARTIAL',
    })
    if (options.json) context.out(outcomeJson(outcome, mode))
    else
      for (const line of outcomeLines(outcome, mode, {
        name: work.table,
        archive: work.archiveFiles ? undefined : work.archiveTable,
        dialect: dialectOf(work.places.source.url),
      }))
        context.out(`${completeCommands(line, startedAs(context, options.config))}\n`)
    return codeOf(outcome, context)
  } catch (error) {
    const code = error instanceof ArchiverError ? error.exitCode : 2
    await reported?.close({ exitCode: code, error: errorOf(error) })
    throw error
  } finally {
    await work.gate.close()
  }
}

/** Ledger, alerts and metrics of this execution. */
const reportedAs = (
  config: RowsConfig,
  mode: BatchMode,
  { files, redact }: RowsOptions,
  context: Context,
): Promise<TaskListeners> =>
  openTaskListeners(
    config,
    {
      name: mode === 'copy' ? 'rows-copy' : 'rows',
      subject: config.rows.table,
      steps: Math.max(1, files.length),
      stepsAreFiles: true,
      metricsFile: 'rows',
    },
    context,
    plainLog({
      level: 'warn',
      format: 'human',
      out: (line) => context.err(`${redact(line)}\n`),
      journald: false,
      now,
    }),
  )

const reporter = (task: TaskListeners, mode: BatchMode): RowsListener => {
  const events = new TaskEvents(mode)
  return (event) => {
    for (const one of events.of(event)) task.listener(one)
    if (event.type === 'throttled')
      task.event('throttled', { reason: event.reason, milliseconds: event.milliseconds })
  }
}

/** `rows verify`: the same as `rows run --verify-only`. */
export const rowsVerify: Command<RowsRunOptions> = (options, context) =>
  rowsRun({ ...options, verifyOnly: true }, context)

const codeOf = (outcome: RowsOutcome, context: Context): number => {
  const { error } = outcome
  if (error)
    context.err(
      `run-archiver: ${messageWithCode(error)}\n${error instanceof ArchiverError && error.hint ? `  ${error.hint}\n` : ''}`,
    )
  if (context.signal.aborted) return stopCode(context.signal)
  return exitOf(outcome)
}

const exitOf = ({ status }: RowsOutcome): number => (status === 'COMPLETED' ? 0 : 1)
