import { ArchiverError, messageWithCode } from '../errors.ts'
import { ArchiveFolder } from './archive-files/archive-folder.ts'
import { beginFiles } from './archive-files/begin-files.ts'
import { allConflicts, NOTHING } from './batch.ts'
import { BatchRunner } from './batch-runner.ts'
import { BatchSize } from './batch-size.ts'
import { closeDead, holderOf } from './dead-runs.ts'
import { FileMover } from './file-mover.ts'
import type { Progress } from './file-work.ts'
import { openConflicts } from './log/finished-batches.ts'
import { assertLogTables } from './log/log-tables-fit.ts'
import type { RowsLog } from './log/rows-log.ts'
import { type RowsOptions, type RowsOutcome, type RowsStatus, sleep, terminatedText } from './options.ts'
import { emptied, partitionsBefore } from './partitions.ts'
import { preflight } from './preflight/preflight.ts'
import type { Cleared } from './preflight/problem.ts'
import { persist } from './reconnect.ts'
import { RunConnections } from './run-connections.ts'
import { acquireTableLock } from './run-lock.ts'
import { rowsError } from './server-errors.ts'
import { connect, type Connections, dialectFor } from './server.ts'
import { fullNameOf, groupOf, type Table } from './table.ts'

/** How an execution is named in `process_logs.process_type`: only executions of one type resume each other. */
const TYPES = { move: 'ARCHIVE', copy: 'COPY', verify: 'VERIFY', try: 'TRY' } as const

/** The files of a run; a condition is one. */
const stepsOf = ({ files, where }: RowsOptions): number => (where === undefined ? files.length : 1)

/**
 * Moves the rows that the files name. Throws ROWS_REFUSED, LOCK_HELD, DATABASE_UNAVAILABLE before anything was touched; later trouble is in the
 * outcome. A signal ends it after the batch in hand, which is rolled back when it takes longer than the grace.
 */
export const moveRows = async (options: RowsOptions): Promise<RowsOutcome> => {
  const began = options.monotonic()
  const { signal, graceMs, listener } = options
  const places = { ...options.places, logsRows: options.forced.has('binlog') }
  const opened = await connect(places)
  const dialect = dialectFor(opened.source)
  const look = ({ source, archive }: Connections): Promise<Cleared> =>
    preflight({
      source,
      archive,
      dialect,
      table: options.table,
      archiveTable: options.archiveTable,
      archiveFiles: options.archiveFiles && {
        ...options.archiveFiles,
        logsInTransaction: places.log === undefined,
      },
      where: options.where,
      children: options.children,
      batchSize: options.batchSize === 'auto' ? 10_000 : options.batchSize,
      forced: options.forced,
    })
  let cleared: Cleared
  try {
    cleared = await look(opened)
  } catch (error) {
    await opened.close()
    throw rowsError(error, 'preflight')
  }
  for (const { message } of cleared.overruled) options.warn(`overruled: ${message}`)
  const { pair, oneServer } = cleared
  const connections = new RunConnections(opened, places, pair.source, oneServer, async (fresh) =>
    assertCleared(cleared, await look(fresh)),
  )
  let grace: NodeJS.Timeout | undefined
  const onStop = (): void => {
    listener({ type: 'stopping', signal: String(signal.reason), pid: options.self.pid })
    grace = setTimeout(() => connections.destroy(), graceMs)
  }
  if (signal.aborted) onStop()
  else signal.addEventListener('abort', onStop, { once: true })
  const writesLog = options.mode === 'move' || options.mode === 'copy'
  const progress: Progress = {
    counts: NOTHING,
    batches: 0,
    failedBatches: 0,
    failedFiles: 0,
    finishedFiles: 0,
    versions: [],
    reason: undefined,
  }
  try {
    if (writesLog)
      await beginLog(options, connections, pair.source, fullNameOf(pair.archive)).catch((error: unknown) => {
        throw rowsError(error, 'log tables')
      })
    const folder = options.archiveFiles && new ArchiveFolder(options.archiveFiles, fullNameOf(pair.source))
    const runner = new BatchRunner(options, connections, dialect, cleared, folder)
    const size = new BatchSize(options.batchSize)
    const mover = new FileMover(
      { options, connections, runner, dialect, pair, size, began, type: TYPES[options.mode] },
      progress,
    )
    const filled =
      options.mode === 'move' && !pair.children
        ? await partitionsBefore(connections.source, dialect, pair.source)
        : []
    let error: Error | undefined
    try {
      if (folder && connections.log) await beginFiles(options, folder, connections.log, pair)
      for (const path of options.where === undefined ? options.files : [undefined]) {
        await mover.move(path)
        if (signal.aborted || progress.reason !== undefined) break
      }
    } catch (thrown) {
      if (!(thrown instanceof ArchiverError)) throw thrown
      error = thrown
    }
    const { log } = connections
    const isOver = signal.aborted || error !== undefined
    const open =
      log && !isOver
        ? await persist('row_conflicts', connections, signal, () =>
            openConflicts(
              connections.log ?? log,
              progress.versions,
              groupOf(pair).map((one) => fullNameOf(one.source)),
            ),
          )
        : 0
    const counted = log && !isOver ? open : undefined
    const status = statusOf(progress, open, error, signal)
    const reason = signal.aborted ? undefined : progress.reason
    const emptiedPartitions = isOver ? [] : await emptied(connections.source, filled)
    await endLog(options, connections, status, error ?? reason)
    listener({ type: 'ended', status, counts: progress.counts, openConflicts: counted, error })
    const { counts, failedBatches, failedFiles } = progress
    return {
      status,
      counts,
      failedBatches,
      failedFiles,
      openConflicts: open,
      reason,
      error,
      emptiedPartitions,
      milliseconds: options.monotonic() - began,
    }
  } finally {
    clearTimeout(grace)
    signal.removeEventListener('abort', onStop)
    await connections.close()
  }
}

