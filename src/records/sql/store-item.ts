import { ItemError } from '../item-error.ts'
import { standingOf, type Stored } from '../map/compare-rows.ts'
import type { Row } from '../map/map-row.ts'
import type { MappedRecord } from '../map/map-record.ts'
import type { Mapping } from '../mapping/model.ts'
import type { Catalogue } from './catalogue-column.ts'
import { classOf, constraintOf, isTooLarge } from './classify-error.ts'
import { CommitUnknownError, type Insert, type RecordsDatabase, type Session } from './database.ts'
import { holdAgainstColumns } from './column-bounds.ts'
import { insertStatements, storedRows, tableCounts } from './insert-rows.ts'
import {
  correctLogRow,
  logInsert,
  logStates,
  writeLogRow,
  type LogEntry,
  type LogState,
  type LogWriter,
} from './processing-log.ts'

/** Steps of an item, in order, for those who want to stop it there. */
export type Step = 'sent' | 'log written' | `table ${string} written` | 'commit answered' | 'failure logged'

export interface StoreOptions {
  readonly database: RecordsDatabase
  readonly mapping: Mapping
  readonly writer: LogWriter
  readonly catalogue: Catalogue
  /** Called after each step that is reached. */
  readonly reached: (step: Step) => void
}

export type StoreResult =
  { readonly result: 'stored' | 'present'; readonly rowsWritten: number } | { readonly result: 'done before' }

/** How often the rows of shared tables may be in the way because another item has just written them. */
const MOST_COLLISIONS = 5

/**
 * Stores an item: its rows and its log row in one transaction, so that a crash at any moment leaves both or neither. The usual path asks
 * nothing; only where a key is taken are the stored rows read and compared, in a transaction that holds the item's log row, so that no
 * other worker changes them meanwhile. Rows that are there already with the same content are not written again. Throws an ItemError of
 * stage `insert` for what is wrong with the item, and the database's own error for everything else.
 */
export const storeItem = async (
  record: MappedRecord,
  entry: LogEntry,
  options: StoreOptions,
): Promise<StoreResult> => {
  holdAgainstColumns(record.rows, options.catalogue)
  const tables = JSON.stringify(tableCounts(options.mapping, record.rows))
  for (let collisions = 0; ; collisions++) {
    try {
      const full = { ...entry, tables }
      return await (collisions === 0
        ? insertNew(record, full, options)
        : insertMissing(record, full, options))
    } catch (error) {
      if (error instanceof DoneBefore) return { result: 'done before' }
      const kind = classOf(error)
      if (kind === 'constraint' || kind === 'refused') throw refusal(kind, error)
      if (kind !== 'duplicate') throw error
      if (collisions >= MOST_COLLISIONS) throw refusal('duplicate', error)
    }
  }
}

const countOf = (rows: ReadonlyMap<string, readonly Row[]>): number =>
  [...rows.values()].reduce((sum, { length }) => sum + length, 0)

class DoneBefore extends Error {}

/** Stores an item none of whose rows is expected to be there. */
const insertNew = async (
  record: MappedRecord,
  entry: LogEntry,
  options: StoreOptions,
): Promise<StoreResult> => {
  const sent = await insertInOneTrip(record, entry, options)
  if (typeof sent === 'object') return sent
  const stored = await insertAll(record, entry, options)
  if (sent === 'refused') takesSteps.add(options.database)
  return stored
}

/** What one trip takes: more values or longer texts go one statement after another. */
const MOST_IN_ONE_TRIP = { values: 10_000, bytes: 1_000_000 }

/** Databases that have refused in one trip what they took in several: a table behind a rule, a proxy that takes one statement. */
const takesSteps = new WeakSet<RecordsDatabase>()

/**
 * As `insertAll`, with one answer to wait for. `not sent` where the engine gains nothing by it, or the item is too large; `refused` by the server,
 * where one statement after another says which was wrong. Throws what says that a key is taken, and what concerns the connection.
 */
const insertInOneTrip = async (
  { rows }: MappedRecord,
  entry: LogEntry,
  { database, mapping, writer, reached }: StoreOptions,
): Promise<StoreResult | 'not sent' | 'refused'> => {
  const { dialect, inOneTrip } = database
  if (!inOneTrip || takesSteps.has(database)) return 'not sent'
  const inserts = mapping.tables.flatMap(({ name }) => insertStatements(dialect, name, rows.get(name) ?? []))
  const rowsWritten = countOf(rows)
  const log = logInsert(dialect, { ...entry, rowsWritten, result: 'stored' }, writer)
  if (!isForOneTrip([log, ...inserts])) return 'not sent'
  reached('sent')
  try {
    await inOneTrip([log, ...inserts])
  } catch (error) {
    const kind = classOf(error)
    if (kind === 'duplicate' || kind === 'transient' || kind === 'unknown') throw error
    return 'refused'
  }
  reached('commit answered')
  return { result: 'stored', rowsWritten }
}

