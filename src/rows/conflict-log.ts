import { join } from 'node:path'
import { makeFolderNow } from '../platform/make-folder.ts'
import { appendOwn } from '../platform/own-file.ts'
import type { RowsListener } from './events.ts'

/**
 * `row_conflicts.jsonl` in work_dir: a line for each conflict, for people and jq. The table `row_conflicts` is the truth; a line that cannot be
 * written, or that a crash cut off, is left out. Only its owner can read it: it holds rows.
 */
export const conflictLog =
  (folder: string, now: () => number): RowsListener =>
  (event) => {
    if (event.type !== 'batch-done' || event.conflicts.length === 0) return
    const { file, batch } = event
    const found_at = new Date(now()).toISOString()
    const lines = event.conflicts.map(({ src_row, dst_row, ...conflict }) =>
      JSON.stringify({
        file_name: file,
        batch_number: batch,
        ...conflict,
        src_row: parsed(src_row),
        dst_row: parsed(dst_row),
        found_at,
      }),
    )
    try {
      makeFolderNow(folder)
      appendOwn(join(folder, 'row_conflicts.jsonl'), `${lines.join('\n')}\n`, { mode: 0o600 })
    } catch {
      // The table has the same.
    }
  }

const parsed = (row: string | null): unknown => (row === null ? null : JSON.parse(row))