/** After a break another server may answer, or the tables may have changed: what was looked at once must be so still. */
const assertCleared = (first: Cleared, again: Cleared): void => {
  if (JSON.stringify(first) === JSON.stringify(again)) return
  throw new ArchiverError(
    'ROWS_REFUSED',
    'after the connection broke, what it leads to is not what it was when the run began',
    { hint: 'run again: it looks at both tables anew, and finished batches are skipped' },
  )
}

const statusOf = (
  progress: Progress,
  open: number,
  error: Error | undefined,
  signal: AbortSignal,
): RowsStatus => {
  if (signal.aborted) return 'KILLED'
  if (error) return 'FAILED'
  const { counts, failedBatches, failedFiles, reason } = progress
  const stays = allConflicts(counts) + counts.heldBack + counts.appeared
  const isWhole = failedBatches + failedFiles + stays + open === 0 && reason === undefined
  return isWhole ? 'COMPLETED' : 'PARTIAL'
}

/** Takes the table's lock, gives dead processes their final word, and begins this one in the log. */
const beginLog = async (
  options: RowsOptions,
  connections: RunConnections,
  table: Table,
  archive: string,
): Promise<RowsLog> => {
  const log = await connections.openLog()
  const name = fullNameOf(table)
  await assertLogTables(log.database)
  await log.database.prepare()
  await acquireTableLock(connections.source, table, {
    holder: () => holderOf(log.database, name, options.here),
    sleep: (ms) => sleep(ms, options.signal),
  })
  const closed = await closeDead(log.database, name, options.here)
  await log.begin(options.self, {
    table: name,
    archive,
    type: TYPES[options.mode],
    files: stepsOf(options),
    batchSize: options.batchSize === 'auto' ? 0 : options.batchSize,
    runId: options.runId,
  })
  options.listener({ type: 'started', id: log.id, table: name, files: stepsOf(options) })
  for (const { pid, word } of closed) options.listener({ type: 'closed-dead', pid, word })
  return log
}

/** Writes the end, over a new connection where the last one is gone. Where that fails too, the next start finds the process dead. */
const endLog = async (
  options: RowsOptions,
  connections: RunConnections,
  status: RowsStatus,
  why: Error | string | undefined,
): Promise<void> => {
  const { signal, self, warn } = options
  if (!connections.log) return
  const message =
    status === 'KILLED'
      ? terminatedText(String(signal.reason), self.pid)
      : why instanceof Error
        ? options.redact(messageWithCode(why))
        : (why ?? null)
  if (signal.aborted) options.listener({ type: 'killed', signal: String(signal.reason) })
  const write = (): Promise<void> => connections.log?.end(status, message) ?? Promise.resolve()
  await write()
    .catch(async () => {
      await connections.reopenLog()
      await write()
    })
    .catch((error: unknown) =>
      warn(`the end could not be written into the log tables: ${messageWithCode(error)}`),
    )
}
