import type { Expression, ExpressionBuilder, Selectable, SqlBool } from 'kysely'
import { distinctOf, itemsOf } from './distinct-items.ts'
import { STATES, stateOf, wordsOf, type State } from './status-words.ts'
import { findExecution } from './find-execution.ts'
import { tables } from './ledger-tables.ts'
import type { LedgerDatabase, LedgerSchema } from './schema-types.ts'
import { timeMs, timeText } from '../../sql/timestamps.ts'

/** An execution as `history` shows it. Times in epoch milliseconds. */
export interface PastExecution {
  readonly id: number
  readonly runId: string
  readonly task: string
  readonly subject: string | null
  /** In the words of `process_logs`. */
  readonly status: string
  readonly host: string
  readonly pid: number
  readonly user: string | null
  readonly startedAt: number
  /** Undefined while it runs. */
  readonly endedAt: number | undefined
  readonly total: number
  readonly attempted: number
  /** Runs that were attempted, each once, and of how many: `attempted` and `total` count a run in each stage. */
  readonly runs: number
  readonly runsTotal: number
  readonly failed: number
  readonly bytes: number
  readonly currentRun: number | null
  readonly percent: number | null
  readonly version: string | null
  readonly exitCode: number | null
  readonly error: string | null
}

export interface HistoryFilter {
  /** Epoch milliseconds. */
  readonly since: number | undefined
  readonly states: readonly State[] | undefined
  readonly limit: number
}

/** The newest executions first. */
export const pastExecutions = async (
  database: LedgerDatabase,
  filter: HistoryFilter,
): Promise<PastExecution[]> => {
  const { since, states, limit } = filter
  let query = tables(database)
    .selectFrom('executions')
    .selectAll()
    .orderBy('execution_start', 'desc')
    .limit(limit)
  query = query.orderBy('execution_id', 'desc')
  if (since !== undefined) query = query.where('execution_start', '>=', timeText(since))
  if (states !== undefined) query = query.where((eb) => eb.or(states.map((state) => isIn(eb, state))))
  return (await query.execute()).map(pastOf)
}

/** A state is two columns; rows of other programs have only the first, and count as the plainest state of it. */
const isIn = (eb: ExpressionBuilder<LedgerSchema, 'executions'>, state: State): Expression<SqlBool> => {
  const { execution, reason } = wordsOf(state)
  const plain = stateOf(execution, null) === state
  return eb.and([
    eb('execution_status', '=', execution),
    plain
      ? eb.or([eb('end_reason', 'is', null), eb('end_reason', '=', reason ?? '')])
      : eb('end_reason', '=', reason ?? ''),
  ])
}

export interface PastStep {
  readonly name: string
  readonly status: string
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  readonly total: number | null
  readonly attempted: number | null
  readonly failed: number | null
  readonly message: string | null
}

export interface PastRun {
  readonly stage: string
  readonly run: string
  readonly status: string
  readonly attempts: number | null
  readonly error: string | null
}

export interface PastEvent {
  readonly at: number
  readonly kind: string
  readonly detail: string | null
}

/** One execution with its steps, the runs that were not archived (the first hundred), and what happened. */
export interface PastDetail extends PastExecution {
  readonly argv: string | null
  readonly bootId: string | null
  readonly detail: string | null
  readonly invocationId: string | null
  readonly gitCommit: string | null
  readonly memoryMb: number | null
  readonly cpuPercent: number | null
  readonly logFile: string | null
  readonly batches: number
  readonly steps: readonly PastStep[]
  readonly unfinished: readonly PastRun[]
  readonly events: readonly PastEvent[]
}

/** By its number or its UUID; undefined when there is none. */
export const pastExecution = async (
  database: LedgerDatabase,
  id: string,
): Promise<PastDetail | undefined> => {
  const row = await findExecution(database, id)
  if (!row) return undefined
  const from = tables(database)
  const [steps, runs, events, batches] = await Promise.all([
    from.selectFrom('subtasks').selectAll().where('run_id', '=', row.run_id).orderBy('seq').execute(),
    from
      .selectFrom('files')
      .selectAll()
      .where('run_id', '=', row.run_id)
      .where('state', '!=', 'done')
      .orderBy('file_id')
      .limit(100)
      .execute(),
    from
      .selectFrom('events')
      .selectAll()
      .where('run_id', '=', row.run_id)
      .orderBy('at')
      .orderBy('event_id')
      .execute(),
    from
      .selectFrom('batches')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('run_id', '=', row.run_id)
      .executeTakeFirst(),
  ])
  return {
    ...pastOf(row),
    argv: row.argv,
    bootId: row.boot_id,
    detail: row.error_detail,
    invocationId: row.invocation_id,
    gitCommit: row.git_commit,
    memoryMb: row.peak_memory_mb ?? row.memory_mb,
    cpuPercent: row.cpu_percent,
    logFile: row.log_path,
    batches: Number(batches?.count ?? 0),
    steps: steps.map((step) => ({
      name: step.name,
      status: wordsOf(knownState(step.state)).subtask,
      startedAt: msOf(step.started_at),
      endedAt: msOf(step.ended_at),
      total: step.items_total,
      attempted: step.items_complete,
      failed: step.items_failed,
      message: step.error_message ?? step.message,
    })),
    unfinished: runs.map((run) => ({
      stage: run.stage,
      run: run.file_name,
      status: wordsOf(knownState(run.state)).file,
      attempts: run.attempts,
      error: run.error_message,
    })),
    events: events.map(({ at, kind, detail }) => ({ at: timeMs(at), kind, detail })),
  }
}

type ExecutionRow = Selectable<LedgerSchema['executions']>

const pastOf = (row: ExecutionRow): PastExecution => ({
  id: row.execution_id,
  runId: row.run_id,
  task: row.task_name,
  subject: row.subject,
  status: wordsOf(stateOf(row.execution_status, row.end_reason)).process,
  host: row.hostname,
  pid: row.process_id,
  user: row.user_name,
  startedAt: timeMs(row.execution_start),
  endedAt: msOf(row.execution_end),
  total: row.items_total ?? 0,
  attempted: row.items_attempted ?? 0,
  ...runsOf(row),
  failed: row.items_failed ?? 0,
  bytes: row.bytes ?? 0,
  currentRun: row.current_run,
  percent: row.overall_percent_complete,
  version: row.version,
  exitCode: row.exit_code,
  error: row.error_message,
})

/** Older rows have no count of their own: then a run counts in each stage. */
const runsOf = (row: ExecutionRow): { readonly runs: number; readonly runsTotal: number } => {
  const runs = itemsOf(row)
  const total = (distinctOf(row) === undefined ? row.items_total : row.subtask_items_total) ?? 0
  return { runs, runsTotal: Math.max(runs, total) }
}

const msOf = (text: string | null): number | undefined => (text === null ? undefined : timeMs(text))

const knownState = (text: string): State => STATES.find((state) => state === text) ?? 'failed'
