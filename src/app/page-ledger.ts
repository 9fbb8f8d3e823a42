import type { Secret } from '../common/secret.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { bootTime, identity, now, startTicks } from '../platform/host.ts'
import type { Log } from '../common/log.ts'
import { databasePlace, schemaName } from '../sql/database-url.ts'
import {
  currentExecutions,
  executionMetrics,
  ledgerRevision,
  oneExecution,
} from '../tracking/api/execution-reads.ts'
import { listActions } from '../tracking/api/action-events.ts'
import { listExecutions } from '../tracking/api/execution-list.ts'
import { lateTasks } from '../tracking/alerts/gather-facts.ts'
import { dependencyGraph } from '../tracking/api/graph-reads.ts'
import { TaskCache } from '../tracking/api/task-cache.ts'
import { failedAttempts, runStory, taskDays } from '../tracking/api/task-reads.ts'
import { closeOpen } from '../tracking/ledger/close-dead.ts'
import { openStore, type OpenStore } from '../tracking/ledger/ledger-database.ts'
import { pruneMetrics } from '../tracking/ledger/prune.ts'
import { hostOf } from '../tracking/ledger/ledger-options.ts'
import type { LedgerDatabase } from '../tracking/ledger/schema-types.ts'
import type { LedgerReads } from '../web/model.ts'

export interface PageLedgerOptions {
  readonly url: string
  readonly workDir: string
  readonly schema: string
  readonly password: Secret | undefined
  readonly foreignSilence: number
  readonly version: string
  readonly log: Log
}

export interface PageLedger extends LedgerReads {
  /** Lends the open database. Throws LEDGER_UNAVAILABLE. */
  use<T>(work: (database: LedgerDatabase) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Actions that are listed. */
const ACTIONS = 50
/** Milliseconds without a new try after one failed. */
const PAUSE = 2000
/** Milliseconds between two looks for executions that died. */
const JUDGE_EVERY = 60_000
/** Milliseconds between two removals of old measurements. */
const PRUNE_EVERY = 3_600_000

/** The ledger as the pages read it: opened at the first question, and again after it was away. Undefined where `url` is `off`. */
export const pageLedger = (options: PageLedgerOptions): PageLedger | undefined => {
  const place = databasePlace(options.url, options.workDir)
  if (!place) return undefined
  const { version, log, password } = options
  let opening: Promise<OpenStore> | undefined
  let failed: { readonly at: number; readonly error: unknown } | undefined
  let judgedAt = -Infinity
  const judging = { ...options, identity: identity(), bootTime: bootTime(), startTicksOf: startTicks, now }
  const open = async (): Promise<OpenStore> => {
    if (failed && now() - failed.at < PAUSE && now() >= failed.at) throw away(failed.error)
    opening ??= openStore({
      place,
      schema: schemaName(options.schema),
      password,
      timeout: 5000,
      now,
      log,
      version,
      onRefused: () => undefined,
    })
    try {
      return await opening
    } catch (error) {
      opening = undefined
      failed = { at: now(), error }
      throw away(error)
    }
  }
  /** A question; what it throws closes the connection, so that the next one opens it again. */
  const ask = async <T>(question: (store: OpenStore) => Promise<T>): Promise<T> => {
    const store = await open()
    try {
      return await question(store)
    } catch (error) {
      if (error instanceof ArchiverError && error.code !== 'LEDGER_UNAVAILABLE') throw error
      opening = undefined
      void store.close().catch(() => undefined)
      throw away(error)
    }
  }
  const judge = async ({ database }: OpenStore): Promise<void> => {
    if (now() - judgedAt < JUDGE_EVERY && now() >= judgedAt) return
    judgedAt = now()
    for (const { pid, status, reason } of await closeOpen(database, hostOf(judging), ''))
      log.warn(`Marked incomplete process ${pid} as ${status}: ${reason}`)
  }
  let prunedAt = -Infinity
  const tidy = async ({ database }: OpenStore): Promise<void> => {
    if (Math.abs(now() - prunedAt) < PRUNE_EVERY) return
    prunedAt = now()
    await pruneMetrics(database, now())
  }
  const tasks = new TaskCache()
  return {
    current: () =>
      ask(async (store) => {
        await judge(store)
        await tidy(store)
        return currentExecutions(store.database, now())
      }),
    executions: (query) => ask(({ database }) => listExecutions(database, query, now())),
    execution: (id) => ask(({ database }) => oneExecution(database, id, now())),
    metrics: (id) => ask(({ database }) => executionMetrics(database, id)),
    tasks: () => ask(({ database }) => tasks.lines(database, now())),
    days: (since, task, part) => ask(({ database }) => taskDays(database, since, task, part)),
    story: (run) => ask(({ database }) => runStory(database, run)),
    failures: (since, limit) => ask(({ database }) => failedAttempts(database, since, limit)),
    graph: (pipeline) => ask(({ database }) => dependencyGraph(database, now(), pipeline)),
    actions: () => ask(({ database }) => listActions(database, ACTIONS)),
    late: () => ask(({ database }) => lateTasks(database, now())),
    revision: () => ask(({ database }) => ledgerRevision(database)),
    use: (work) => ask(({ database }) => work(database)),
    close: async () => {
      const store = await opening?.catch(() => undefined)
      await store?.close()
    },
  }
}

const away = (cause: unknown): ArchiverError =>
  cause instanceof ArchiverError && cause.code === 'LEDGER_UNAVAILABLE'
    ? cause
    : new ArchiverError('LEDGER_UNAVAILABLE', `the ledger cannot be read: ${messageOf(cause)}`, { cause })
