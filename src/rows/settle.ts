import { ArchiverError } from '../errors.ts'
import { step } from '../platform/atomic-file.ts'
import type { Conflict, ConflictRecord } from './batch.ts'
import type { Session } from '../sql/session.ts'
import type { Dialect, RowTexts, Side } from './dialects/dialect.ts'
import { moveDescendants } from './groups.ts'
import { assertShapes } from './shape.ts'
import { fullNameOf, groupOf, keyText, type Key, type Pair } from './table.ts'

export type Keep = 'archive' | 'live' | 'both'

export interface Recorded {
  /** The versions as they were when the conflict was found, as JSON; null: there was none. */
  readonly source: string | null
  readonly archive: string | null
}

export interface SettleWork {
  readonly dialect: Dialect
  readonly pair: Pair
  readonly source: Session
  /** The archive's connection; the source's own where one server has both. */
  readonly archive: Session
  /** The connection by which the resolution is recorded; the source's own where it has the log tables. */
  readonly log: Session
}

/**
 * Settles one conflict. Both rows are read again under locks first, and must be what was recorded: throws CONFLICT where one has changed since.
 * `live` replaces the archived version by a copy of the live row, compares it, and only then deletes the live row. Rows that refer to it are moved
 * first, in the same transaction. `record` writes the resolution: in the transaction of the source where that has the log, else when it is committed.
 * A crash before that leaves a conflict that is open, and settling it again in the same way finds what is done already.
 */
export const settle = async (
  work: SettleWork,
  key: Key,
  recorded: Recorded,
  keep: Keep,
  record: () => Promise<void>,
): Promise<void> => {
  const { dialect, pair, source, archive, log } = work
  const isOne = source === archive
  await dialect.begin(source)
  if (!isOne) await dialect.begin(archive)
  try {
    const versions = { live: await readIn(work, 'source', key), kept: await readIn(work, 'archive', key) }
    if (!isSettled(work, versions, recorded, keep)) {
      assertSame(work, versions, recorded, keep, key)
      await keepVersion(work, key, versions, keep)
    }
    await assertShapes(
      source,
      groupOf(pair).map((one) => one.source),
    )
    await assertShapes(
      archive,
      groupOf(pair).map((one) => one.archive),
    )
    if (log === source) await record()
    step('rows-settle: to be committed')
    await source.run('COMMIT')
    step('rows-settle: committed')
    if (!isOne) await archive.run('ROLLBACK').catch(() => undefined) // it only held locks since its commit
  } catch (error) {
    await source.run('ROLLBACK').catch(() => undefined) // a broken connection has rolled back by itself
    if (!isOne) await archive.run('ROLLBACK').catch(() => undefined)
    throw error
  }
  if (log !== source) await record()
}

/** The two versions of a row, as they are now. */
interface Versions {
  readonly live: RowTexts | undefined
  readonly kept: RowTexts | undefined
}

/** Under a lock. */
const readIn = async (work: SettleWork, side: Side, key: Key): Promise<RowTexts | undefined> =>
  (await work.dialect.read(work[side], work.pair, side, [key], true)).get(keyText(key))

/** Leaves one version, or both, within the transactions that are open. */
const keepVersion = async (
  work: SettleWork,
  key: Key,
  { live, kept }: Versions,
  keep: Keep,
): Promise<void> => {
  const { dialect, pair, source, archive } = work
  if (keep === 'both') return
  if (keep === 'archive' && !kept)
    throw new ArchiverError(
      'CONFLICT',
      `the archive has no row ${key.join(', ')}: the live one is the only one`,
      {
        hint: 'free the unique key in the archive and run again, or settle it with --keep both',
      },
    )
  if (keep === 'live') {
    if (!live) throw gone(key)
    await dialect.deleteLocked(archive, pair, 'archive', [key])
    await dialect.write(archive, pair, [live])
    if (JSON.stringify(await readIn(work, 'archive', key)) !== JSON.stringify(live))
      throw new ArchiverError(
        'VERIFY_MISMATCH',
        `the archive does not keep the live row ${key.join(', ')} as it is`,
      )
    if (source !== archive) {
      await archive.run('COMMIT')
      step('rows-settle: archive committed')
      await dialect.begin(archive)
    }
  }
  if (pair.children) await moveDescendants({ dialect, pair, source, mode: 'move', guarded: true }, key)
  await dialect.deleteLocked(source, pair, 'source', [key])
  // Triggers and cascades of the delete may have reached the archive.
  await dialect.settleDeferred(source)
  const last = await readIn(work, 'archive', key)
  if (JSON.stringify(last) !== JSON.stringify(keep === 'live' ? live : kept))
    throw new ArchiverError(
      'VERIFY_MISMATCH',
      `the archive does not keep the row ${key.join(', ')} after the delete of the live one`,
    )
}

const gone = (key: Key): ArchiverError =>
  new ArchiverError('CONFLICT', `the live row ${key.join(', ')} is gone`)

/** A row as it is recorded with a conflict. */
const recordOf = (dialect: Dialect, pair: Pair, row: RowTexts | undefined): string | null =>
  row === undefined
    ? null
    : JSON.stringify(
        Object.fromEntries(
          pair.columns.map(({ source }) => [source.name, dialect.readable(source, row[source.name] ?? null)]),
        ),
      )

/** A conflict as it is kept for people: in `row_conflicts`, and in `row_conflicts.jsonl`. */
export const conflictRecord = (dialect: Dialect, { pair, ...conflict }: Conflict): ConflictRecord => ({
  table_name: fullNameOf(pair.source),
  row_key: keyText(conflict.key),
  differing_columns: conflict.differing.join(', ') || 'another unique key of the archive is taken',
  src_row: recordOf(dialect, pair, conflict.source),
  dst_row: recordOf(dialect, pair, conflict.archive),
})

/** Whether all is as settling leaves it: an earlier try was committed and ended before it was recorded. */
const isSettled = (
  { dialect, pair }: SettleWork,
  { live, kept }: Versions,
  recorded: Recorded,
  keep: Keep,
): boolean =>
  keep !== 'both' &&
  live === undefined &&
  recorded.source !== null &&
  kept !== undefined &&
  recordOf(dialect, pair, kept) === (keep === 'live' ? recorded.source : recorded.archive)

/** Throws CONFLICT where a version is another by now. Of two servers, the archive may have the live one already. */
const assertSame = (
  { dialect, pair }: SettleWork,
  { live, kept }: Versions,
  recorded: Recorded,
  keep: Keep,
  key: Key,
): void => {
  const changed = (which: string): ArchiverError =>
    new ArchiverError(
      'CONFLICT',
      `the ${which} row ${key.join(', ')} has changed since the conflict was found`,
      { hint: 'run-archiver rows run looks at it again' },
    )
  if (recordOf(dialect, pair, live) !== recorded.source) throw changed('live')
  const archived = recordOf(dialect, pair, kept)
  const isCopied = keep === 'live' && archived === recorded.source
  if (archived !== recorded.archive && !isCopied) throw changed('archived')
}
