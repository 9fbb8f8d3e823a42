import type { BatchMode } from '../../rows/batch.ts'
import type { RowsOutcome } from '../../rows/options.ts'

const TITLES: Readonly<Record<BatchMode, string>> = {
  move: 'moved',
  copy: 'copied (live rows stay)',
  verify: 'live and not archived',
  try: 'would be moved',
}

/** What a run came to, for people. */
export const outcomeLines = (outcome: RowsOutcome, mode: BatchMode): readonly string[] => {
  const { counts, status, reason, failedBatches, failedFiles, openConflicts, milliseconds } = outcome
  const seconds = Math.max(0.001, milliseconds / 1000)
  const lines = [
    `${mode === 'try' ? 'Dry run: ' : ''}${status}: ${counts.requested} ids in ${seconds.toFixed(1)} s (${Math.round(counts.requested / seconds)} a second)`,
    `  ${counts.moved} ${TITLES[mode]}`,
  ]
  const others: readonly (readonly [number, string])[] = [
    [
      counts.alreadyArchivedLive,
      mode === 'verify' || mode === 'copy'
        ? 'live with an identical twin in the archive'
        : 'archived before; their live rows were identical',
    ],
    [counts.alreadyArchived, 'not live, in the archive'],
    [counts.notFound, 'in neither table'],
    [counts.repeated, 'repeated in their batch'],
    [counts.appeared, 'came in while they were looked at; they stay live'],
    [counts.conflicts, 'conflicts: both versions are kept (run-archiver rows conflicts)'],
    [
      Math.max(0, openConflicts - counts.conflicts),
      'conflicts of earlier runs are open (run-archiver rows conflicts)',
    ],
    [failedBatches, 'batches failed'],
    [failedFiles, 'files failed'],
  ]
  for (const [count, text] of others) if (count > 0) lines.push(`  ${count} ${text}`)
  if (reason !== undefined) lines.push(`  ended early: ${reason}; the next run goes on`)
  return lines
}

export const outcomeJson = (outcome: RowsOutcome, mode: BatchMode): string => {
  const { error, ...rest } = outcome
  return `${JSON.stringify({ mode, ...rest, error: error?.message }, null, 2)}\n`
}
