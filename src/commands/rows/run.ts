import { randomUUID } from 'node:crypto'
import { type Command, type Context, startedAs, stopCode } from '../../app/context.ts'
import { openTaskListeners, type TaskListeners } from '../../app/task-listeners.ts'
import { printable } from '../../common/redact.ts'
import { completeCommands } from '../../common/own-command.ts'
import { duration } from '../../config/quantities.ts'
import { ArchiverError, messageWithCode } from '../../errors.ts'
import { errorOf } from '../../engine/attempt.ts'
import { identity, monotonic, now, startTicks } from '../../platform/host.ts'
import { plainLog } from '../../platform/log/logger.ts'
import type { BatchMode } from '../../rows/batch.ts'
import { conflictLog } from '../../rows/conflict-log.ts'
import type { RowsEvent, RowsListener } from '../../rows/events.ts'
import { moveRows } from '../../rows/move-rows.ts'
import { rowMetrics } from '../../rows/row-metrics.ts'
import type { RowsOptions, RowsOutcome } from '../../rows/options.ts'
import { FORCEABLE } from '../../rows/preflight/problem.ts'
import { ProgressLine } from '../../rows/progress-line.ts'
import { screen, textLines, troubleLines } from '../../rows/screen.ts'
import { TaskEvents } from '../../rows/task-events.ts'
import { TextLog } from '../../rows/text-log.ts'
import { dialectOf } from '../../sql/open-session.ts'
import { gateOf } from './gate-of.ts'
import { outcomeJson, outcomeLines } from './outcome-text.ts'
import { archiveFilesOf, idsOf, maskOf, placesOf, type RowsConfig, rowsConfig } from './rows-config.ts'

export interface RowsRunOptions {
  readonly config: string
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly delete?: boolean
  readonly verifyOnly?: boolean
  readonly batchSize?: string
  readonly limitBatches?: string
  readonly runTime?: string
  readonly sleep?: string
  readonly file?: readonly string[]
  readonly onBatchError?: string
  readonly maxLag?: string
  readonly maxHll?: string
}

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
  if ((mode === 'move' || mode === 'copy') && options.json !== true) out(`Process started with PID: ${pid}`)
  // The document has counts, and not why a file failed.
  const listeners: RowsListener[] = [options.json === true ? troubleLines(out) : screen(out)]
  if (mode === 'move' || mode === 'copy') {
    const { workDir } = config.app
    listeners.push(textLines(new TextLog(workDir, pid, now)), conflictLog(workDir, now))
  }
  const work = optionsOf(config, options, mode, context, (event) => {
    for (const listener of listeners) listener(event)
  })
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

/** Milliseconds. A program that writes ids hands over what it has many times a second; one that stands still for so long has most likely ended. */
const QUIET = 5000

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

const modeOf = (options: RowsRunOptions): BatchMode => {
  const { dryRun, verifyOnly } = options
  const keepsLive = options.delete === false
  const chosen = [dryRun && '--dry-run', verifyOnly && '--verify-only', keepsLive && '--no-delete'].filter(
    Boolean,
  )
  if (chosen.length > 1) throw new ArchiverError('USAGE', `${chosen.join(' and ')} exclude each other`)
  if (dryRun) return 'try'
  if (verifyOnly) return 'verify'
  return keepsLive ? 'copy' : 'move'
}

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

const optionsOf = (
  config: RowsConfig,
  options: RowsRunOptions,
  mode: BatchMode,
  context: Context,
  listener: (event: RowsEvent) => void,
): RowsOptions => {
  const { rows } = config
  const places = placesOf(config)
  const self = identity()
  const redact = maskOf(config)
  const seconds = (name: string, text: string | undefined): number | undefined =>
    text === undefined ? undefined : secondsOf(name, text)
  const runTime = seconds('--run-time', options.runTime) ?? rows.runTimeSeconds
  const maxLag = seconds('--max-lag', options.maxLag)
  return {
    places,
    table: rows.table,
    archiveTable: rows.archive.table || rows.archiveTable,
    archiveFiles: archiveFilesOf(config),
    children: rows.children,
    ...idsOf(config, options.file),
    list: { columns: rows.columns, header: rows.header, badLines: rows.badLines },
    quietMs: QUIET,
    batchSize: options.batchSize === undefined ? rows.batchSize : sizeOf(options.batchSize),
    mode,
    onBatchError: options.onBatchError === undefined ? rows.onBatchError : wordOf(options.onBatchError),
    runTimeMs: runTime === undefined ? undefined : runTime * 1000,
    limitBatches:
      options.limitBatches === undefined ? undefined : countOf('--limit-batches', options.limitBatches),
    sleepMs: (seconds('--sleep', options.sleep) ?? rows.sleepSeconds) * 1000,
    graceMs: rows.graceSeconds * 1000,
    forced: new Set(FORCEABLE.filter((name) => context.argv.includes(`--force-${name}`))),
    gate: gateOf(config, places.source, {
      maxLagMs: maxLag === undefined ? undefined : maxLag * 1000,
      maxHll: options.maxHll === undefined ? undefined : countOf('--max-hll', options.maxHll),
    }),
    listener,
    warn: (message) => context.err(`warning: ${redact(message)}\n`),
    redact,
    signal: context.signal,
    monotonic,
    now,
    self,
    here: { host: self.host, bootId: self.bootId, startTicksOf: startTicks },
    runId: randomUUID(),
  }
}

const secondsOf = (name: string, text: string): number => {
  try {
    return duration().read(text, { directory: '/' })
  } catch (cause) {
    throw new ArchiverError('USAGE', `${name}: "${text}" is not a time such as 90s or 2h`, { cause })
  }
}

const countOf = (name: string, text: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new ArchiverError('USAGE', `${name}: "${text}" is not a number from 1`)
}

const sizeOf = (text: string): number | 'auto' => {
  if (text === 'auto') return 'auto'
  const size = countOf('--batch-size', text)
  if (size > 10_000) throw new ArchiverError('USAGE', `--batch-size: ${size} is more than 10000`)
  return size
}

const wordOf = (text: string): 'stop' | 'continue' => {
  if (text === 'stop' || text === 'continue') return text
  throw new ArchiverError('USAGE', `--on-batch-error: "${text}" is neither stop nor continue`)
}
