import { randomUUID } from 'node:crypto'
import type { Redact } from '../../common/redact.ts'
import { ArchiverError } from '../../errors.ts'
import { timeText } from '../../sql/timestamps.ts'
import { cancelRequested } from '../client/tracked-queries.ts'
import { loadExecution } from '../client/load-execution.ts'
import { readOperation, textIn, type Operation } from '../client/operations.ts'
import { stageOf } from '../../common/stage-patterns.ts'
import { isUuid, trackedRows } from '../client/tracked-rows.ts'
import { TrackedExecution } from '../client/tracked-execution.ts'
import { writeLedger } from '../ledger/ledger-database.ts'
import { keepNewest } from '../ledger/spool-lines.ts'
import type { Row } from '../ledger/row.ts'
import type { LedgerDatabase } from '../ledger/schema-types.ts'
import { wordsOf, type State } from '../ledger/status-words.ts'
import { checkedRows } from './checked-rows.ts'

export interface HttpReportsOptions {
  /** Lends the open ledger. Throws LEDGER_UNAVAILABLE while it is away. */
  readonly use: <T>(work: (database: LedgerDatabase) => Promise<T>) => Promise<T>
  readonly now: () => number
  readonly redact: Redact
  /** Left out: those of the program. */
  readonly stagePatterns?: ReadonlyMap<string, string> | undefined
}

/** How an execution stands after a report. */
export interface ReportAnswer {
  readonly run_id: string
  readonly status: string
  readonly end_reason: string | null
  /** The number of the last report that counts: one with a `seq` up to it is a repetition. */
  readonly seq: number
  /** False: the report was there already. */
  readonly changed: boolean
}

/** The ends that a repeated report of an end may meet. */
const SAME_END: Readonly<Record<string, readonly State[]>> = {
  finish: ['done', 'partial'],
  error: ['failed', 'terminated'],
  cancel: ['killed', 'cancelled'],
}

/**
 * Takes reports from programs that reach this host by HTTP only. Each is in the ledger when its promise resolves. A report that is sent
 * again changes nothing: an `init` by its run id, an end by being there, and every other one where it carries a `seq` that counts up.
 * Throws USAGE, NOT_FOUND, CONFLICT or LEDGER_UNAVAILABLE.
 */
export class HttpReports {
  readonly #options: HttpReportsOptions
  /** Reports of one execution are taken one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(options: HttpReportsOptions) {
    this.#options = options
  }

  /** An execution begins. */
  begin(value: Readonly<Record<string, unknown>>): Promise<ReportAnswer> {
    const { run_id: given = randomUUID(), at: reported, ...fields } = value
    const operation = checked({ op: 'init', ...fields })
    const at = momentOf(reported, this.#options.now())
    const task = textIn(operation, 'task_name')
    if (!task) throw new ArchiverError('USAGE', 'task_name is missing')
    const runId = uuidOf(given)
    return this.#inTurn(runId, (database) =>
      this.#begin(database, runId, { ...operation, task_name: task }, at),
    )
  }

  /** One report of an execution that has begun. */
  report(id: string, value: Readonly<Record<string, unknown>>): Promise<ReportAnswer> {
    const { seq, at: reported, ...fields } = value
    const at = momentOf(reported, this.#options.now())
    if (seq !== undefined && !(Number.isSafeInteger(seq) && Number(seq) > 0))
      throw new ArchiverError('USAGE', 'seq must be a whole number from 1')
    const operation = checked(fields)
    if (operation.op === 'init')
      throw new ArchiverError('USAGE', '"init" begins an execution: POST /executions')
    const runId = uuidOf(id)
    return this.#inTurn(runId, (database) =>
      this.#report(database, runId, operation, seq === undefined ? undefined : Number(seq), at),
    )
  }

