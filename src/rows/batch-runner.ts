import { ArchiverError, messageOf } from '../errors.ts'
import type { ArchiveFolder } from './archive-files/archive-folder.ts'
import { step } from '../platform/atomic-file.ts'
import { moveToFiles } from './archive-files/move-to-files.ts'
import { settlePending } from './archive-files/pending-files.ts'
import { isClean, type BatchResult, type Conflict, type ConflictRecord } from './batch.ts'
import type { Statement } from '../sql/session.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { Passed } from './gate.ts'
import { finishedCounts } from './log/finished-batches.ts'
import type { BatchFacts } from './log/batch-facts.ts'
import { moveGroups } from './groups.ts'
import { moveOnOneServer, type Work } from './one-server.ts'
import type { RowsOptions } from './options.ts'
import { reconnected, TRIES } from './reconnect.ts'
import type { RunConnections } from './run-connections.ts'
import type { Segment } from './segments.ts'
import type { Cleared } from './preflight/problem.ts'
import { conflictRecord } from './settle.ts'
import { rowsError, troubleOf } from './server-errors.ts'
import type { Key, Pair } from './table.ts'
import { moveBetweenServers } from './two-servers.ts'

type Batch = Extract<Segment, { type: 'batch' }>

/** Tries of one batch after rows that appeared meanwhile. */
const APPEARED_TRIES = 3

/** Does batches, each as often as it takes. What it returns is committed, and counted once. */
export class BatchRunner {
  readonly #options: RowsOptions
  readonly #connections: RunConnections
  readonly #dialect: Dialect
  readonly #pair: Pair
  readonly #guarded: boolean
  readonly #folder: ArchiveFolder | undefined
  /** Whether the last batch went the fast path: then the next one probably does. */
  #hopeful = true

  constructor(
    options: RowsOptions,
    connections: RunConnections,
    dialect: Dialect,
    { pair, overruled }: Cleared,
    folder: ArchiveFolder | undefined,
  ) {
    this.#folder = folder
    this.#options = options
    this.#connections = connections
    this.#dialect = dialect
    this.#pair = pair
    this.#guarded = overruled.some(({ forceable }) => forceable === 'triggers' || forceable === 'cascades')
  }

  /** Throws DATABASE_UNAVAILABLE, ROWS_FAILED, LOCK_LOST; nothing of the batch has happened then. */
  async do(file: { id: number; name: string }, batch: Batch, passed: Passed): Promise<BatchResult> {
    const { monotonic, listener, signal } = this.#options
    const began = monotonic()
    let appeared = 0
    for (let attempt = 1; ; attempt++) {
      const facts = (): BatchFacts => ({
        ...batch,
        fileName: file.name,
        attempts: attempt,
        durationMs: monotonic() - began,
        lag: passed.lag,
        hll: passed.hll,
        throttledMs: passed.throttledMs,
        throttleReason: passed.reason,
      })
      try {
        const result = await this.#attempt(file.id, batch, facts, () => ++appeared < APPEARED_TRIES)
        if (result === 'again') continue
        this.#hopeful = isClean(result)
        return result
      } catch (error) {
        if (troubleOf(error) !== 'transient' || attempt >= TRIES || signal.aborted)
          throw rowsError(error, `batch ${batch.number} of ${file.name}`)
        const cause = error instanceof Error ? error : new Error(String(error))
        listener({ type: 'batch-retry', file: file.name, batch: batch.number, attempt, error: cause })
        const known = await this.#recover(facts(), attempt)
        if (known) return known
      }
    }
  }

  /** Conflicts as people read them. */
  records(conflicts: readonly Conflict[]): readonly ConflictRecord[] {
    return conflicts.map((conflict) => conflictRecord(this.#dialect, conflict))
  }

  async #attempt(
    fileId: number,
    { keys, number }: Batch,
    facts: () => BatchFacts,
    mayRepeat: () => boolean,
  ): Promise<BatchResult | 'again'> {
    const { mode } = this.#options
    const { source, log, logsInTransaction } = this.#connections
    const work = { dialect: this.#dialect, pair: this.#pair, source, mode, guarded: this.#guarded }
    const rowOf = (result: BatchResult): readonly Statement[] =>
      log?.batchDone(fileId, facts(), result, this.#dialect) ?? []
    const record = (result: BatchResult): readonly Statement[] => {
      if (result.counts.appeared > 0 && mayRepeat()) throw new Again()
      return logsInTransaction ? rowOf(result) : []
    }
    try {
      const result = await this.#move(work, `${fileId}-${number}`, keys, record)
      if (log && !logsInTransaction) {
        step('rows-log: to be written')
        await log.database.runWhole(rowOf(result)).catch(notLogged)
        step('rows-log: written')
      }
      return result
    } catch (error) {
      if (error instanceof Again) return 'again'
      throw error
    }
  }

  #move(
    work: Work,
    batch: string,
    keys: readonly Key[],
    record: (result: BatchResult) => readonly Statement[],
  ): Promise<BatchResult> {
    const { archive } = this.#connections
    if (this.#folder) {
      const { warn } = this.#options
      return moveToFiles({ ...work, folder: this.#folder, batch, warn }, keys, record)
    }
    if (archive) return moveBetweenServers({ ...work, archive }, keys, record)
    return this.#pair.children
      ? moveGroups(work, keys, record)
      : moveOnOneServer(work, keys, this.#hopeful, record)
  }

  /** Connects again where the connection broke; the counts of the batch when it turns out to be committed. */
  async #recover(facts: BatchFacts, attempt: number): Promise<BatchResult | undefined> {
    return reconnected(this.#connections, attempt, this.#options.signal, async () => {
      const { log } = this.#connections
      if (this.#folder && log) await settlePending(this.#folder, log.database)
      const counts = log && (await finishedCounts(log, facts))
      return counts && { counts, conflicts: [] }
    })
  }
}

/** The rows are moved, and rows.log does not take the batch's row. */
const notLogged = (error: unknown): never => {
  if (troubleOf(error) === 'transient') throw error
  throw new ArchiverError(
    'ROWS_FAILED',
    `its rows are done, and rows.log does not take its row: ${messageOf(error)}`,
    {
      hint: 'cure what the server of rows.log says and run again: the batch is looked at anew',
    },
  )
}

/** A row came in while the batch was done: it is rolled back and done again. */
class Again extends Error {}
