import type { Log } from '../../common/log.ts'
import type { LedgerDatabase } from './schema-types.ts'
import { openDatabase, type DatabaseOptions } from '../../sql/open-database.ts'
import { corrections } from './corrections.ts'
import { daysOf, daysTouched } from './daily-stats.ts'
import { failuresOf } from './daily-failures.ts'
import { firstSeen } from './registered-tasks.ts'
import { migrateLedger } from './migrate-ledger.ts'
import { isRefusal } from '../../sql/data-errors.ts'
import type { Row } from './row.ts'
import { upserts, writeRows } from './upsert.ts'
import type { LedgerStore } from './writer-options.ts'

export interface StoreOptions extends DatabaseOptions {
  readonly now: () => number
  readonly log: Log
  /** Who migrates: the program's version. */
  readonly version: string
  /** Called for each row that the database will never take as it is. The others are written. */
  readonly onRefused: (row: Row, error: Error) => void
}

/** The ledger, open and of the newest version. */
export interface OpenStore extends LedgerStore {
  readonly database: LedgerDatabase
}

/** Opens and migrates. Throws LEDGER_UNAVAILABLE, or what the driver throws. */
export const openStore = async (options: StoreOptions): Promise<OpenStore> => {
  const database = await openDatabase(options)
  warnOfKept(options.log, database.keptOnOpening)
  try {
    const taken = await migrateLedger(database, { now: options.now, by: options.version })
    for (const name of taken)
      options.log.warn(`The ledger's view "${name}" could not be made: a table of this name is there already`)
  } catch (error) {
    void close(database, options.log, error).catch(() => undefined)
    throw error
  }
  return {
    database,
    write: (rows) => writeLedger(database, rows, options.onRefused),
    writeNow: nowWriter(database),
    close: (error) => close(database, options.log, error),
  }
}

/** Closes; a file that the error shows to be damaged is kept aside, as when it is opened. */
const close = async (database: LedgerDatabase, log: Log, error?: unknown): Promise<void> => {
  try {
    await database.close()
  } finally {
    warnOfKept(log, database.keepDamaged?.(error))
  }
}

const warnOfKept = (log: Log, kept: string | undefined): void => {
  if (kept !== undefined) log.warn(`The ledger was damaged and is kept as ${kept}; a new one is begun`)
}

type OnRefused = StoreOptions['onRefused']

/** Rows, and the statistics of the days on which an execution ended, in one transaction each. */
export const writeLedger = async (
  database: LedgerDatabase,
  rows: readonly Row[],
  onRefused: OnRefused,
): Promise<void> => {
  const corrected = await corrections(database, rows)
  await writeOrRefuse(database, rows, onRefused)
  const days = daysTouched(rows)
  const more = [
    ...corrected,
    ...firstSeen(database, rows),
    ...(await daysOf(database, days)),
    ...(await failuresOf(database, days)),
  ]
  await writeRows(database.kysely, more, database.dialect, database.schema)
}

/** Where a row is refused, halves are tried until it stands alone: one row must never keep the others from being written. */
const writeOrRefuse = async (
  database: LedgerDatabase,
  rows: readonly Row[],
  onRefused: OnRefused,
): Promise<void> => {
  try {
    await writeRows(database.kysely, rows, database.dialect, database.schema)
  } catch (error) {
    const [first] = rows
    if (!isRefusal(error) || !first) throw error
    if (rows.length === 1) {
      onRefused(first, error)
      return
    }
    const middle = Math.floor(rows.length / 2)
    await writeOrRefuse(database, rows.slice(0, middle), onRefused)
    await writeOrRefuse(database, rows.slice(middle), onRefused)
  }
}

const nowWriter = (database: LedgerDatabase): LedgerStore['writeNow'] => {
  const { kysely, runNow, dialect, schema } = database
  if (!runNow) return undefined
  return (rows) => {
    for (const statement of upserts(rows, dialect, schema)) {
      const { sql, parameters } = statement.compile(kysely)
      runNow(sql, parameters)
    }
  }
}
