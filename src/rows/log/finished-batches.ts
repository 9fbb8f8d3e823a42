import type { Counts } from '../batch.ts'
import type { BatchFacts } from './batch-facts.ts'
import { TYPES } from './process-entry.ts'
import { cut, type RowsLog } from './rows-log.ts'

/** Lines of a file that a finished batch covers, with the ids in them. */
export interface Covered {
  readonly firstLine: number
  readonly lastLine: number
  readonly ids: number
  /** Of a copy, the rows that the archive had when it ended, those that differed among them. */
  readonly archived: number
  /** The archive file that has its rows, by its name. */
  readonly file: string | undefined
}

/** The counts of a batch whose commit was not answered; undefined: it was not committed. */
export const finishedCounts = async (
  log: RowsLog,
  { fileName, number }: BatchFacts,
): Promise<Counts | undefined> => {
  const { rows } = await log.database.run(
    "SELECT * FROM {batch_processing_logs} WHERE process_log_id = ? AND file_name = ? AND batch_number = ? AND status LIKE 'COMPLETED%'",
    [log.id, cut(fileName, 500), number],
  )
  const [row] = rows
  if (!row) return undefined
  const count = (name: string): number => Number(row[name] ?? 0)
  return {
    requested: count('ids_requested'),
    moved: count('rows_inserted'),
    alreadyArchivedLive: count('already_archived_live'),
    conflicts: count('conflicts'),
    alreadyArchived: count('already_archived'),
    notFound: count('not_found'),
    appeared: count('appeared'),
    repeated: count('repeated'),
    heldBack: count('held_back'),
    inserted: count('rows_inserted'),
    deleted: count('rows_deleted'),
    childrenInserted: count('children_inserted'),
    childrenDeleted: count('children_deleted'),
    childConflicts: count('child_conflicts'),
  }
}

/** Rows that the archive had at the end of a batch. It has no twin of those that it refused for another unique key. */
const ARCHIVED = `b.rows_inserted + b.already_archived_live + b.already_archived + b.conflicts - CASE WHEN b.conflicts = 0 THEN 0 ELSE (SELECT COUNT(*) FROM {row_conflicts} c WHERE c.process_log_id = b.process_log_id AND c.file_name = b.file_name AND c.batch_number = b.batch_number AND c.table_name = p.table_name AND c.dst_row IS NULL) END`

/**
 * The lines of a version of a file that earlier processes finished, in their order. `server` is the archive's: what was archived on another one does not
 * count. Versions before that knew it wrote none, and count.
 */
export const coveredLines = async (
  log: RowsLog,
  sha256: string,
  table: string,
  archive: { readonly name: string; readonly server: string },
  type: string,
): Promise<readonly Covered[]> => {
  // Another source may have a table of the same name, and the same list of ids.
  const { source } = log.database
  const { rows } = await log.database.run(
    `SELECT b.first_line AS f, b.last_line AS l, b.ids_requested AS n, b.archive_file AS file, ${type === TYPES.copy ? ARCHIVED : '0'} AS archived FROM {batch_processing_logs} b
       JOIN {file_processing_logs} f ON f.process_log_id = b.process_log_id AND f.file_name = b.file_name
       JOIN {process_logs} p ON p.id = b.process_log_id
       WHERE f.file_sha256 = ? AND p.table_name = ? AND p.archive_name = ? AND (p.archive_server IS NULL OR p.archive_server = ?) AND p.process_type = ? AND b.status IN ('COMPLETED', 'COMPLETED_WITH_DUPLICATES') AND b.appeared = 0 AND b.held_back = 0${source === undefined ? '' : ' AND p.source_name = ?'}
       ORDER BY b.first_line, b.last_line, b.id`,
    [sha256, table, cut(archive.name, 255), archive.server, type, ...(source === undefined ? [] : [source])],
  )
  // Of a batch that was copied again, the last row says what the archive had at its end.
  const last = rows.filter(({ f, l }, at) => f !== rows[at + 1]?.['f'] || l !== rows[at + 1]?.['l'])
  return last.map((row) => ({
    firstLine: Number(row['f']),
    lastLine: Number(row['l']),
    ids: Number(row['n']),
    archived: Number(row['archived']),
    file: row['file'] ?? undefined,
  }))
}

/** How many rows of these versions of files were found to differ from their archived version, in any run, and are not settled. */
export const openConflicts = async (
  log: RowsLog,
  versions: readonly string[],
  tables: readonly string[],
): Promise<number> => {
  const keys = new Set<string>()
  const own = log.database.notOfOthers('c.process_log_id')
  for (let at = 0; at < versions.length; at += 500) {
    const some = versions.slice(at, at + 500)
    const { rows } = await log.database.run(
      `SELECT DISTINCT c.table_name AS t, c.row_key AS k FROM {row_conflicts} c
         JOIN {file_processing_logs} f ON f.process_log_id = c.process_log_id AND f.file_name = c.file_name
         WHERE c.table_name IN (${tables.map(() => '?').join(', ')}) AND c.resolution IS NULL AND f.file_sha256 IN (${some.map(() => '?').join(', ')})${own.sql}`,
      [...tables, ...some, ...own.values],
    )
    for (const { t, k } of rows) keys.add(JSON.stringify([t, k]))
  }
  return keys.size
}

/** Whether these batches are sure to be all of a file: none overlaps another, and together they have all of its ids. */
export const coverAll = (done: readonly Covered[], ids: number): boolean =>
  ids > 0 &&
  done.every((covered, at) => covered.firstLine > (done[at - 1]?.lastLine ?? 0)) &&
  done.reduce((sum, covered) => sum + covered.ids, 0) === ids
