import type { Context } from '../../app/context.ts'
import type { Redact } from '../../common/redact.ts'
import type { EngineEvent } from '../../engine/stage.ts'
import { bootTime, identity, now, startTicks } from '../../platform/host.ts'
import { plainLog } from '../../platform/log/logger.ts'
import type { BatchMode } from '../../rows/batch.ts'
import type { RowsEvent } from '../../rows/events.ts'
import type { RowsOutcome } from '../../rows/options.ts'
import { databasePlace } from '../../sql/database-url.ts'
import { loadDriver } from '../../sql/open-database.ts'
import { openLedger } from '../../tracking/ledger/ledger.ts'
import type { RowsConfig } from './rows-config.ts'

/** An execution of `rows` in the ledger, so that history, page, alerts and metrics show it. Nothing here throws or holds up the rows. */
export interface RowsLedger {
  readonly listener: (event: RowsEvent) => void
  /** What the execution came to. `error`: it did not come so far. */
  end(exitCode: number, outcome: RowsOutcome | undefined, error?: Error): Promise<void>
}

/** Begins an execution: its steps are the files, their items the batches, and rows are counted as documents. */
export const rowsLedger = async (
  { app, ledger: settings, rows }: RowsConfig,
  mode: BatchMode,
  files: number,
  context: Context,
  redact: Redact,
): Promise<RowsLedger> => {
  const { signal } = context
  await loadDriver(databasePlace(settings.url.reveal(), app.workDir))
  const ledger = openLedger({
    url: settings.url.reveal(),
    password: settings.password,
    schema: settings.schema,
    workDir: app.workDir,
    identity: identity(),
    bootTime: bootTime(),
    startTicksOf: startTicks,
    now,
    log: plainLog({
      level: 'warn',
      format: 'human',
      out: (line) => context.err(`${redact(line)}\n`),
      journald: false,
      now,
    }),
    version: context.version,
    heartbeatEvery: settings.heartbeatSeconds * 1000,
    foreignSilence: settings.foreignHostTimeoutSeconds * 1000,
    keepDays: settings.keepDays,
    redact,
  })
  ledger.begin({
    task: mode === 'copy' ? 'rows-copy' : 'rows',
    subject: rows.table,
    steps: files,
    argv: context.argv,
    version: context.version,
    gitCommit: context.commit,
    invocationId: context.env['INVOCATION_ID'],
  })
  const killed = (): void => ledger.killed(String(signal.reason))
  signal.addEventListener('abort', killed, { once: true })
  const work = new EngineEvents(mode)
  return {
    listener: (event) => {
      for (const one of work.of(event)) ledger.listener(one)
      if (event.type === 'throttled')
        ledger.event('throttled', { reason: event.reason, milliseconds: event.milliseconds })
    },
    end: async (exitCode, outcome, thrown) => {
      signal.removeEventListener('abort', killed)
      const error = thrown ?? outcome?.error
      await ledger.end({
        exitCode,
        error,
        isPartial: error === undefined && outcome?.status === 'PARTIAL',
        signal: signal.aborted ? String(signal.reason) : undefined,
      })
    },
  }
}

/** Files and batches in the words of the engine. */
class EngineEvents {
  readonly #mode: BatchMode
  #stage = ''
  #done = 0
  #failed = 0
  #batches = 0

  constructor(mode: BatchMode) {
    this.#mode = mode
  }

  *of(event: RowsEvent): Generator<EngineEvent> {
    const stage = this.#stage
    switch (event.type) {
      case 'file-started':
        yield* this.#finish(undefined)
        this.#stage = event.file
        this.#done = this.#failed = 0
        this.#batches = event.batches
        yield {
          type: 'pass-started',
          stage: event.file,
          mode: this.#mode,
          total: event.batches,
          waiting: 0,
        }
        break
      case 'batch-skipped':
        this.#done += 1
        break
      case 'batch-started':
        yield { type: 'item-started', stage, key: keyOf(event), attempt: 1, attempts: 1 }
        break
      case 'batch-retry': {
        const { attempt, error } = event
        yield { type: 'item-retry', stage, key: keyOf(event), attempt, attempts: attempt, error }
        break
      }
      case 'batch-done': {
        const { counts, conflicts, milliseconds, batch } = event
        const rows = this.#mode === 'copy' ? counts.inserted : counts.deleted
        const notes =
          counts.conflicts > 0
            ? [`${counts.conflicts} conflicts`, ...conflicts.slice(0, 5).map(({ row_key }) => row_key)]
            : []
        const result = event.status === 'COMPLETED' ? 'stored' : 'present'
        this.#done += 1
        const processed = { result, bytes: 0, counts: { documents: rows }, notes } as const
        yield { type: 'item-done', stage, key: keyOf(event), processed, milliseconds }
        yield { type: 'batch-committed', stage, batch, done: [keyOf(event)], failed: [], milliseconds }
        break
      }
      case 'batch-failed':
        this.#failed += 1
        yield { type: 'item-failed', stage, key: keyOf(event), error: event.error, milliseconds: 0 }
        yield {
          type: 'batch-committed',
          stage,
          batch: event.batch,
          done: [],
          failed: [keyOf(event)],
          milliseconds: 0,
        }
        break
      case 'file-done':
        yield* this.#finish(undefined)
        break
      case 'file-failed':
        // A file that is no list of ids never began.
        if (stage !== event.file)
          yield { type: 'pass-started', stage: event.file, mode: this.#mode, total: 0, waiting: 0 }
        this.#stage = event.file
        yield* this.#finish(event.error)
        break
    }
  }

  *#finish(error: Error | undefined): Generator<EngineEvent> {
    if (this.#stage === '') return
    const stage = this.#stage
    this.#stage = ''
    if (error) yield { type: 'pass-stopped', stage, reason: 'unavailable', error }
    yield {
      type: 'pass-finished',
      stage,
      summary: {
        succeeded: this.#done,
        failed: this.#failed,
        pending: Math.max(0, this.#batches - this.#done - this.#failed),
        bytes: 0,
        milliseconds: 0,
        stopped: error && 'unavailable',
        error,
      },
    }
  }
}

const keyOf = ({ batch }: { readonly batch: number }): string => `batch ${batch}`
