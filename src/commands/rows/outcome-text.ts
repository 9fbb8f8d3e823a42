import { failureOf } from '../../errors.ts'
import { allConflicts, type BatchMode } from '../../rows/batch.ts'
import type { RowsOutcome } from '../../rows/options.ts'
import type { SqlDialect } from '../../sql/session.ts'
import { partitionHint } from './partition-hint.ts'
import { documentText } from './row-json.ts'

const TITLES: Readonly<Record<BatchMode, string>> = {
  move: 'moved',
  copy: 'copied (live rows stay)',
  verify: 'live and not archived',
  try: 'would be moved',
}

const CHILD_TITLES: Readonly<Record<BatchMode, string>> = {
  move: 'copied',
  copy: 'copied (live rows stay)',
  verify: 'live and not archived',
  try: 'would be copied',
}

/** Deleted rows from which on their space is worth a word. */
const MANY = 100_000

/** What gives the space of deleted rows back to the system. It is only named: it rebuilds the table. */
const spaceHint = (deleted: number, { name, dialect }: LiveTable): string => {
  const statement = dialect === 'mysql' ? `OPTIMIZE TABLE ${name}` : `VACUUM FULL ${name}`
  return `  the space of ${deleted} deleted rows stays with the table for new ones; ${statement} gives it back, and rebuilds the table meanwhile`
}

/** The table that rows were moved from, as the configuration names it. */
export interface LiveTable {
  readonly name: string
  /** Undefined where the archive is a folder of files. */
  readonly archive: string | undefined
  readonly dialect: SqlDialect
}

const either = (count: number, one: string, many: string): string => (count === 1 ? one : many)

/** What a run came to, for people. */
export const outcomeLines = (outcome: RowsOutcome, mode: BatchMode, table: LiveTable): readonly string[] => {
  const { counts, status, reason, failedBatches, failedFiles, openConflicts, milliseconds } = outcome
  const earlier = Math.max(0, openConflicts - allConflicts(counts))
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
    [counts.notFound, table.archive === undefined ? 'not live' : 'in neither table'],
    [counts.repeated, 'repeated in their batch'],
    [counts.appeared, 'came in while they were looked at; they stay live'],
    [
      counts.conflicts,
      `${either(counts.conflicts, 'conflict', 'conflicts')}: both versions are kept (run-archiver rows conflicts)`,
    ],
    [counts.heldBack, 'held back: a row that refers to them is in conflict; the next run looks again'],
    [
      counts.childConflicts,
      `${either(counts.childConflicts, 'conflict', 'conflicts')} of rows that refer to them: both versions are kept`,
    ],
    [
      counts.childrenInserted,
      `${either(counts.childrenInserted, 'row', 'rows')} of child tables ${CHILD_TITLES[mode]}`,
    ],
    [
      earlier,
      `${either(earlier, 'conflict of earlier runs is', 'conflicts of earlier runs are')} open (run-archiver rows conflicts)`,
    ],
    [failedBatches, `${either(failedBatches, 'batch', 'batches')} failed`],
    [failedFiles, `${either(failedFiles, 'file', 'files')} failed`],
  ]
  for (const [count, text] of others) if (count > 0) lines.push(`  ${count} ${text}`)
  if (mode === 'move' && counts.deleted >= MANY) lines.push(spaceHint(counts.deleted, table))
  const { name: live, archive: kept, dialect } = table
  if (kept !== undefined)
    lines.push(...partitionHint(outcome.emptiedPartitions, { live, kept, dialect }, true))
  if (reason !== undefined) lines.push(`  ended early: ${reason}; the next run goes on`)
  return lines
}

/** The same as one document: every key is always there. */
export const outcomeJson = (outcome: RowsOutcome, mode: BatchMode): string => {
  const { error, reason, ...rest } = outcome
  return documentText({ mode, ...rest, reason: reason ?? null, error: error ? failureOf(error) : null })
}
