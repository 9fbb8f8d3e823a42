import type { Secret } from '../common/secret.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { bootTime, identity, now as wallClock, startTicks } from '../platform/host.ts'
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
import { stepTimes } from '../tracking/api/step-times.ts'
import { FailureCache } from '../tracking/api/failure-cache.ts'
import { TaskCache } from '../tracking/api/task-cache.ts'
import { runStory, taskDays } from '../tracking/api/task-reads.ts'
import { closeOpen } from '../tracking/ledger/close-dead.ts'
import { countForeign } from '../tracking/ledger/count-foreign.ts'
import { openStore, type OpenStore } from '../tracking/ledger/ledger-database.ts'
import { pruneMetrics } from '../tracking/ledger/prune.ts'
import { hostOf } from '../tracking/ledger/ledger-options.ts'
import type { LedgerDatabase } from '../tracking/ledger/schema-types.ts'
import type { LedgerReads } from '../web/model.ts'
import { Lent } from './lent.ts'

export interface PageLedgerOptions {
  readonly url: string
  readonly workDir: string
  readonly schema: string
  readonly password: Secret | undefined
  readonly foreignSilence: number
  readonly version: string
  readonly log: Log
  /** Epoch milliseconds; the wall clock unless given. */
  readonly now?: (() => number) | undefined
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
/** Sessions on a server: several people look, and one slow search must not hold up the others. */
const CONNECTIONS = 8
/** Milliseconds between two looks for executions that died. */
const JUDGE_EVERY = 60_000
/** Milliseconds between two looks for executions that other programs wrote. */
const COUNT_EVERY = 300_000
/** Milliseconds between two removals of old measurements. */
const PRUNE_EVERY = 3_600_000

/** The ledger as the pages read it: opened at the first question, and again after it was away. Undefined where `url` is `off`. */
export const pageLedger = (options: PageLedgerOptions): PageLedger | undefined => {
  const place = databasePlace(options.url, options.workDir)
  if (!place) return undefined
  const { version, log, password, now = wallClock } = options
  let failed: { readonly at: number; readonly error: unknown } | undefined
  const judging = { ...options, identity: identity(), bootTime: bootTime(), startTicksOf: startTicks, now }
  const open = (): Promise<OpenStore> =>
    openStore({
      place,
      schema: schemaName(options.schema),
      password,
      timeout: 5000,
      connections: CONNECTIONS,
      now,
      log,
      version,
      onRefused: () => undefined,
    }).catch((error: unknown) => {
      failed = { at: now(), error }
      throw error
    })
  const lent = new Lent(open, (store) => store.close())
  /** A question; after an error the next one opens the database again. */
  const ask = async <T>(question: (store: OpenStore) => Promise<T>): Promise<T> => {
    if (failed && now() - failed.at < PAUSE && now() >= failed.at) throw away(failed.error)
    try {
      return await lent.use(question, isOurs)
    } catch (error) {
      throw isOurs(error) ? away(error) : error
    }
  }
  const judge = async ({ database }: OpenStore): Promise<void> => {
    for (const { pid, status, reason } of await closeOpen(database, hostOf(judging)))
      log.warn(`Marked incomplete process ${pid} as ${status}: ${reason}`)
  }
  /** Work that questions bring along: at most so often, and what is wrong with it is no answer to them. */
  const everySoOften = (ms: number, work: (store: OpenStore) => Promise<unknown>) => {
    let at = -Infinity
    return async (store: OpenStore): Promise<void> => {
      if (Math.abs(now() - at) < ms) return
      at = now()
      await work(store).catch((error: unknown) => log.warn(`The ledger: ${messageOf(error)}`))
    }
  }
  const chores = [
    everySoOften(JUDGE_EVERY, judge),
    everySoOften(PRUNE_EVERY, ({ database }) => pruneMetrics(database, now())),
    everySoOften(COUNT_EVERY, ({ database }) => countForeign(database, now(), 2)),
    everySoOften(PRUNE_EVERY, ({ database }) => countForeign(database, now(), 35)),
  ]
  const tasks = new TaskCache()
  const failures = new FailureCache()
  return {
    current: () =>
      ask(async (store) => {
        for (const chore of chores) await chore(store)
        return currentExecutions(store.database, now())
      }),
    executions: ({ back, ...query }) =>
      ask(({ database }) => {
        const from = back === undefined ? query.from : now() - back
        return listExecutions(database, { ...query, from }, now())
      }),
    execution: (id) => ask(({ database }) => oneExecution(database, id, now())),
    metrics: (id) => ask(({ database }) => executionMetrics(database, id)),
    tasks: () => ask(({ database }) => tasks.lines(database, now())),
    days: (since, task, part) => ask(({ database }) => taskDays(database, since, task, part)),
    story: (run) => ask(({ database }) => runStory(database, run)),
    failures: (since, limit) =>
      ask(({ database }) => failures.attempts(database, { since, limit, now: now() })),
    graph: (pipeline) => ask(({ database }) => dependencyGraph(database, now(), pipeline)),
    actions: () => ask(({ database }) => listActions(database, ACTIONS)),
    steps: (task) => ask(({ database }) => stepTimes(database, task)),
    late: () => ask(({ database }) => lateTasks(database, now())),
    revision: () => ask(({ database }) => ledgerRevision(database)),
    use: (work) => ask(({ database }) => work(database)),
    close: () => lent.end(),
  }
}

/** Whether an error says something of the database, and not of the question. */
const isOurs = (error: unknown): boolean =>
  !(error instanceof ArchiverError) || error.code === 'LEDGER_UNAVAILABLE'

const away = (cause: unknown): ArchiverError =>
  cause instanceof ArchiverError && cause.code === 'LEDGER_UNAVAILABLE'
    ? cause
    : new ArchiverError('LEDGER_UNAVAILABLE', `the ledger cannot be read: ${messageOf(cause)}`, { cause })
