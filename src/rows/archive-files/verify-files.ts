import { ArchiverError } from '../../errors.ts'
import type { LogDatabase } from '../log/log-database.ts'
import { cut } from '../log/rows-log.ts'
import type { ArchiveFolder } from './archive-folder.ts'
import { formatOf, rowsOf } from './row-lines.ts'

/** A file that does not hold what it should. */
export interface FileTrouble {
  readonly file: string
  readonly message: string
}

/** What a look at all archive files of a table found. */
export interface FilesVerified {
  /** Files that were read, and the rows in them. */
  readonly files: number
  readonly rows: number
  readonly troubles: readonly FileTrouble[]
  /** Files whose batch has committed and that wait for their place: the next run gives it. */
  readonly waiting: readonly string[]
  /** Pending files that no batch names: their rows stayed live. */
  readonly unnamed: readonly string[]
  /** Files in their place that no batch names: `rows cleanup` has forgotten them, or somebody put them there. */
  readonly unlogged: readonly string[]
}

/** Batches that one question to the log gives. */
const PAGE = 500

/** Files that finished batches of a table name, with the rows that went into each, in the order of the log. */
async function* loggedFiles(
  log: LogDatabase,
  table: string,
  archive: string,
): AsyncGenerator<{ readonly file: string; readonly rows: number }> {
  for (let last = 0; ;) {
    const { rows } = await log.run(
      `SELECT b.id AS id, b.archive_file AS f, b.rows_inserted AS n FROM {batch_processing_logs} b JOIN {process_logs} p ON p.id = b.process_log_id
       WHERE b.id > ? AND b.archive_file IS NOT NULL AND b.status LIKE 'COMPLETED%' AND p.table_name = ? AND p.archive_name = ? ORDER BY b.id LIMIT ${PAGE}`,
      [last, table, cut(archive, 255)],
    )
    for (const { f, n } of rows) yield { file: f ?? '', rows: Number(n) }
    if (rows.length < PAGE) return
    last = Number(rows.at(-1)?.['id'])
  }
}

/**
 * Reads every archive file of a table that the log names or that is there, and compares its sha256 with its name and its rows with the log. Changes nothing;
 * what it finds is in its answer. Throws the errors of the log's database, and ROWS_FAILED where the folder cannot be read.
 */
export const verifyFiles = async (
  folder: ArchiveFolder,
  log: LogDatabase,
  table: string,
  archive: string,
): Promise<FilesVerified> => {
  const pending = new Set(await folder.pending())
  const seen = new Set<string>()
  const troubles: FileTrouble[] = []
  const sum = { files: 0, rows: 0 }
  const look = async (file: string, expected?: number): Promise<void> => {
    seen.add(file)
    try {
      const count = await rowsIn(folder, file)
      if (expected !== undefined && count !== expected)
        troubles.push({ file, message: `has ${count} rows, and ${expected} were archived in it` })
      sum.files += 1
      sum.rows += count
    } catch (error) {
      if (!(error instanceof ArchiverError)) throw error
      troubles.push({ file, message: error.message })
    }
  }
  const waiting: string[] = []
  for await (const { file, rows } of loggedFiles(log, table, archive)) {
    if (pending.has(file)) waiting.push(file)
    await look(file, rows)
  }
  const unlogged: string[] = []
  for await (const file of folder.placed())
    if (!seen.has(file)) {
      unlogged.push(file)
      await look(file)
    }
  return { ...sum, troubles, waiting, unlogged, unnamed: [...pending].filter((file) => !seen.has(file)) }
}

const rowsIn = async (folder: ArchiveFolder, file: string): Promise<number> => {
  const content = await folder.content(file)
  if (!content) throw new ArchiverError('VERIFY_MISMATCH', `is missing from ${folder.path}`)
  try {
    return rowsOf(formatOf(file), content).length
  } catch (cause) {
    throw new ArchiverError('VERIFY_MISMATCH', 'is not an archive file', { cause })
  }
}