  /** Whole rows, as clients keep them in their spool. Rows that cannot be used are named, and keep no other from being written. */
  async rows(value: unknown): Promise<{
    readonly written: number
    readonly refused: readonly { readonly row: number; readonly why: string }[]
    /** Executions among the rows that somebody asked to stop. */
    readonly cancel_requested: readonly string[]
  }> {
    const { rows, refused } = checkedRows(value, this.#options.redact)
    // Of a row that came twice, as from a spool and behind it, the newest counts.
    const newest = new Map<string, Row>()
    for (const { row } of rows) keepNewest(newest, row)
    const late: Row[] = []
    const ids = [...newest.values()].flatMap(({ table, cells }) =>
      table === 'executions' && cells['execution_end'] == null ? [String(cells['run_id'])] : [],
    )
    const asked = await this.#options.use(async (database) => {
      await writeLedger(database, [...newest.values()], (row) => late.push(row))
      return cancelRequested(database, ids)
    })
    const why = 'the database does not take it'
    const more = rows.filter(({ row }) => late.includes(row)).map(({ at }) => ({ row: at, why }))
    return { written: rows.length - more.length, refused: [...refused, ...more], cancel_requested: asked }
  }

  async #begin(database: LedgerDatabase, runId: string, init: Operation, at: number): Promise<ReportAnswer> {
    const known = await loadExecution(database, runId)
    if (known) {
      if (known.execution.facts['task_name'] !== init['task_name'])
        throw new ArchiverError('CONFLICT', `the run id ${runId} belongs to another task`)
      return answerOf(known.execution, known.revision, false)
    }
    const stage =
      textIn(init, 'stage') ?? stageOf(textIn(init, 'task_name') ?? '', this.#options.stagePatterns)
    const execution = new TrackedExecution(runId, { ...init, stage }, at)
    await this.#write(database, execution, 1)
    return answerOf(execution, 1, true)
  }

  async #report(
    database: LedgerDatabase,
    runId: string,
    operation: Operation,
    seq: number | undefined,
    at: number,
  ): Promise<ReportAnswer> {
    const loaded = await loadExecution(database, runId, { revive: true })
    if (!loaded) throw new ArchiverError('NOT_FOUND', `there is no execution ${runId}`)
    const { execution, revision } = loaded
    if (seq !== undefined && seq <= revision) return answerOf(execution, revision, false)
    if (!execution.apply(operation, at)) {
      if (SAME_END[operation.op]?.includes(execution.state)) return answerOf(execution, revision, false)
      throw new ArchiverError(
        'CONFLICT',
        `the execution ${runId} has ended: ${wordsOf(execution.state).execution}`,
      )
    }
    const next = seq ?? revision + 1
    // The row would count as one that was written before, and the answer would be wrong.
    if (!Number.isSafeInteger(next))
      throw new ArchiverError(
        'CONFLICT',
        `the execution ${runId} has had the highest "seq": it takes no more`,
      )
    await this.#write(database, execution, next, operation.op === 'heartbeat' ? operation : undefined)
    return answerOf(execution, next, true)
  }

  async #write(
    database: LedgerDatabase,
    execution: TrackedExecution,
    revision: number,
    measured?: Operation,
  ): Promise<void> {
    const { now, redact } = this.#options
    const rows = trackedRows(execution, { revision, now: now(), redact })
    if (measured) {
      const { op: _op, at: _at, run_id: _id, ...cells } = measured
      const rows_processed = execution.rowsProcessed
      const measure = {
        run_id: execution.runId,
        at: timeText(now()),
        rows_processed,
        ...(cells as Row['cells']),
      }
      rows.push({ table: 'process_metrics', cells: measure, transient: true })
    }
    await writeLedger(database, rows, (_row, cause) => {
      throw new ArchiverError('USAGE', `the ledger does not take this: ${cause.message}`, { cause })
    })
  }

  #inTurn(runId: string, work: (database: LedgerDatabase) => Promise<ReportAnswer>): Promise<ReportAnswer> {
    const before = this.#turns.get(runId) ?? Promise.resolve()
    const turn = before.catch(() => undefined).then(() => this.#options.use(work))
    this.#turns.set(runId, turn)
    const leave = (): void => {
      if (this.#turns.get(runId) === turn) this.#turns.delete(runId)
    }
    turn.then(leave, leave)
    return turn
  }
}

const answerOf = (execution: TrackedExecution, seq: number, changed: boolean): ReportAnswer => {
  const { execution: status, reason } = wordsOf(execution.state)
  return { run_id: execution.runId, status, end_reason: reason, seq, changed }
}

/** Milliseconds by which a reporter's clock may be ahead of ours. */
const AHEAD = 300_000

/** No engine's times begin later in any zone: MySQL's begin with 1970. */
const FIRST = 86_400_000

/** When something happened, epoch milliseconds: now, or what a report that waited says. */
const momentOf = (value: unknown, now: number): number => {
  if (value === undefined || value === null) return now
  if (typeof value === 'number' && value >= FIRST && value <= now + AHEAD)
    return Math.min(now, Math.round(value))
  throw new ArchiverError(
    'USAGE',
    '"at" must be a time in epoch milliseconds, after 1970-01-01, and not in the future',
  )
}

const uuidOf = (value: unknown): string => {
  if (typeof value === 'string' && isUuid(value)) return value.toLowerCase()
  throw new ArchiverError('USAGE', 'a run id must be a UUID')
}

/** Unlike the library, which leaves out what it cannot use, a service says so: whoever calls it reads the answer. */
const checked = (value: Readonly<Record<string, unknown>>): Operation => {
  const { operation, problems } = readOperation(value)
  if (operation && problems.length === 0) return operation
  throw new ArchiverError('USAGE', problems.join('; '))
}
