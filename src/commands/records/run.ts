import { counted } from '../../common/counted.ts'
import { join } from 'node:path'
import { makeFolder } from '../../platform/make-folder.ts'
import { stopCode, type Command, type Context } from '../../app/context.ts'
import { openTaskListeners, type TaskListeners } from '../../app/task-listeners.ts'
import { loadConfig } from '../../config/load-config.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { replaceFile } from '../../platform/atomic-file.ts'
import { identity, monotonic, now } from '../../platform/host.ts'
import { createLog, levelOf, type OpenLog } from '../../platform/log/logger.ts'
import type { ItemOutcome } from '../../records/run/process-item.ts'
import { RunMetrics } from '../../records/run/run-metrics.ts'
import { TaskEvents } from '../../records/run/task-events.ts'
import { timeText } from '../../sql/timestamps.ts'
import { openTask, type OpenTask, type TaskOptions } from './open-task.ts'
import { readRunOptions, requireRange, type RunSelection, type SelectionOptions } from './run-selection.ts'
import { readSeedFlags, type SeedFlags } from './seed-flags.ts'
import { workOnTask } from './work-on-task.ts'
import { unwritable } from '../../state/state-file.ts'

export interface RecordsRunOptions extends Omit<TaskOptions, 'task'>, SelectionOptions, SeedFlags {
  readonly task?: string | undefined
  /** The task, where none is given: the original's name for what chooses the contract. */
  readonly productLine?: string
  readonly json?: boolean
  readonly strict?: boolean
  readonly logLevel?: string
}

/**
 * `records run TASK`: every payload that is due becomes rows, each in a transaction of its own. Exit 0 when none failed, 1 when some did
 * or a database was away; a signal lets the items in hand finish.
 */
export const runCommand: Command<RecordsRunOptions> = async (options, context) => {
  const selection = readRunOptions(options)
  const name = options.task ?? options.productLine
  if (name === undefined) throw new ArchiverError('USAGE', 'a task is missing: records run TASK')
  requireLevel(options.logLevel)
  for (const sentence of readSeedFlags(options)) context.err(`${sentence}\n`)
  const task = await openTask({ ...options, task: name }, context)
  try {
    requireRange(selection, task.mapping.record.keyType)
    return await runTask(task, selection, options, context)
  } finally {
    await task.close()
  }
}

const runTask = async (
  task: OpenTask,
  selection: RunSelection,
  options: RecordsRunOptions,
  context: Context,
): Promise<number> => {
  const started = now()
  const session = timeText(started).replace(/[-:]/g, '').replace(' ', '_').slice(0, 15)
  const name = `${session}${instanceSuffix(task, selection)}`
  const log = await openLog(task, name, options, context)
  const metrics = new RunMetrics(started)
  const stage = `records:${task.name}`
  const listeners = await openTaskListeners(
    await loadConfig(options.config, context.env, ['app', 'ledger', 'reporting', 'carbon', 'metrics']),
    { name: stage, subject: task.sourceName },
    context,
    log,
  )
  const events = new TaskEvents(stage, listeners.listener, monotonic)
  log.info(`records ${task.name}: from ${task.sourceName} with ${task.workers} workers`)
  let failure: Error | undefined
  try {
    await workOnTask(task, selection, {
      session,
      strict: options.strict ?? false,
      listener: (outcome) => {
        metrics.add(outcome)
        events.ended(outcome)
        count(listeners.metrics, task.name, outcome)
        logOutcome(log, outcome)
      },
      warn: (message) => log.warn(message),
      counted: (tally) => listeners.counted(tally),
      context,
    })
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    log.error(`records ${task.name}: stopped`, { error })
  }
  const isStopped = context.signal.aborted
  events.finished(failure, isStopped)
  const document = `${JSON.stringify(metrics.document(now(), described(task, selection, session), task.workers), null, 2)}\n`
  await keepMetrics(join(task.workDir, 'metrics'), `metrics_${name}.json`, document, context)
  const summary = `records ${task.name}: ${metrics.succeeded} stored${metrics.present > 0 ? ` (${metrics.present} were there)` : ''}, ${metrics.failed} failed, ${counted(metrics.rows, 'row')}`
  log.info(summary)
  const code = isStopped ? stopCode(context.signal) : metrics.failed > 0 || failure ? 1 : 0
  await listeners.close({ exitCode: code, error: failure })
  await log.close()
  context.out(options.json ? document : `${summary}\n${codeLines(metrics.codes)}`)
  if (failure) throw failure
  return code
}

