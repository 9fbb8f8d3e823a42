import type { RowsLog } from '../log/rows-log.ts'
import type { RowsOptions } from '../options.ts'
import { rowsError } from '../server-errors.ts'
import { fullNameOf, type Pair } from '../table.ts'
import type { ArchiveFolder } from './archive-folder.ts'
import { settlePending } from './pending-files.ts'

/**
 * Begins an execution that writes files: what earlier ones left is settled, and its folder is made, with what its columns are. For the holder of the
 * table's lock. Throws ROWS_FAILED where the folder does not take it.
 */
export const beginFiles = async (
  { runId, warn }: Pick<RowsOptions, 'runId' | 'warn'>,
  folder: ArchiveFolder,
  log: RowsLog,
  pair: Pair,
): Promise<void> => {
  const unnamed = await settlePending(folder, log.database).catch((error: unknown) => {
    throw rowsError(error, 'archive files')
  })
  if (unnamed.length > 0)
    warn(
      `${unnamed.length} ${unnamed.length === 1 ? 'file' : 'files'} in ${folder.path}/pending belong to batches that did not commit; run-archiver rows cleanup removes those whose rows are all live`,
    )
  await folder.begin(log.id, runId, await aboutOf(log, runId, folder, pair))
}

/** What somebody needs to read the files of an execution in many years. */
const aboutOf = async (
  { id, database }: RowsLog,
  runId: string,
  { format }: ArchiveFolder,
  { source, columns }: Pair,
): Promise<string> => {
  const { rows } = await database.session.run('SELECT VERSION() AS version')
  const about = {
    table: fullNameOf(source),
    execution: id,
    run_id: runId,
    format,
    server: { kind: database.session.dialect, version: rows[0]?.['version'] ?? null },
    key: source.key,
    columns: columns.map(({ source: column }) => ({
      name: column.name,
      type: column.fullType,
      nullable: column.nullable,
      charset: column.charset ?? null,
      collation: column.collation ?? null,
    })),
  }
  return `${JSON.stringify(about, null, 2)}\n`
}
