import { userInfo } from 'node:os'
import type { Command } from '../../app/context.ts'
import { counted } from '../../common/counted.ts'
import { printable } from '../../common/redact.ts'
import { ArchiverError, failureOf, messageWithCode, type FailureError } from '../../errors.ts'
import { childNames } from '../../rows/preflight/children.ts'
import { preflight } from '../../rows/preflight/preflight.ts'
import { FORCEABLE, type Forceable } from '../../rows/preflight/problem.ts'
import { rowsError } from '../../rows/server-errors.ts'
import { dialectFor } from '../../rows/server.ts'
import { type Keep, settle } from '../../rows/settle.ts'
import { fullNameOf, groupOf, type Key } from '../../rows/table.ts'
import type { LogDatabase } from '../../rows/log/log-database.ts'
import { withLog, type OpenLog } from './log-of.ts'
import { documentText, rowJson } from './row-json.ts'
import { archiveFilesOf } from './rows-config.ts'

export interface ConflictOptions {
  readonly config: string
  readonly json?: boolean
  readonly keep?: string
  readonly key?: string
}

/**
 * `rows conflicts`: lists those that are open, or settles them with `--keep`. Returns 1 while some are open. Throws NOT_FOUND for a `--key` without any. Where several sources share `rows.log`, those
 * of the others are only named: their rows are on another server.
 */
export const rowsConflicts: Command<ConflictOptions> = (options, context) => {
  const keep = options.keep === undefined ? undefined : keepOf(options.keep)
  return withLog(options.config, context, async (open) => {
    const { log, config, connections, table } = open
    if (keep && archiveFilesOf(config))
      throw new ArchiverError(
        'USAGE',
        '--keep: the archive is a folder of files, whose moves have no conflicts',
        {
          hint: 'conflicts of earlier moves are settled with the configuration that names their archive table',
        },
      )
    const tables = [
      fullNameOf(table),
      ...(await childNames(connections.source, dialectFor(connections.source), config.rows.children)),
    ]
    const only = options.key === undefined ? '' : ' AND row_key = ?'
    const own = log.notOfOthers('process_log_id')
    const { rows } = await log.run(
      `SELECT id, table_name, file_name, batch_number, row_key, differing_columns, src_row, dst_row, found_at FROM {row_conflicts} WHERE table_name IN (${tables.map(() => '?').join(', ')}) AND resolution IS NULL${only}${own.sql} ORDER BY id`,
      [...tables, ...(options.key === undefined ? [] : [options.key]), ...own.values],
    )
    for (const line of await ofOthers(log, tables)) context.err(`${printable(line)}\n`)
    if (options.key !== undefined && rows.length === 0)
      throw new ArchiverError('NOT_FOUND', `there is no open conflict of the key ${options.key}`, {
        hint: 'run-archiver rows conflicts lists those that are open; a key of several columns is a list: \'["7","a"]\'',
      })
    if (keep === undefined) {
      if (options.json) context.out(documentText({ conflicts: rows.map(conflictJson) }))
      else {
        for (const row of rows)
          for (const line of [
            `${row['table_name'] === tables[0] ? '' : `${row['table_name'] ?? ''} `}${row['row_key'] ?? ''}  ${row['differing_columns'] ?? ''}  (${row['file_name'] ?? ''}, batch ${row['batch_number'] ?? ''}, ${row['found_at'] ?? ''})`,
            `  live:    ${row['src_row'] ?? '-'}`,
            `  archive: ${row['dst_row'] ?? '-'}`,
          ])
            context.out(`${printable(line)}\n`)
        context.out(`${counted(rows.length, 'open conflict')}\n`)
      }
      return rows.length === 0 ? 0 : 1
    }
    const unsettled: Unsettled[] = []
    const settled = await settleAll(open, rows, keep, forcedBy(context.argv), (row_key, error) => {
      unsettled.push({ row_key, error: failureOf(error) })
      context.err(`${messageWithCode(error)}\n`)
    })
    const left = rows.length - settled
    context.out(
      options.json
        ? documentText({ settled, left, unsettled })
        : `${counted(settled, 'conflict')} settled, ${left} left\n`,
    )
    return left === 0 ? 0 : 1
  })
}

