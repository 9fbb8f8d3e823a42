import { redact } from '../common/redact.ts'
import { messageOf } from '../errors.ts'
import { allConflicts } from './batch.ts'
import type { RowsEvent, RowsListener } from './events.ts'
import { terminatedText } from './options.ts'
import type { TextLog } from './text-log.ts'

/** The lines of the original script on the screen. */
export const screen =
  (out: (line: string) => void): RowsListener =>
  (event) => {
    for (const line of linesOf(event)) out(line)
  }

/** Those of its lines that say what failed or was done again. */
export const troubleLines =
  (out: (line: string) => void): RowsListener =>
  (event) => {
    if (event.type === 'file-failed' || event.type === 'batch-failed' || event.type === 'batch-retry')
      for (const line of linesOf(event)) out(line)
  }

const linesOf = (event: RowsEvent): readonly string[] => {
  switch (event.type) {
    case 'closed-dead':
      return [`Marked incomplete process ${event.pid} as ${event.word}`]
    case 'file-started':
      return event.isResumed ? [] : [`Processing file: ${event.file}`]
    case 'file-resumed':
      return [
        `Resuming file ${event.file} from batch ${event.batch}`,
        `Records already processed: ${event.records}`,
      ]
    case 'file-skipped':
      return [`Skipping file ${event.file}: all of its batches are finished`]
    case 'batch-skipped':
      return [`Skipping already processed batch ${event.batch}`]
    case 'batch-started':
      return [batchLine(event)]
    case 'batch-done':
      return event.conflicts.map(
        ({ row_key, differing_columns }) =>
          `Conflict in batch ${event.batch}: ${row_key}: ${differing_columns}`,
      )
    case 'batch-retry':
      return [`Batch ${event.batch} is tried again: ${redact(messageOf(event.error))}`]
    case 'batch-failed':
      return [
        `Error processing batch ${event.batch} in file ${event.file}: ${redact(messageOf(event.error))}`,
      ]
    case 'throttled':
      return [throttleLine(event)]
    case 'file-done':
      return [`File ${event.file} completed successfully. Total records processed: ${event.records}`]
    case 'file-failed':
      return [`File ${event.file} failed: ${redact(messageOf(event.error))}`]
    case 'stopping':
      return [terminatedText(event.signal, event.pid), 'Graceful shutdown initiated...']
    case 'killed':
    case 'started':
    case 'held-back':
    case 'ended':
      return []
  }
}

const batchLine = (event: Extract<RowsEvent, { type: 'batch-started' }>): string =>
  `Processing batch ${event.batch}/${event.batches} - IDs: ${event.first} to ${event.last} (${event.ids} records)`

const throttleLine = ({ reason, milliseconds }: { reason: string; milliseconds: number }): string =>
  `THROTTLED: ${reason} (paused ${Math.round(milliseconds / 1000)}s)`

/** The same in the text log, in the words that people grep for. */
export const textLines =
  (log: TextLog): RowsListener =>
  (event) => {
    switch (event.type) {
      case 'started':
        log.scriptStarts()
        break
      case 'closed-dead':
        log.line(`Marked incomplete process ${event.pid} as ${event.word}`)
        break
      case 'file-started':
        if (!event.isResumed) log.line(`STARTING: ${event.file} (Size: ${event.size} bytes)`)
        break
      case 'file-resumed':
        log.line(`RESUMING: ${event.file} from batch ${event.batch} (Records processed: ${event.records})`)
        break
      case 'batch-started':
        log.batch(event.file, event.batch, 'PROCESSING')
        log.line(batchLine(event))
        break
      case 'batch-done':
        if (allConflicts(event.counts) > 0)
          log.line(
            `DUPLICATE_KEY_ERROR: Batch ${event.batch} - ${allConflicts(event.counts)} rows differ from their archived version; both are kept`,
          )
        log.batch(event.file, event.batch, event.status)
        break
      case 'batch-failed':
        log.line(
          `ERROR: Error processing batch ${event.batch} in file ${event.file}: ${messageOf(event.error)}`,
        )
        log.batch(event.file, event.batch, 'FAILED')
        break
      case 'throttled':
        log.line(throttleLine(event))
        break
      case 'killed':
        log.killed(event.signal)
        break
      case 'file-failed':
        log.line(`ERROR: Error processing file ${event.file}: ${messageOf(event.error)}`)
        break
      case 'file-done':
      case 'file-skipped':
      case 'batch-skipped':
      case 'batch-retry':
      case 'stopping':
      case 'ended':
        break
    }
  }
