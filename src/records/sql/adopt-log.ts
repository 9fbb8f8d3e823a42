import { ArchiverError } from '../../errors.ts'
import type { RecordsDialect } from './records-url.ts'
import type { KeyType, Mapping } from '../mapping/model.ts'
import { catalogueColumns } from './catalogue.ts'
import type { RecordsDatabase, Session } from './database.ts'
import { asText, quoted } from './dialect.ts'
import { LOG_TABLE, logOwner, logTableSql, ORIGINAL_LOG } from './log-table.ts'

/** What became of the original's log, counted by items. */
export interface AdoptedLog {
  readonly stored: number
  readonly failed: number
  /** Logged as stored, and the base table has no row of them: left out, so that they are taken again. */
  readonly unproven: number
  readonly baseTable: string
}

/** A log that is being filled; it takes its place when it is whole. */
const FILLING = 'processing_log_adopted'

/**
 * Takes over the `processing_log` of the original. The old table is kept under another name. Returns undefined where there is no such log.
 *
 * The original may have several rows an item: success wins over failed, and of failures the last counts. A success is believed only where the base
 * table has the item's row. A crash leaves the old log in its place, or the new one, whole; it may be called again.
 *
 * Throws MAPPING_INVALID where no table has one row an item and the record's key in it, and STORE_REFUSED where the name for the old log is taken.
 */
export const adoptLog = async (
  database: RecordsDatabase,
  mapping: Mapping,
  task: string,
): Promise<AdoptedLog | undefined> => {
  const { owner, columns } = await logOwner(database)
  if (owner !== 'the original') return undefined
  if (database.dialect === 'mssql')
    throw new ArchiverError('STORE_REFUSED', '--adopt-log is not offered for SQL Server', {
      hint: `rename ${LOG_TABLE} of the original; items that it stored are then found as present`,
    })
  if ((await catalogueColumns(database, ORIGINAL_LOG)) !== undefined)
    throw new ArchiverError(
      'STORE_REFUSED',
      `the target has both ${LOG_TABLE} of the original and ${ORIGINAL_LOG}`,
      {
        hint: `rename ${ORIGINAL_LOG}: the log that is taken over is kept under that name`,
      },
    )
  const { keyType } = mapping.record
  const base = baseOf(mapping)
  // MySQL commits each change of a table by itself: there the last statement alone changes what is seen.
  return database.transaction(async (session) => {
    const { dialect } = database
    const name = (table: string): string => quoted(dialect, table)
    await session.change(`DROP TABLE IF EXISTS ${name(FILLING)}`)
    await session.change(logTableSql(dialect, keyType, FILLING))
    const filled = await fill(session, { dialect, keyType, columns, base, task })
    if (dialect === 'mysql')
      await session.change(
        `RENAME TABLE ${name(LOG_TABLE)} TO ${name(ORIGINAL_LOG)}, ${name(FILLING)} TO ${name(LOG_TABLE)}`,
      )
    else {
      await session.change(`ALTER TABLE ${name(LOG_TABLE)} RENAME TO ${name(ORIGINAL_LOG)}`)
      await session.change(`ALTER TABLE ${name(FILLING)} RENAME TO ${name(LOG_TABLE)}`)
    }
    return { ...filled, baseTable: base.table }
  })
}

interface Base {
  readonly table: string
  readonly column: string
}

/** The first table that has one row an item, and the record's key in it. */
const baseOf = ({ tables }: Mapping): Base => {
  for (const { name, each, rows } of tables) {
    const column = rows.flatMap(({ columns }) => columns).find(({ origin }) => origin.type === 'key')?.name
    if (each === undefined && column !== undefined) return { table: name, column }
  }
  throw new ArchiverError(
    'MAPPING_INVALID',
    '--adopt-log: no table has one row an item with a column { from: $key }: a success of the original cannot be checked',
  )
}

interface Filling {
  readonly dialect: RecordsDialect
  readonly keyType: KeyType
  readonly columns: ReadonlyMap<string, unknown>
  readonly base: Base
  readonly task: string
}

const fill = async (
  session: Session,
  { dialect, keyType, columns, base, task }: Filling,
): Promise<Omit<AdoptedLog, 'baseTable'>> => {
  const [log, old] = [quoted(dialect, FILLING), quoted(dialect, LOG_TABLE)]
  const key = keyType === 'text' ? asText(dialect, 'o.app_id') : `CAST(o.app_id AS ${WHOLE[dialect]})`
  const keyOf = (column: string): string => (columns.has(column) ? `MAX(o.${column})` : 'NULL')
  const isSuccess = `LOWER(o.status) = 'success'`
  const stands = `EXISTS (SELECT 1 FROM ${quoted(dialect, base.table)} b WHERE b.${quoted(dialect, base.column)} = ${key})`
  const names =
    'app_id, status, failure_reason, processing_time, session_id, app_id_start, app_id_end, task, retry_count, result, tables'
  const rest = `${keyOf('processing_time')}, ${keyOf('session_id')}, ${keyOf('app_id_start')}, ${keyOf('app_id_end')}`
  const stored = await session.change(
    `INSERT INTO ${log} (${names}) SELECT ${key}, 'success', NULL, ${rest}, ?, 0, 'present', '{}'
       FROM ${old} o WHERE ${isSuccess} AND ${stands} GROUP BY o.app_id`,
    [task],
  )
  // Item 0 is what the original wrote where it did not know the item.
  const last = columns.has('log_id') ? 'l.log_id' : 'l.processing_time'
  const reason = columns.has('failure_reason')
    ? `(SELECT SUBSTR(l.failure_reason, 1, 500) FROM ${old} l WHERE l.app_id = o.app_id ORDER BY ${last} DESC LIMIT 1)`
    : 'NULL'
  const failed = await session.change(
    `INSERT INTO ${log} (${names}) SELECT ${key}, 'failed', ${reason}, ${rest}, ?, COUNT(*) - 1, NULL, '{}'
       FROM ${old} o WHERE LOWER(o.status) = 'failed' AND ${key} <> ${keyType === 'text' ? `'0'` : '0'}
       AND NOT EXISTS (SELECT 1 FROM ${old} s WHERE s.app_id = o.app_id AND LOWER(s.status) = 'success') GROUP BY o.app_id`,
    [task],
  )
  const [row] = await session.rows(
    `SELECT COUNT(DISTINCT o.app_id) AS items FROM ${old} o WHERE ${isSuccess} AND NOT ${stands}`,
  )
  return { stored, failed, unproven: Number(row?.['items'] ?? 0) }
}

const WHOLE: Readonly<Record<RecordsDialect, string>> = {
  sqlite: 'INTEGER',
  postgres: 'bigint',
  mysql: 'SIGNED',
  mssql: 'bigint',
}
