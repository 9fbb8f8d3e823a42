import type { Session } from '../../sql/session.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { LogDatabase } from '../log/log-database.ts'
import { differingColumns } from '../row-texts.ts'
import { keyText, type Pair } from '../table.ts'
import type { ArchiveFolder } from './archive-folder.ts'
import { archivedRows } from './exact-rows.ts'
import { formatOf } from './row-lines.ts'

/** The live table that files are compared with. */
export interface LiveRows {
  readonly source: Session
  readonly dialect: Dialect
  readonly pair: Pair
}

/** Names that one question to the log has. */
const PART = 500

/** Those of the files that a finished batch names. */
const named = async (log: LogDatabase, files: readonly string[]): Promise<ReadonlySet<string>> => {
  const found = new Set<string>()
  for (let at = 0; at < files.length; at += PART) {
    const some = files.slice(at, at + PART)
    const { rows } = await log.run(
      `SELECT archive_file AS f FROM {batch_processing_logs} WHERE archive_file IN (${some.map(() => '?').join(', ')}) AND status LIKE 'COMPLETED%'`,
      some,
    )
    for (const { f } of rows) found.add(f ?? '')
  }
  return found
}

/**
 * Gives pending files their place whose batch has committed: a batch's row says so, and it commits with the delete of the rows. Returns those that no
 * row names; they stay. For the holder of the table's lock: no transaction that could still commit has it.
 */
export const settlePending = async (folder: ArchiveFolder, log: LogDatabase): Promise<readonly string[]> => {
  const pending = await folder.pending()
  const committed = await named(log, pending)
  for (const name of pending) if (committed.has(name)) await folder.publish(name)
  return pending.filter((name) => !committed.has(name))
}

/**
 * Removes pending files that no batch names, each once all of its rows are found live and unchanged, under locks. Returns how many were removed,
 * and those that stay. For the holder of the table's lock.
 */
export const removeUnnamed = async (
  folder: ArchiveFolder,
  log: LogDatabase,
  { source, dialect, pair }: LiveRows,
): Promise<{ readonly removed: number; readonly kept: readonly string[] }> => {
  const unnamed = await settlePending(folder, log)
  const kept: string[] = []
  for (const name of unnamed) {
    await dialect.begin(source)
    try {
      if (await isLive(folder, { source, dialect, pair }, name)) await folder.removePending(name)
      else kept.push(name)
    } finally {
      await source.run('ROLLBACK')
    }
  }
  return { removed: unnamed.length - kept.length, kept }
}

const isLive = async (
  folder: ArchiveFolder,
  { source, dialect, pair }: LiveRows,
  name: string,
): Promise<boolean> => {
  // A file that cannot be read proves nothing, and stays.
  const content = await folder.content(name).catch(() => undefined)
  if (!content) return false
  let rows
  try {
    rows = archivedRows(formatOf(name), dialect, pair, content)
  } catch {
    return false
  }
  const keys = rows.map(({ key }) => key)
  const live = await dialect.read(source, pair, 'source', keys, true)
  return rows.every(({ key, texts }) => {
    const row = live.get(keyText(key))
    return row !== undefined && differingColumns(texts, row).length === 0
  })
}
