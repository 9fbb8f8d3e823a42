import { ArchiverError } from '../errors.ts'
import { ArchiveFolder } from './archive-files/archive-folder.ts'
import { beginFiles } from './archive-files/begin-files.ts'
import { allConflicts, NOTHING } from './batch.ts'
import { BatchRunner } from './batch-runner.ts'
import { BatchSize } from './batch-size.ts'
import { FileMover } from './file-mover.ts'
import type { Progress } from './file-work.ts'
import { openConflicts } from './log/finished-batches.ts'
import { beginLog, endLog, TYPES } from './log/process-entry.ts'
import type { RowsOptions, RowsOutcome, RowsStatus } from './options.ts'
import { emptied, partitionsBefore } from './partitions.ts'
import { type Opened, openChecked } from './open-checked.ts'
import { persist } from './reconnect.ts'
import type { RunConnections } from './run-connections.ts'
import { rowsError } from './server-errors.ts'
import { fullNameOf, groupOf, type Pair } from './table.ts'

/**
 * Moves the rows that the files name. Throws ROWS_REFUSED, LOCK_HELD, DATABASE_UNAVAILABLE before anything was touched; later trouble is in the
 * outcome. A signal ends it after the batch in hand, which is rolled back when it takes longer than the grace.
 */
export const moveRows = async (options: RowsOptions): Promise<RowsOutcome> => {
  const began = options.monotonic()
  const opened = await openChecked(options)
  const ignoreSignal = endAtSignal(options, opened.connections)
  try {
    return await run(options, opened, began)
  } finally {
    ignoreSignal()
    await opened.connections.close()
  }
}

/** At the signal a batch may take the grace, then its connections are dropped. Returns what takes this back. */
const endAtSignal = (
  { signal, graceMs, listener, self }: RowsOptions,
  connections: RunConnections,
): (() => void) => {
  let grace: NodeJS.Timeout | undefined
  const onStop = (): void => {
    listener({ type: 'stopping', signal: String(signal.reason), pid: self.pid })
    grace = setTimeout(() => connections.destroy(), graceMs)
  }
  if (signal.aborted) onStop()
  else signal.addEventListener('abort', onStop, { once: true })
  return () => {
    clearTimeout(grace)
    signal.removeEventListener('abort', onStop)
  }
}

const run = async (
  options: RowsOptions,
  { connections, dialect, cleared }: Opened,
  began: number,
): Promise<RowsOutcome> => {
  const { signal, mode, listener } = options
  const { pair } = cleared
  const progress = beginProgress()
  if (mode === 'move' || mode === 'copy')
    await beginLog(options, connections, pair.source, fullNameOf(pair.archive)).catch((error: unknown) => {
      throw rowsError(error, 'log tables')
    })
  const folder = options.archiveFiles && new ArchiveFolder(options.archiveFiles, fullNameOf(pair.source))
  const runner = new BatchRunner(options, connections, dialect, cleared, folder)
  const size = new BatchSize(options.batchSize)
  const mover = new FileMover(
    { options, connections, runner, dialect, pair, size, began, type: TYPES[mode], folder },
    progress,
  )
  const filled =
    mode === 'move' && !pair.children ? await partitionsBefore(connections.source, dialect, pair.source) : []
  const error = await moveEach(options, connections, mover, progress, folder, pair)
  const isOver = signal.aborted || error !== undefined
  const counted = isOver ? undefined : await countOpenConflicts(connections, signal, progress, pair)
  const open = counted ?? 0
  const status = statusOf(progress, open, error, signal)
  const reason = signal.aborted ? undefined : progress.reason
  const emptiedPartitions = isOver ? [] : await emptied(connections.source, filled)
  await endLog(options, connections, status, error ?? reason ?? progress.failure)
  const { counts, failedBatches, failedFiles } = progress
  listener({ type: 'ended', status, counts, openConflicts: counted, error })
  const milliseconds = options.monotonic() - began
  return {
    ...{ status, counts, failedBatches, failedFiles, openConflicts: open, reason, error },
    ...{ emptiedPartitions, milliseconds },
  }
}

const beginProgress = (): Progress => ({
  counts: NOTHING,
  batches: 0,
  failedBatches: 0,
  failedFiles: 0,
  finishedFiles: 0,
  versions: [],
  reason: undefined,
  failure: undefined,
})

/** Moves one file after another, or the rows of the condition. Returns what ended it early; throws what nobody foresaw. */
const moveEach = async (
  options: RowsOptions,
  connections: RunConnections,
  mover: FileMover,
  progress: Progress,
  folder: ArchiveFolder | undefined,
  pair: Pair,
): Promise<ArchiverError | undefined> => {
  try {
    if (folder && connections.log) await beginFiles(options, folder, connections.log, pair)
    for (const path of options.where === undefined ? options.files : [undefined]) {
      await mover.move(path)
      if (options.signal.aborted || progress.reason !== undefined) break
    }
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof ArchiverError)) throw thrown
    return thrown
  }
}

/** Conflicts of these files that nobody has settled; undefined where nothing is logged. */
const countOpenConflicts = async (
  connections: RunConnections,
  signal: AbortSignal,
  { versions }: Progress,
  pair: Pair,
): Promise<number | undefined> => {
  const tables = groupOf(pair).map((one) => fullNameOf(one.source))
  return persist(
    'row_conflicts',
    connections,
    signal,
    async () => connections.log && openConflicts(connections.log, versions, tables),
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
