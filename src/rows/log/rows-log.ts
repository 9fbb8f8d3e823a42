import type { Hold } from '../gate.ts'
import type { Statement } from '../../sql/session.ts'
import { allConflicts, hasDuplicates, type BatchResult } from '../batch.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { keyText } from '../table.ts'
import { conflictRecord } from '../settle.ts'
import type { BatchFacts } from './batch-facts.ts'
import { countCells } from './count-cells.ts'
import type { LogDatabase } from './log-database.ts'

export interface Self {
  readonly pid: number
  readonly host: string
  readonly bootId: string
  readonly startTicks: number | undefined
}

export type ProcessStatus = 'COMPLETED' | 'FAILED' | 'PARTIAL' | 'KILLED'

/** Texts of any length in columns that have one. */
export const cut = (text: string, length: number): string => Array.from(text).slice(0, length).join('')

/** What one process writes into the log tables. */
export class RowsLog {
  readonly #database: LogDatabase
  #id = 0

  constructor(database: LogDatabase) {
    this.#database = database
  }

  /** The same process's log through another connection. */
  on(database: LogDatabase): RowsLog {
    const log = new RowsLog(database)
    log.#id = this.#id
    return log
  }

  /** Whether no other process has closed this one. */
  async isRunning(): Promise<boolean> {
    const { rows } = await this.#database.run('SELECT status FROM {process_logs} WHERE id = ?', [this.#id])
    return rows[0]?.['status'] === 'RUNNING'
  }

  get id(): number {
    return this.#id
  }

  get database(): LogDatabase {
    return this.#database
  }