/** In the names of files: instances that share a backlog have no numbers, and may start in one second. */
const instanceSuffix = ({ queue }: OpenTask, { choice: { instance } }: RunSelection): string => {
  if (instance) return `_instance_${instance.id}_of_${instance.count}`
  return queue.url.reveal() === 'off' ? '' : `_pid_${identity().pid}`
}

/** The words of the original's flag, in any letter case. */
const LEVELS = /^(?:debug|info|warn(?:ing)?|error|critical)$/i

const requireLevel = (word: string | undefined): void => {
  if (word === undefined || LEVELS.test(word)) return
  throw new ArchiverError('USAGE', `--log-level: "${word}" is not one of DEBUG, INFO, WARNING, ERROR`)
}

/** What cannot be written is warned of: it never changes what the run came to. */
const keepMetrics = async (
  folder: string,
  file: string,
  document: string,
  context: Context,
): Promise<void> => {
  try {
    await makeFolder(folder)
    await replaceFile(join(folder, file), document)
  } catch (error) {
    context.err(`warning: the metrics could not be written: ${messageOf(error)}\n`)
  }
}

/** Makes the folder of logs, too. Throws STATE_UNWRITABLE. */
const openLog = async (
  { workDir }: OpenTask,
  name: string,
  { logLevel = 'info' }: RecordsRunOptions,
  context: Context,
): Promise<OpenLog> => {
  const folder = join(workDir, 'logs')
  await makeFolder(folder).catch((error: unknown) => {
    throw unwritable(folder, error)
  })
  return createLog({
    level: levelOf(logLevel),
    consoleLevel: 'error',
    format: 'human',
    file: join(folder, `production_${name}.log`),
    out: (line) => context.err(`${line}\n`),
    journald: false,
    now,
  })
}

/** What the file of metrics says of the run, by the original's keys. */
const described = (
  task: OpenTask,
  { choice, batchSize, limit, from, to }: RunSelection,
  session: string,
) => ({
  task: task.name,
  session_id: session,
  ...task.targetName,
  engine: task.target.dialect,
  workers: task.workers,
  batch_size: batchSize ?? task.batchSize,
  limit: Number.isFinite(limit) ? limit : 0,
  range: from === undefined && to === undefined ? null : [from ?? null, to ?? null],
  instance_id: choice.instance?.id ?? null,
  instance_count: choice.instance?.count ?? null,
})

/** For Prometheus: payloads by what became of them, and the rows that they became. */
const count = (metrics: TaskListeners['metrics'], task: string, outcome: ItemOutcome): void => {
  const { status, result, rowsWritten } = outcome
  const word = status === 'success' ? (result ?? 'stored') : status.replaceAll(' ', '_')
  metrics.add('records_total', { task, outcome: word }, 1)
  metrics.add('record_rows_total', { task }, rowsWritten)
}

const codeLines = (codes: Readonly<Record<string, number>>): string =>
  Object.entries(codes)
    .map(([code, count]) => `  ${code}: ${count}\n`)
    .join('')

/** One line an item; the key is all that it shows of a payload. */
const logOutcome = (
  log: OpenLog,
  { key, status, result, rowsWritten, warnings, error, milliseconds }: ItemOutcome,
): void => {
  if (error) log.warn(`item ${key}: ${error.code}: ${error.message}`, { stage: error.stage })
  else
    log.info(
      `item ${key}: ${status === 'success' ? (result ?? status) : status}, ${counted(rowsWritten, 'row')}, ${milliseconds} ms${warnings > 0 ? `, ${counted(warnings, 'warning')}` : ''}`,
    )
}
