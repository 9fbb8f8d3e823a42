import { untilStopped } from '../../app/context.ts'
import { counted } from '../../common/counted.ts'
import { printable } from '../../common/redact.ts'
import { ArchiverError } from '../../errors.ts'
import { spanOption } from '../track/span.ts'
import { withLog } from './log-of.ts'
import { documentText, rowJson } from './row-json.ts'

export interface StatusOptions {
  readonly config: string
  readonly json?: boolean
  readonly limit?: string
  readonly since?: string
  readonly endedBadly?: string
}

type Row = Readonly<Record<string, string | null>>

const SHOWN =
  'id table_name process_type process_pid hostname start_time end_time status total_files processed_files current_file current_batch replica_lag hll_value conflicts throttled_ms throttle_reason control error_message source_name archive_name archive_server'.split(
    ' ',
  )
const SHOWN_OF_FILES =
  'file_name status total_batches processed_batches records_processed conflicts error_message'.split(' ')

/** `rows status`: executions, the newest first, with the files of each; with `--ended-badly` only those that did. */
export const rowsStatus = untilStopped<StatusOptions>((options, context) =>
  withLog(options.config, context, async ({ log }) => {
    const { json, endedBadly, limit = endedBadly === undefined ? '5' : undefined } = options
    const which = endedBadly === undefined ? '' : endedBadlySince(endedBadly, log.session.dialect)
    const most = limit === undefined ? '' : ` LIMIT ${numberOf('--limit', limit)}`
    const { rows } = await log.run(
      `SELECT ${await log.selection('process_logs', SHOWN, 'p')} FROM {process_logs} p${which} ORDER BY p.id DESC${most}`,
    )
    const columns = await log.selection('file_processing_logs', SHOWN_OF_FILES, 'f')
    const executions = []
    for (const row of rows) {
      const files = await log.run(
        `SELECT ${columns} FROM {file_processing_logs} f WHERE f.process_log_id = ? ORDER BY f.id`,
        [Number(row['id'])],
      )
      executions.push({ ...row, files: files.rows })
    }
    if (json)
      context.out(
        documentText({
          executions: executions.map(({ files, ...row }) => ({ ...rowJson(row), files: files.map(rowJson) })),
        }),
      )
    else for (const { files, ...row } of executions) context.out(executionText(row, files))
    return 0
  }),
)

const endedBadlySince = (span: string, dialect: string): string => {
  const seconds = spanOption('--ended-badly', span) / 1000
  const from =
    dialect === 'mysql'
      ? `DATE_SUB({now}, INTERVAL ${seconds} SECOND)`
      : `{now} - INTERVAL '${seconds} seconds'`
  return ` WHERE p.status IN ('KILLED', 'TERMINATED', 'SYSTEM_REBOOT') AND p.start_time > ${from}`
}

const executionText = (row: Row, files: readonly Row[]): string => {
  const lines = [
    `${row['id'] ?? ''}  ${row['status'] ?? ''}  ${row['table_name'] ?? ''}  ${row['process_type'] ?? ''}  since ${row['start_time'] ?? ''}${row['end_time'] == null ? `  pid ${row['process_pid'] ?? ''} on ${row['hostname'] ?? ''}` : `  until ${row['end_time']}`}`,
  ]
  const places = [placeText('of', row['source_name']), placeText('to the archive at', row['archive_server'])]
  if (places.some((place) => place !== undefined)) lines.push(`    ${places.filter(Boolean).join(', ')}`)
  if (row['status'] === 'RUNNING' && row['throttle_reason'] != null)
    lines.push(`    held back: ${row['throttle_reason']}`)
  if (row['control'] != null) lines.push(`    asked to ${row['control']}`)
  if (row['error_message'] != null) lines.push(`    ${row['error_message']}`)
  for (const file of files)
    lines.push(
      `    ${file['file_name'] ?? ''}  ${file['status'] ?? ''}  batch ${file['processed_batches'] ?? ''} of ${file['total_batches'] ?? ''}, ${counted(Number(file['records_processed']), 'id')}${Number(file['conflicts']) > 0 ? `, ${counted(Number(file['conflicts']), 'conflict')}` : ''}`,
    )
  return `${lines.map(printable).join('\n')}\n`
}

const placeText = (word: string, place: string | null | undefined): string | undefined =>
  place ? `${word} ${place}` : undefined

/** `rows stats`: what each day brought, from each source where several share the log. */
export const rowsStats = untilStopped<StatusOptions>(({ config, json, since = '7' }, context) =>
  withLog(config, context, async ({ log }) => {
    const days = numberOf('--since', since.replace(/(?<=\d)d$/, ''))
    const isMysql = log.session.dialect === 'mysql'
    const from = isMysql ? `DATE_SUB({now}, INTERVAL ${days} DAY)` : `{now} - INTERVAL '${days} days'`
    const day = isMysql ? 'CAST(DATE(b.created_at) AS CHAR)' : 'b.created_at::date::text'
    const source = await log.selection('process_logs', ['source_name'], 'p')
    const { rows } = await log.run(
      `SELECT ${day} AS day, ${source}, COUNT(DISTINCT b.process_log_id) AS executions, COUNT(*) AS batches, SUM(b.ids_requested) AS ids,
        SUM(b.rows_inserted) AS inserted, SUM(b.rows_deleted) AS deleted, SUM(b.conflicts) AS conflicts, SUM(CASE WHEN b.status = 'FAILED' THEN 1 ELSE 0 END) AS failed,
        SUM(b.throttled_ms) AS throttled_ms, SUM(b.duration_ms) AS duration_ms
       FROM {batch_processing_logs} b JOIN {process_logs} p ON p.id = b.process_log_id WHERE b.created_at > ${from} GROUP BY day, source_name ORDER BY day DESC, source_name`,
    )
    if (json)
      context.out(
        documentText({ days: rows.map((row) => ({ ...rowJson(row), ids_per_second: perSecond(row) })) }),
      )
    else for (const row of rows) context.out(dayText(row))
    return 0
  }),
)

const perSecond = (row: Row): number =>
  Math.round((Number(row['ids']) * 1000) / Math.max(1, Number(row['duration_ms'])))

const dayText = (row: Row): string =>
  `${row['day'] ?? ''}  ${many(row, 'executions', 'execution')}, ${batches(row['batches'])}, ${many(row, 'ids', 'id')}, ${many(row, 'deleted', 'row')} moved, ${many(row, 'conflicts', 'conflict')}, ${batches(row['failed'])} failed, ${counted(perSecond(row), 'id')} a second${row['source_name'] ? `, of ${row['source_name']}` : ''}\n`

const many = (row: Row, column: string, noun: string): string => counted(Number(row[column]), noun)
const batches = (count: string | null | undefined): string =>
  Number(count) === 1 ? '1 batch' : `${Number(count)} batches`

const numberOf = (name: string, text: string): number => {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new ArchiverError('USAGE', `${name}: "${text}" is not a number from 1`)
}
