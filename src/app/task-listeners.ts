import { redactor } from '../common/redact.ts'
import { secretsOf } from '../config/secrets-of.ts'
import type { InstanceTally } from '../engine/claim-store.ts'
import type { Listener } from '../engine/stage.ts'
import type { OpenLog } from '../platform/log/logger.ts'
import { databasePlace } from '../sql/database-url.ts'
import { loadDriver } from '../sql/open-database.ts'
import { TaskMetrics } from '../tracking/metrics/task-metrics.ts'
import type { Context } from './context.ts'
import { ledgerOf, reportingOf, type Reported } from './listeners.ts'

/** How an execution of a task ended. */
export interface TaskEnd {
  readonly exitCode: number
  readonly error: Error | undefined
  /** Whether it did its work and something is left for a person, such as conflicts. */
  readonly isPartial?: boolean
}

export interface Task {
  /** Such as `records:orders`. */
  readonly name: string
  /** What it works on. */
  readonly subject: string
  /** Steps that follow one another: one unless given. */
  readonly steps?: number
  /** Its steps are files: ledger and log name them, metrics do not. */
  readonly stepsAreFiles?: boolean
  /** Ends the name of its metrics file; left out: its name. Tasks that have series in common share a file. */
  readonly metricsFile?: string
}

export interface TaskListeners {
  readonly listener: Listener
  /** What it counts beside its items. */
  readonly metrics: TaskMetrics
  /** Something that the ledger keeps beside the items. */
  event(kind: string, detail: Readonly<Record<string, unknown>>): void
  /** What it did as an instance of a shared backlog so far. */
  counted(tally: InstanceTally): void
  close(end: TaskEnd): Promise<void>
}

/**
 * Ledger, alerts and metrics of a task that is no pass over runs, such as `records:orders`. They hear of everything and cannot stop or
 * slow it; what a signal ends is in the ledger before the process ends.
 */
export const openTaskListeners = async (
  config: Reported['config'],
  { name, subject, steps = 1, stepsAreFiles = false, metricsFile = name }: Task,
  context: Context,
  log: OpenLog,
): Promise<TaskListeners> => {
  const { app, ledger: settings, metrics } = config
  const own = { ...config, metrics: { ...metrics, textfile: textfileOf(metrics.textfile, metricsFile) } }
  const reported: Reported = { config: own, redact: redactor(secretsOf(config)) }
  const counted = new TaskMetrics()
  const reporting = reportingOf(
    reported,
    { mode: name, isPass: false, counted, stagesAreMetrics: !stepsAreFiles },
    context,
    log,
  )
  await loadDriver(databasePlace(settings.url.reveal(), app.workDir))
  const ledger = ledgerOf(reported, { mode: name, stages: steps, subject }, context, log, reporting.closed)
  const onStop = (): void => {
    const signal = String(context.signal.reason)
    ledger.killed(signal)
    reporting.killed(signal)
  }
  context.signal.addEventListener('abort', onStop)
  const publishing = setInterval(() => {
    const { failures: ledgerFailures, spoolBytes } = ledger
    void reporting.publish({ ledgerFailures, spoolBytes })
  }, PUBLISH_EVERY)
  publishing.unref()
  return {
    metrics: counted,
    listener: (event) => {
      // How many items there will be is not known when a task begins.
      if (event.type === 'item-done' || event.type === 'item-failed') ledger.activate()
      ledger.listener(event)
      reporting.listener(event)
    },
    event: (kind, detail) => ledger.event(kind, detail),
    counted: (tally) => ledger.counted(tally),
    close: async ({ exitCode, error, isPartial = false }) => {
      context.signal.removeEventListener('abort', onStop)
      clearInterval(publishing)
      const signal = context.signal.aborted ? String(context.signal.reason) : undefined
      await ledger.end({ exitCode, error, isPartial, signal })
      const { failures, spoolBytes } = ledger
      // No pass over runs: its success says nothing of theirs.
      await reporting.end({
        exitCode,
        isPass: false,
        signal,
        standings: [],
        ledgerFailures: failures,
        spoolBytes,
      })
    },
  }
}

/** Milliseconds between two writes of the metrics of a task that goes on. */
const PUBLISH_EVERY = 15_000

/** A file of its own for each task, beside the archiver's. */
const textfileOf = (file: string | undefined, task: string): string | undefined =>
  file?.replace(/(\.prom)?$/, `_${task.replace(/\W+/g, '_')}.prom`)