/** A line for each other source that has open conflicts of tables with these names. A server that is named in another way now is another one. */
const ofOthers = async (log: LogDatabase, tables: readonly string[]): Promise<readonly string[]> => {
  if (log.source === undefined) return []
  const { rows } = await log.run(
    `SELECT p.source_name AS source, COUNT(*) AS n FROM {row_conflicts} c JOIN {process_logs} p ON p.id = c.process_log_id
       WHERE c.table_name IN (${tables.map(() => '?').join(', ')}) AND c.resolution IS NULL AND p.source_name <> ? GROUP BY p.source_name ORDER BY p.source_name`,
    [...tables, log.source],
  )
  return rows.map(
    ({ source, n }) =>
      `${counted(Number(n), 'open conflict')} of another source, ${source ?? ''} (here: ${log.source ?? ''}): left alone`,
  )
}

/** A conflict that stays open, and why. */
interface Unsettled {
  readonly row_key: string
  readonly error: FailureError
}

const conflictJson = (row: Readonly<Record<string, string | null>>) => {
  const version = (text: string | null | undefined): unknown => (text == null ? null : JSON.parse(text))
  return { ...rowJson(row), src_row: version(row['src_row']), dst_row: version(row['dst_row']) }
}

const keepOf = (word: string): Keep => {
  if (word === 'archive' || word === 'live' || word === 'both') return word
  throw new ArchiverError('USAGE', `--keep: "${word}" is none of archive, live and both`)
}

/** What was forced when the rows were moved need not be forced again for a row, but for what takes other rows along. */
const forcedBy = (argv: readonly string[]): ReadonlySet<Forceable> =>
  new Set(FORCEABLE.filter((name) => name !== 'cascades' || argv.includes('--force-cascades')))

const settleAll = async (
  { config, connections, log }: OpenLog,
  rows: readonly Readonly<Record<string, string | null>>[],
  keep: Keep,
  forced: ReadonlySet<Forceable>,
  onUnsettled: (rowKey: string, error: ArchiverError) => void,
): Promise<number> => {
  const { source, archive } = connections
  const dialect = dialectFor(source)
  const { pair, oneServer } = await preflight({
    source,
    archive,
    dialect,
    table: config.rows.table,
    archiveTable: config.rows.archive.table || config.rows.archiveTable,
    children: config.rows.children,
    batchSize: 1,
    forced,
  })
  const ofThisSource = log.notOfOthers('process_log_id')
  let settled = 0
  for (const row of rows) {
    const text = row['row_key'] ?? ''
    const own = groupOf(pair).find(({ source: one }) => fullNameOf(one) === row['table_name'])
    if (!own) continue // its table went away since it was listed
    const key: Key = own.key.length === 1 ? [text] : (JSON.parse(text) as string[])
    const recorded = { source: row['src_row'] ?? null, archive: row['dst_row'] ?? null }
    // The same row may have been found in conflict more than once: one decision settles all.
    const record = async (): Promise<void> => {
      await log.update(
        'row_conflicts',
        { resolution: keep, resolved_at: 'now', resolved_by: userInfo().username },
        `id = ? OR (table_name = ? AND row_key = ? AND resolution IS NULL AND src_row = ? AND dst_row = ?${ofThisSource.sql})`,
        [
          Number(row['id']),
          row['table_name'] ?? '',
          text,
          recorded.source,
          recorded.archive,
          ...ofThisSource.values,
        ],
      )
    }
    const { rows: open } = await log.run(
      'SELECT 1 FROM {row_conflicts} WHERE id = ? AND resolution IS NULL',
      [Number(row['id'])],
    )
    if (open.length > 0)
      try {
        await settle(
          { dialect, pair: own, source, archive: oneServer ? source : archive, log: connections.log },
          key,
          recorded,
          keep,
          record,
        )
      } catch (error) {
        onUnsettled(text, rowsError(error, `the conflict of ${text} stays`))
        continue
      }
    settled += 1
  }
  return settled
}