  async begin(
    self: Self,
    facts: {
      table: string
      archive: string
      /** Empty: the source's. */
      archiveServer: string
      type: string
      files: number
      batchSize: number
      runId: string
    },
  ): Promise<void> {
    this.#id = await this.#database.insertNew('process_logs', {
      table_name: facts.table,
      process_type: facts.type,
      process_pid: self.pid,
      start_time: 'now',
      status: 'RUNNING',
      total_files: facts.files,
      // Unknown before the first batch; the columns' default of 0 would say that there is no lag.
      replica_lag: -1,
      hll_value: -1,
      hostname: cut(self.host, 255),
      boot_id: self.bootId,
      process_start_ticks: self.startTicks ?? null,
      run_id: facts.runId,
      archive_name: cut(facts.archive, 255),
      batch_size: facts.batchSize,
      source_name: this.#database.source ?? null,
      archive_server: facts.archiveServer,
    })
  }

  async beginFile(
    fileName: string,
    size: number,
    sha256: string | null,
    totalBatches: number,
    done: { batches: number; records: number },
  ): Promise<number> {
    const id = await this.#database.insertNew('file_processing_logs', {
      process_log_id: this.#id,
      file_name: cut(fileName, 500),
      file_size: size,
      start_time: 'now',
      status: 'PROCESSING',
      total_batches: totalBatches,
      processed_batches: done.batches,
      last_processed_batch: done.batches,
      records_processed: done.records,
      file_sha256: sha256,
    })
    await this.#database.update('process_logs', { current_file: cut(fileName, 500) }, 'id = ?', [this.#id])
    return id
  }

  /** The id of a file that this execution has begun and not ended. */
  async begunFile(fileName: string): Promise<number | undefined> {
    const { rows } = await this.#database.run(
      "SELECT id FROM {file_processing_logs} WHERE process_log_id = ? AND file_name = ? AND status = 'PROCESSING'",
      [this.#id, cut(fileName, 500)],
    )
    return rows[0] && Number(rows[0]['id'])
  }

  async endFile(fileId: number, status: 'FAILED' | 'KILLED', error: string | null): Promise<void> {
    await this.#database.update(
      'file_processing_logs',
      { status, end_time: 'now', error_message: error },
      'id = ?',
      [fileId],
    )
  }

  /** All batches of a file are finished; `last` is the highest. */
  async completeFile(fileId: number, last: number): Promise<void> {
    const batches = { total_batches: last, processed_batches: last, last_processed_batch: last }
    await this.#database.update(
      'file_processing_logs',
      { status: 'COMPLETED', end_time: 'now', error_message: null, ...batches },
      'id = ?',
      [fileId],
    )
  }

  /** So many files are finished, those of earlier runs among them. */
  async filesFinished(count: number): Promise<void> {
    await this.#database.update('process_logs', { processed_files: count }, 'id = ?', [this.#id])
  }

  /** The end of the process, and of a file that it could not end. A final word is final: what another process wrote meanwhile stays. */
  async end(status: ProcessStatus, error: string | null): Promise<void> {
    await this.#database.update(
      'file_processing_logs',
      { status: status === 'KILLED' ? 'KILLED' : 'FAILED', end_time: 'now', error_message: error },
      "process_log_id = ? AND status = 'PROCESSING'",
      [this.#id],
    )
    await this.#database.update(
      'process_logs',
      { status, end_time: 'now', error_message: error },
      "id = ? AND status = 'RUNNING'",
      [this.#id],
    )
  }

  /** The row of a finished batch, for the transaction that moved the rows. It is inserted, never replaced: twice is an error. */
  batchDone(
    fileId: number,
    facts: BatchFacts,
    { counts, conflicts, archiveFile }: BatchResult,
    dialect: Dialect,
  ): readonly Statement[] {
    const status = hasDuplicates(counts) ? 'COMPLETED_WITH_DUPLICATES' : 'COMPLETED'
    const batch = this.#database.insertion('batch_processing_logs', {
      ...this.#cells(facts),
      ...countCells(counts),
      archive_file: archiveFile ?? null,
      status,
    })
    const file = this.#database.statement(
      `UPDATE {file_processing_logs} SET total_batches = GREATEST(total_batches, processed_batches + 1), processed_batches = processed_batches + 1, last_processed_batch = GREATEST(last_processed_batch, ?), records_processed = records_processed + ?, conflicts = conflicts + ? WHERE id = ?`,
      [facts.number, counts.requested, allConflicts(counts), fileId],
    )
    const process = this.#database.statement(
      'UPDATE {process_logs} SET current_batch = ?, replica_lag = ?, hll_value = ?, conflicts = conflicts + ?, throttled_ms = throttled_ms + ?, throttle_reason = ? WHERE id = ?',
      [
        facts.number,
        facts.lag,
        facts.hll,
        allConflicts(counts),
        Math.round(facts.throttledMs),
        cut(facts.throttleReason ?? '', 500) || null,
        this.#id,
      ],
    )
    const found = conflicts.map((conflict) =>
      this.#database.insertion('row_conflicts', {
        process_log_id: this.#id,
        file_name: cut(facts.fileName, 500),
        batch_number: facts.number,
        ...conflictRecord(dialect, conflict),
        found_at: 'now',
      }),
    )
    return [batch, file, process, ...found]
  }

  async batchFailed(facts: BatchFacts, error: string): Promise<void> {
    await this.forgetFailed(facts)
    await this.#database.insert('batch_processing_logs', {
      ...this.#cells(facts),
      status: 'FAILED',
      error_message: cut(error, 10_000),
    })
  }

  /** Makes room for the finished row of a batch that failed before. */
  async forgetFailed({ fileName, number }: BatchFacts): Promise<void> {
    await this.#database.run(
      "DELETE FROM {batch_processing_logs} WHERE process_log_id = ? AND file_name = ? AND batch_number = ? AND status IN ('FAILED', 'PROCESSING')",
      [this.#id, cut(fileName, 500), number],
    )
  }

  /** Why the next batch waits, for who looks meanwhile. */
  async heldBack({ reason, lag, hll }: Hold): Promise<void> {
    const cells = { replica_lag: lag, hll_value: hll, throttle_reason: cut(reason, 500) }
    await this.#database.update('process_logs', cells, 'id = ?', [this.#id])
  }

  async control(): Promise<string | undefined> {
    const { rows } = await this.#database.run('SELECT control FROM {process_logs} WHERE id = ?', [this.#id])
    return rows[0]?.['control'] ?? undefined
  }

  #cells(facts: BatchFacts) {
    return {
      process_log_id: this.#id,
      file_name: cut(facts.fileName, 500),
      batch_number: facts.number,
      first_line: facts.firstLine,
      last_line: facts.lastLine,
      first_id: cut(keyText(facts.keys[0] ?? []), 255),
      last_id: cut(keyText(facts.keys.at(-1) ?? []), 255),
      ids_requested: facts.keys.length,
      attempts: facts.attempts,
      duration_ms: Math.round(facts.durationMs),
      replica_lag: facts.lag,
      hll_value: facts.hll,
      throttled_ms: Math.round(facts.throttledMs),
      throttle_reason: cut(facts.throttleReason ?? '', 500) || null,
    }
  }
}
