import { randomUUID } from 'node:crypto'
import type { Command, Context } from '../../app/context.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { identity, startTicks } from '../../platform/host.ts'
import { isService, sendToService } from '../../tracking/client/http-store.ts'
import { JournalReporter } from '../../tracking/client/journal-reporter.ts'
import { readOperation, type Operation } from '../../tracking/client/operations.ts'
import { gitCommit, initFields, type TaskOptions } from '../../tracking/client/run-facts.ts'
import { isUuid, trackedRows } from '../../tracking/client/tracked-rows.ts'
import { trackSettings, type TrackOptions, type TrackSettings } from './tracking-settings.ts'

/** Options of `track init` and `track run` that describe the task. */
export interface InitOptions extends TrackOptions {
  readonly taskName: string
  readonly totalSubtasks?: string
  readonly stage?: string
  readonly type?: string
  readonly scriptPath?: string
  readonly scriptFile?: string
  readonly logPath?: string
  readonly logFile?: string
  readonly parent?: string
  readonly runId?: string
  readonly pid?: string
}

/** `track init`: an execution begins. Prints its run id, and nothing else, to standard output. */
export const trackInit: Command<InitOptions> = async (options, context) => {
  const runId = runIdOf(options.runId) ?? randomUUID()
  // The pipeline is the shell that calls, not this command, which ends at once.
  const pid = numberOption('--pid', options.pid) ?? process.ppid
  const runner = { ...identity(), pid, startTicks: startTicks(pid) }
  const task = { ...taskOf(options), gitCommit: gitCommit('.'), type: options.type ?? 'sh' }
  await once(options, context, runId, (settings) =>
    checked({ op: 'init', ...initFields(task, runner, { ...settings, env: context.env }) }, context),
  )
  context.out(options.json ? `${JSON.stringify({ runId })}\n` : `${runId}\n`)
  return 0
}

export const taskOf = (options: InitOptions): TaskOptions => ({
  taskName: options.taskName,
  totalSubtasks: numberOption('--total-subtasks', options.totalSubtasks),
  stage: options.stage,
  type: options.type,
  scriptPath: options.scriptPath,
  scriptFile: options.scriptFile,
  logPath: options.logPath,
  logFile: options.logFile,
  parentRunId: options.parent,
})

/** A whole number of the command line. Throws USAGE: a script with a wrong number is wrong at its first run. */
export const numberOption = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new ArchiverError('USAGE', `${name}: "${text}" is not a whole number`)
}

/** A command that reports one operation of an execution that `track init` or `track run` began. Its exit code is 0 whatever happens. */
export const reporting =
  <Options extends TrackOptions & { readonly runId?: string }>(
    operationOf: (options: Options) => Readonly<Record<string, unknown>>,
  ): Command<Options> =>
  async (options, context) => {
    const operation = checked(operationOf(options), context)
    const runId = runIdOf(options.runId ?? context.env['RUN_ARCHIVER_RUN_ID'])
    if (runId === undefined)
      throw new ArchiverError('USAGE', 'which execution? --run-id is missing', {
        hint: 'export RUN_ARCHIVER_RUN_ID=$(run-archiver track init --task-name NAME)',
      })
    await once(options, context, runId, () => operation)
    return 0
  }

const runIdOf = (text: string | undefined): string | undefined => {
  if (text === undefined || isUuid(text)) return text?.toLowerCase()
  throw new ArchiverError('USAGE', `--run-id: "${text}" is not a run id`, { hint: 'track init prints one' })
}

/** Throws USAGE for a field of the command line that cannot be used. */
const checked = (value: Readonly<Record<string, unknown>>, context: Context): Operation => {
  const { operation, problems, old } = readOperation(value)
  if (!operation || problems.length > 0) throw new ArchiverError('USAGE', problems.join('; '))
  if (old.length > 0) context.err(`Warning: old names: ${old.join(', ')}\n`)
  return operation
}

/** Reports once, and never fails for the database or the disk. */
const once = async (
  options: TrackOptions,
  context: Context,
  runId: string,
  operationOf: (settings: TrackSettings) => Operation,
): Promise<void> => {
  const settings = await trackSettings(options, context)
  const operation = operationOf(settings)
  try {
    const reporter = new JournalReporter(settings, runId)
    if (operation.op !== 'init' && !reporter.journal.exists) await elsewhere(settings, runId, operation)
    else await reporter.once([operation])
  } catch (error) {
    settings.log.warn(`Failed to update status: ${messageOf(error)}`)
  }
}

/** An execution without a journal here: it was begun on another host, or it has ended. The database says how it stands. */
const elsewhere = async (settings: TrackSettings, runId: string, operation: Operation): Promise<void> => {
  const { place } = settings
  if (isService(place.url)) {
    const service = { url: place.url, token: place.token, timeout: 5000 }
    const answer = await sendToService(service, 'PATCH', `/executions/${runId}`, operation)
    if (!answer) settings.log.warn(`There is no execution ${runId}, or it has ended`)
    return
  }
  const { readDatabase } = await import('./read-database.ts')
  await readDatabase(settings, async (store) => {
    const { loadExecution } = await import('../../tracking/client/load-execution.ts')
    const loaded = await loadExecution(store.database, runId, { revive: true })
    const { now, log } = settings
    if (!loaded) log.warn(`There is no execution ${runId}`)
    else if (!loaded.execution.apply(operation, now())) log.warn(`The execution ${runId} has ended`)
    else {
      const { redact } = await import('../../common/redact.ts')
      await store.write(trackedRows(loaded.execution, { revision: loaded.revision + 1, now: now(), redact }))
    }
  })
}
