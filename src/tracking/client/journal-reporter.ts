import { statSync, unlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolderNow } from '../../platform/make-folder.ts'
import { monotonic } from '../../platform/host.ts'
import { redact as redactByLook } from '../../common/redact.ts'
import { messageOf } from '../../errors.ts'
import type { Row } from '../ledger/row.ts'
import { Spool } from '../ledger/spool.ts'
import type { LedgerWriter } from '../ledger/writer.ts'
import { Journal } from './journal.ts'
import type { Lineage } from './lineage.ts'
import { openLineage, openWriter, SPOOL_FILE, type WriterSettings } from './open-writer.ts'
import type { Operation } from './operations.ts'
import type { TrackStore } from './track-store.ts'
import { trackedRows } from './tracked-rows.ts'
import { overwriteOwn } from '../../platform/own-file.ts'

/** Milliseconds for which commands leave a database alone that a command before them could not reach. */
const CIRCUIT = 30_000

/**
 * Reports one execution that several processes of this host report. `report` only remembers; what it remembers goes to the journal with the
 * next flush, and the execution's rows to the database, or to the spool. Nothing here throws.
 */
export class JournalReporter {
  readonly #settings: WriterSettings
  readonly #journal: Journal
  readonly #writer: LedgerWriter<TrackStore> | undefined
  readonly #lineage: Lineage | undefined
  readonly #runId: string
  readonly #rows: Row[] = []
  #pending: Operation[] = []

  constructor(settings: WriterSettings, runId: string) {
    this.#settings = settings
    this.#journal = new Journal(settings.place.folder, runId)
    this.#runId = runId
    this.#lineage = openLineage(settings)
    this.#writer = openWriter(settings, () => this.#drain())
  }

  get journal(): Journal {
    return this.#journal
  }

  get store(): TrackStore | undefined {
    return this.#writer?.store
  }

  /** Takes an operation; the newest of two reports of progress stands for both. */
  report(operation: Operation, urgent = true): void {
    if (operation.op === 'init') this.#lineage?.begins(this.#runId)
    const last = this.#pending.at(-1)
    const replaces = last?.op === 'progress' && operation.op === 'progress'
    if (replaces) this.#pending[this.#pending.length - 1] = { ...last, ...operation }
    else this.#pending.push(operation)
    if (!urgent) {
      this.#writer?.wake()
      return
    }
    // At once, and not only when the database answers: a command that is started next looks for the journal.
    this.#keep()
    void this.flush()
  }

  /** A measurement, which stands in a table of its own. */
  measured(row: Row): void {
    this.#rows.push(row)
    this.#writer?.wake()
  }

  async flush(): Promise<void> {
    if (this.#writer) await this.#writer.flush()
    else this.#drain() // nothing is written: lineage sees the rows all the same
  }

  /** Writes what is unwritten, for `ms` milliseconds at most; the rest waits in the spool. Removes the journal of an execution that has ended. */
  async close(ms = 2000): Promise<void> {
    const until = monotonic() + ms
    if (this.#writer) await this.#writer.close(ms)
    else this.#drain()
    await this.#lineage?.close(Math.max(0, until - monotonic()))
    if (this.#journal.execution?.hasEnded) this.#journal.remove()
  }

  /**
   * For a command that reports once and ends. Where a command could not reach the database within the last half minute, this one does not
   * try: a script with fifty reports must not wait fifty times.
   */
  async once(operations: readonly Operation[], ms = 2000): Promise<void> {
    if (operations.some(({ op }) => op === 'init')) this.#lineage?.begins(this.#runId)
    this.#pending.push(...operations)
    const { place, now } = this.#settings
    const mark = join(place.folder, 'tracking', 'database-away')
    const failures = this.#writer?.failures ?? 0
    if (isFresh(mark, now())) {
      this.#spool(this.#drain())
      await this.#lineage?.close(ms)
      if (this.#journal.execution?.hasEnded) this.#journal.remove()
      return
    }
    await this.close(ms)
    if ((this.#writer?.failures ?? 0) > failures) touch(mark, now())
    else quietly(() => unlinkSync(mark))
  }

  #spool(rows: readonly Row[]): void {
    const { place, log } = this.#settings
    const spool = new Spool(join(place.folder, SPOOL_FILE))
    const trouble = spool.append(rows)
    const lost = spool.takeLost()
    if (trouble !== undefined) log.warn(`${lost} rows were given up: ${spool.path} could not be written`)
    else if (lost > 0) log.warn(`${lost} reports of progress were given up: ${spool.path} is full`)
  }

  /** Appends what was reported to the journal. */
  #keep(): void {
    const { now, redact = redactByLook, log } = this.#settings
    const pending = this.#pending
    this.#pending = []
    try {
      this.#journal.append(pending, now())
    } catch (error) {
      log.warn(`Failed to update status: ${redact(messageOf(error))}`)
    }
  }

  #drain(): Row[] {
    const { now, redact = redactByLook, log } = this.#settings
    this.#keep()
    try {
      const changed = this.#journal.read()
      const { execution, revision } = this.#journal
      const rows = changed && execution ? trackedRows(execution, { revision, now: now(), redact }) : []
      this.#lineage?.see(rows)
      const measured = this.#rows.splice(0).map((row) => ({
        ...row,
        cells: { ...row.cells, rows_processed: execution?.rowsProcessed ?? null },
      }))
      return [...rows, ...measured]
    } catch (error) {
      log.warn(`Failed to update status: ${redact(messageOf(error))}`)
      return this.#rows.splice(0)
    }
  }
}

const isFresh = (file: string, now: number): boolean => {
  const age = now - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity)
  return age >= 0 && age < CIRCUIT
}

const touch = (file: string, now: number): void =>
  quietly(() => {
    makeFolderNow(join(file, '..'), 0o750)
    overwriteOwn(file, '')
    utimesSync(file, now / 1000, now / 1000)
  })

const quietly = (act: () => void): void => {
  try {
    act()
  } catch {
    // A convenience: without the mark the next command waits for the database itself.
  }
}
