import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { stopCode, type Command, type Context } from '../../app/context.ts'
import { ArchiverError } from '../../errors.ts'
import { replaceFile, step } from '../../platform/atomic-file.ts'
import { now } from '../../platform/host.ts'
import { createLog, levelOf, type OpenLog } from '../../platform/log/logger.ts'
import { processItem, type ItemOutcome } from '../../records/run/process-item.ts'
import { runItems } from '../../records/run/run-items.ts'
import { RunMetrics } from '../../records/run/run-metrics.ts'
import { logStates, type LogWriter } from '../../records/sql/processing-log.ts'
import { timeText } from '../../sql/timestamps.ts'
import { openTask, type OpenTask, type TaskOptions } from './open-task.ts'
import { readRunOptions, type RunSelection, type SelectionOptions } from './run-selection.ts'

export interface RecordsRunOptions extends TaskOptions, SelectionOptions {
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
  const task = await openTask(options, context)
  try {
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
  const { instance } = selection.choice
  const suffix = instance ? `_instance_${instance.id}_of_${instance.count}` : ''
  await mkdir(join(task.workDir, 'logs'), { recursive: true })
  await mkdir(join(task.workDir, 'metrics'), { recursive: true })
  const log = await createLog({
    level: levelOf(options.logLevel ?? 'info'),
    consoleLevel: 'error',
    format: 'human',
    file: join(task.workDir, 'logs', `production_${session}${suffix}.log`),
    out: (line) => context.err(`${line}\n`),
    journald: false,
    now,
  })
  const metrics = new RunMetrics(started)
  log.info(`records ${task.name}: from ${task.sourceName} with ${task.workers} workers`)
  let failure: unknown
  try {
    await work(task, selection, { session, strict: options.strict ?? false, metrics, log, context })
  } catch (error) {
    failure = error
    log.error(`records ${task.name}: stopped`, { error })
  }
  const about = {
    task: task.name,
    session_id: session,
    database: task.target.dialect,
    workers: task.workers,
    batch_size: selection.batchSize ?? task.batchSize,
    limit: Number.isFinite(selection.limit) ? selection.limit : 0,
    range:
      selection.from === undefined && selection.to === undefined
        ? null
        : [selection.from ?? null, selection.to ?? null],
    instance_id: instance?.id ?? null,
    instance_count: instance?.count ?? null,
  }
  const document = metrics.document(now(), about, task.workers)
  await replaceFile(
    join(task.workDir, 'metrics', `metrics_${session}${suffix}.json`),
    `${JSON.stringify(document, null, 2)}\n`,
  )
  const summary = `records ${task.name}: ${metrics.succeeded} stored${metrics.present > 0 ? ` (${metrics.present} were there)` : ''}, ${metrics.failed} failed, ${metrics.rows} rows`
  log.info(summary)
  await log.close()
  context.out(
    options.json ? `${JSON.stringify(document, null, 2)}\n` : `${summary}\n${codeLines(metrics.codes)}`,
  )
  if (failure !== undefined) throw failure as Error
  if (context.signal.aborted) return stopCode(context.signal)
  return metrics.failed > 0 ? 1 : 0
}

const codeLines = (codes: Readonly<Record<string, number>>): string =>
  Object.entries(codes)
    .map(([code, count]) => `  ${code}: ${count}\n`)
    .join('')

interface Work {
  readonly session: string
  readonly strict: boolean
  readonly metrics: RunMetrics
  readonly log: OpenLog
  readonly context: Context
}

const work = async (
  task: OpenTask,
  selection: RunSelection,
  { session, strict, metrics, log, context }: Work,
): Promise<void> => {
  const { mapping, target, source, catalogue } = task
  const { choice, from, to } = selection
  const writer: LogWriter = {
    task: task.name,
    keyType: mapping.record.keyType,
    sessionId: session,
    instanceId: choice.instance?.id ?? null,
    instanceCount: choice.instance?.count ?? null,
    rangeStart: from ?? null,
    rangeEnd: to ?? null,
    mappingSha256: task.mappingSha256,
  }
  const item = {
    database: target,
    mapping,
    writer,
    catalogue,
    source,
    strict,
    now,
    random: Math.random,
    stop: context.signal,
  }
  await runItems({
    source,
    keyType: mapping.record.keyType,
    choice,
    workers: task.workers,
    batchSize: selection.batchSize ?? task.batchSize,
    limit: selection.limit,
    from,
    to,
    stop: context.signal,
    states: async (keys) => {
      try {
        return await logStates(target, task.name, keys)
      } catch (cause) {
        throw new ArchiverError('STORE_UNAVAILABLE', 'cannot read processing_log', { cause })
      }
    },
    process: (key) => processItem(key, { ...item, reached: (name) => step(`records: ${name}`) }),
    listener: (outcome) => {
      metrics.add(outcome)
      logOutcome(log, outcome)
    },
  })
}

/** One line an item; the key is all that it shows of a payload. */
const logOutcome = (
  log: OpenLog,
  { key, status, result, rowsWritten, warnings, error, milliseconds }: ItemOutcome,
): void => {
  if (error) log.warn(`item ${key}: ${error.code}: ${error.message}`, { stage: error.stage })
  else
    log.info(
      `item ${key}: ${status === 'success' ? (result ?? status) : status}, ${rowsWritten} rows, ${milliseconds} ms${warnings > 0 ? `, ${warnings} warnings` : ''}`,
    )
}
