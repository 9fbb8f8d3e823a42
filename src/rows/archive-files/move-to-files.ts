import { ArchiverError } from '../../errors.ts'
import { step } from '../../platform/atomic-file.ts'
import type { Statement } from '../../sql/session.ts'
import { countsOf, distinct, without, type BatchResult } from '../batch.ts'
import type { Work } from '../one-server.ts'
import { assertShape, orChanged } from '../shape.ts'
import { keyText, type Key } from '../table.ts'
import type { ArchiveFolder } from './archive-folder.ts'
import { archivedRows, assertKeptWhole, contentOf } from './exact-rows.ts'

export interface ToFiles extends Work {
  readonly folder: ArchiveFolder
  /** What the file of this batch is called, before its sum. */
  readonly batch: string
  readonly warn: (message: string) => void
}

/**
 * One batch into a file. The live rows are locked and read, written, synced, read back and compared, deleted; the batch's row, with the
 * file's name, commits with the delete, and then the file gets its place. A crash leaves the rows live, or a file that the batch's row names; never
 * neither. Once the COMMIT is sent, its file is never removed here, whatever the answer was.
 */
export const moveToFiles = async (
  work: ToFiles,
  all: readonly Key[],
  record: (result: BatchResult) => readonly Statement[],
): Promise<BatchResult> => {
  const { dialect, pair, source, mode, folder, batch, warn } = work
  const keys = distinct(all)
  let written: string | undefined
  let isSent = false
  let result: BatchResult
  try {
    await dialect.begin(source)
    const found = await dialect.read(source, pair, 'source', keys, true)
    const live = keys.filter((key) => found.has(keyText(key)))
    const rows = live.map((key) => found.get(keyText(key)) ?? {})
    step('rows-files: locked')
    const content = contentOf(folder.format, dialect, pair, rows)
    written = mode === 'try' || live.length === 0 ? undefined : await folder.write(batch, content)
    const stored = written === undefined ? content : await folder.content(written)
    assertKeptWhole(pair, live, rows, archivedRows(folder.format, dialect, pair, stored ?? Buffer.alloc(0)))
    step('rows-files: read back')
    const deletes = mode === 'move' || mode === 'try'
    const deleted = deletes ? await dialect.deleteLocked(source, pair, 'source', live) : 0
    if (deletes && deleted !== live.length) throw notAll(live.length, deleted)
    await assertShape(source, pair.source)
    const appeared = await dialect.present(source, pair, 'source', without(keys, live), false)
    const seen = { keys, repeated: all.length - keys.length, live, twins: [], conflicting: [] }
    const counts = countsOf({ ...seen, copied: live, appeared, deleted })
    result = { counts, conflicts: [], archiveFile: written }
    const row = record(result)
    step('rows-files: to be committed')
    isSent = mode !== 'try'
    if (mode === 'try') await source.run('ROLLBACK')
    else await source.runAll([...row, { sql: 'COMMIT' }])
    step('rows-files: committed')
  } catch (error) {
    await source.run('ROLLBACK').catch(() => undefined) // a broken connection has rolled back by itself
    if (written !== undefined && !isSent) await folder.removePending(written).catch(() => undefined) // settled later
    throw await orChanged(error, [[source, pair.source]])
  }
  if (written !== undefined)
    await folder.publish(written).catch((error: unknown) => {
      warn(`${error instanceof Error ? error.message : String(error)}; the next run gives the file its place`)
    })
  return result
}

const notAll = (wanted: number, deleted: number): ArchiverError =>
  new ArchiverError('ROWS_FAILED', `${wanted} rows were to be deleted and ${deleted} were`, {
    hint: 'the batch was rolled back; a trigger may keep rows from being deleted',
  })