const isForOneTrip = (inserts: readonly Insert[]): boolean => {
  let [values, bytes] = [0, 0]
  for (const insert of inserts) {
    values += insert.values.length
    for (const value of insert.values) bytes += typeof value === 'string' ? value.length : 0
  }
  return values <= MOST_IN_ONE_TRIP.values && bytes <= MOST_IN_ONE_TRIP.bytes
}

const insertAll = async (
  { rows }: MappedRecord,
  entry: LogEntry,
  options: StoreOptions,
): Promise<StoreResult> => {
  const { database, mapping, reached } = options
  const rowsWritten = countOf(rows)
  await database.transaction(async (session) => {
    await takeLogRow(session, { ...entry, rowsWritten, result: 'stored' }, options)
    for (const { name } of mapping.tables) await insertTable(session, name, rows.get(name) ?? [], options)
  })
  reached('commit answered')
  return { result: 'stored', rowsWritten }
}

/** As `insertAll`, for an item some of whose keys are taken: holds its rows against those that are there. */
const insertMissing = async (
  record: MappedRecord,
  entry: LogEntry,
  options: StoreOptions,
): Promise<StoreResult> => {
  const { database, mapping, writer, reached } = options
  const done = await database.transaction(async (session): Promise<StoreResult> => {
    await takeLogRow(session, { ...entry, result: 'present' }, options)
    const standing = standingOf(mapping, record.rows, await storedFor(session, record, options))
    if (standing.type === 'present') return { result: 'present', rowsWritten: 0 }
    for (const { name } of mapping.tables)
      await insertTable(session, name, standing.rows.get(name) ?? [], options)
    const rowsWritten = countOf(standing.rows)
    await correctLogRow(session, database.dialect, entry.key, { result: 'stored', rowsWritten }, writer)
    return { result: 'stored', rowsWritten }
  })
  reached('commit answered')
  return done
}

const takeLogRow = async (
  session: Session,
  entry: LogEntry,
  { database, writer, reached }: StoreOptions,
): Promise<void> => {
  if (!(await writeLogRow(session, database.dialect, entry, writer))) throw new DoneBefore()
  reached('log written')
}

const insertTable = async (
  session: Session,
  table: string,
  rows: readonly Row[],
  { database, catalogue, reached }: StoreOptions,
): Promise<void> => {
  if (rows.length === 0) return
  for (const { sql, values } of insertStatements(database.dialect, table, rows, catalogue.get(table)))
    await session.change(sql, values)
  reached(`table ${table} written`)
}

/** What the tables hold under the keys of an item's rows. */
export const storedFor = async (
  session: Session,
  record: Pick<MappedRecord, 'rows'>,
  { database, mapping, catalogue }: Pick<StoreOptions, 'database' | 'mapping' | 'catalogue'>,
): Promise<Stored> => {
  const found = new Map<string, Awaited<ReturnType<typeof storedRows>>>()
  for (const table of mapping.tables)
    found.set(
      table.name,
      await storedRows(
        session,
        database.dialect,
        table,
        record.rows.get(table.name) ?? [],
        catalogue.get(table.name),
      ),
    )
  return {
    rows: (table) => found.get(table) ?? [],
    hasDefault: (table, column) => catalogue.get(table)?.get(column)?.hasDefault ?? false,
  }
}

const refusal = (kind: 'constraint' | 'refused' | 'duplicate', error: unknown): ItemError => {
  const constraint = constraintOf(error)
  if (isTooLarge(error))
    return new ItemError(
      'STORE_REFUSED',
      'a row of the record, or its log row, is larger than max_allowed_packet of the server; nothing was written',
    )
  if (kind === 'refused') return new ItemError('STORE_REFUSED', 'the database refused a value of the record')
  return new ItemError(
    'CONSTRAINT',
    `the record breaks a constraint${constraint === undefined ? '' : `: ${constraint}`}; nothing was written`,
    constraint === undefined ? {} : { constraint },
  )
}

/**
 * Records that an item failed, never over a success. Where the answer to the commit is lost, the log row of this session says whether it
 * happened: it is not written twice.
 */
export const storeFailure = async (entry: LogEntry, options: StoreOptions): Promise<void> => {
  const { database, writer, reached } = options
  try {
    await database.transaction((session) => writeLogRow(session, database.dialect, entry, writer))
  } catch (error) {
    if (!(error instanceof CommitUnknownError)) throw error
    const state = await loggedState(String(entry.key), options)
    if (state?.sessionId !== writer.sessionId) throw error
  }
  reached('failure logged')
}

/** The log row of an item, over a new connection: what stands after a commit whose answer was lost. */
export const loggedState = async (
  key: string,
  { database, writer }: StoreOptions,
): Promise<LogState | undefined> => (await logStates(database, writer, [key])).get(key)
