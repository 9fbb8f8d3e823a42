import type { Command } from '../../app/context.ts'
import { counted } from '../../common/counted.ts'
import { ArchiverError } from '../../errors.ts'
import { cut } from '../../rows/log/rows-log.ts'
import { fullNameOf } from '../../rows/table.ts'
import { cleanFiles } from './files.ts'
import { withLog } from './log-of.ts'
import { documentText } from './row-json.ts'

export interface ControlOptions {
  readonly config: string
  readonly json?: boolean
  readonly id: string
}

const WORDS = { pause: 'pause', cancel: 'cancel', resume: null } as const
const SAID = {
  pause: 'will pause before its next batch',
  cancel: 'will end after the batch in hand',
  resume: 'goes on',
}

/**
 * `rows pause|resume|cancel ID`: the running process reads it before its next batch, a second later at most. A cancel stays: who pauses an execution
 * that was cancelled gets NOT_FOUND.
 */
export const rowsControl =
  (word: keyof typeof WORDS): Command<ControlOptions> =>
  ({ config, id, json }, context) => {
    const number = /^[1-9]\d{0,9}$/.test(id) ? Number(id) : undefined
    if (number === undefined)
      throw new ArchiverError('USAGE', `"${id}" is not the number of an execution`, {
        hint: 'run-archiver rows status lists them',
      })
    return withLog(config, context, async ({ log }) => {
      const isRunning = "id = ? AND status = 'RUNNING'"
      const mayChange = word === 'cancel' ? isRunning : `${isRunning} AND COALESCE(control, '') <> 'cancel'`
      await log.update('process_logs', { control: WORDS[word] }, mayChange, [number])
      const { rows } = await log.run(`SELECT id, control FROM {process_logs} WHERE ${isRunning}`, [number])
      if (rows.length === 0)
        throw new ArchiverError('NOT_FOUND', `execution ${id} is not running`, {
          hint: 'run-archiver rows status lists them',
        })
      if (word !== 'cancel' && rows[0]?.['control'] === 'cancel')
        throw new ArchiverError(
          'CONFLICT',
          `execution ${id} was cancelled: it ends after the batch in hand`,
          {
            hint: 'run-archiver rows run starts another one, which goes on where it ended',
          },
        )
      context.out(
        json ? documentText({ id: number, control: WORDS[word] }) : `execution ${id} ${SAID[word]}\n`,
      )
      return 0
    })
  }

/**
 * `rows cleanup`: removes executions that ended long ago from the log tables. One whose conflicts are open stays whole: it alone says which source they are
 * of. One that wrote archive files goes only by the configuration of their table and folder, when its files have their place: a file that is still pending
 * would look as if its rows had stayed live. Losing the rest costs time, never a row.
 */
export const rowsCleanup: Command<{ config: string; json?: boolean; olderThan: string }> = (
  { config, json, olderThan },
  context,
) => {
  const [, count] = /^(\d{1,5})d?$/.exec(olderThan) ?? []
  const days = count === undefined ? undefined : Number(count)
  if (days === undefined)
    throw new ArchiverError('USAGE', `--older-than: "${olderThan}" is not a number of days`)
  return withLog(config, context, async (open) => {
    const { log, table } = open
    const cleaned = await cleanFiles(open)
    const limit =
      log.session.dialect === 'mysql'
        ? `DATE_SUB({now}, INTERVAL ${days} DAY)`
        : `{now} - INTERVAL '${days} days'`
    const { rows } = await log.run(
      `SELECT id FROM {process_logs} WHERE status <> 'RUNNING' AND end_time < ${limit} AND id NOT IN (SELECT process_log_id FROM {row_conflicts} WHERE resolution IS NULL)
         AND ((table_name = ? AND archive_name = ?) OR id NOT IN (SELECT process_log_id FROM {batch_processing_logs} WHERE archive_file IS NOT NULL))`,
      [fullNameOf(table), cut(cleaned.archive ?? '', 255)],
    )
    let batches = 0
    for (const { id } of rows) {
      const number = Number(id)
      await log.run('DELETE FROM {row_conflicts} WHERE process_log_id = ? AND resolution IS NOT NULL', [
        number,
      ])
      batches += (await log.run('DELETE FROM {batch_processing_logs} WHERE process_log_id = ?', [number]))
        .affected
      await log.run('DELETE FROM {file_processing_logs} WHERE process_log_id = ?', [number])
      await log.run('DELETE FROM {process_logs} WHERE id = ?', [number])
    }
    context.out(
      json
        ? documentText({ executions: rows.length, batches })
        : `${cleaned.text}${counted(rows.length, 'execution')} with ${batches === 1 ? '1 batch' : `${batches} batches`} removed; a file of theirs that is run again asks about each of its ids\n`,
    )
    return 0
  })
}
