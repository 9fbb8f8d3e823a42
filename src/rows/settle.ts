import { ArchiverError } from '../errors.ts'
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
}

/**
 * Settles one conflict. Both rows are read again under locks first, and must be what was recorded: throws CONFLICT where one has changed since.
 * `record` writes the resolution before the last commit. `live` replaces the archived version by a copy of the live row, compares it, and only
 * then deletes the live row. Rows that refer to it are moved first, in the same transaction.
 */
export const settle = async (
  { dialect, pair, source, archive }: SettleWork,
  key: Key,
  recorded: Recorded,
  keep: Keep,
  record: () => Promise<void>,
): Promise<void> => {
  const isOne = source === archive
  await dialect.begin(source)
  if (!isOne) await dialect.begin(archive)
  try {
    const read = async (session: Session, side: Side): Promise<RowTexts | undefined> =>
      (await dialect.read(session, pair, side, [key], true)).get(keyText(key))
    const live = await read(source, 'source')
    const kept = await read(archive, 'archive')
    assertSame(dialect, pair, live, recorded.source, 'live', key)
    assertSame(dialect, pair, kept, recorded.archive, 'archived', key)
    if (keep === 'live') {
      if (!live) throw gone(key)
      await dialect.deleteLocked(archive, pair, 'archive', [key])
      await dialect.write(archive, pair, [live])
      const stored = (await dialect.read(archive, pair, 'archive', [key], true)).get(keyText(key))
      if (JSON.stringify(stored) !== JSON.stringify(live))
        throw new ArchiverError(
          'VERIFY_MISMATCH',
          `the archive does not keep the live row ${key.join(', ')} as it is`,
        )
      if (!isOne) {
        await archive.run('COMMIT')
        await dialect.begin(archive)
      }
    }
    if (keep === 'archive' && !kept)
      throw new ArchiverError(
        'CONFLICT',
        `the archive has no row ${key.join(', ')}: the live one is the only one`,
        {
          hint: 'free the unique key in the archive and run again, or settle it with --keep both',
        },
      )
    if (keep !== 'both') {
      if (pair.children) await moveDescendants({ dialect, pair, source, mode: 'move', guarded: true }, key)
      await dialect.deleteLocked(source, pair, 'source', [key])
      // Triggers and cascades of the delete may have reached the archive.
      await dialect.settleDeferred(source)
      const last = await read(archive, 'archive')
      if (JSON.stringify(last) !== JSON.stringify(keep === 'live' ? live : kept))
        throw new ArchiverError(
          'VERIFY_MISMATCH',
          `the archive does not keep the row ${key.join(', ')} after the delete of the live one`,
        )
    }
    await assertShapes(
      source,
      groupOf(pair).map((one) => one.source),
    )
    await assertShapes(
      archive,
      groupOf(pair).map((one) => one.archive),
    )
    await record()
    await source.run('COMMIT')
    if (!isOne) await archive.run('ROLLBACK').catch(() => undefined) // it only held locks since its commit
  } catch (error) {
    await source.run('ROLLBACK').catch(() => undefined) // a broken connection has rolled back by itself
    if (!isOne) await archive.run('ROLLBACK').catch(() => undefined)
    throw error
  }
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

const assertSame = (
  dialect: Dialect,
  pair: Pair,
  row: RowTexts | undefined,
  recorded: string | null,
  which: string,
  key: Key,
): void => {
  if (recordOf(dialect, pair, row) === recorded) return
  throw new ArchiverError(
    'CONFLICT',
    `the ${which} row ${key.join(', ')} has changed since the conflict was found`,
    {
      hint: 'run-archiver rows run looks at it again',
    },
  )
}
