import type { Session } from '../sql/session.ts'
import { ArchiverError } from '../errors.ts'
import type { Dialect } from './dialects/dialect.ts'
import { troubleOf } from './server-errors.ts'
import type { Key, Pair } from './table.ts'

export interface Copied {
  readonly copied: readonly Key[]
  /** Ids that the archive refuses, because a unique key other than its primary key is taken. */
  readonly refused: readonly Key[]
}

/**
 * Copies rows, and where the archive refuses one for a unique key, halves the list until the ids are named and copies the rest. Any other
 * error ends the batch.
 */
export const copyMissing = async (
  session: Session,
  dialect: Dialect,
  keys: readonly Key[],
  copy: (keys: readonly Key[]) => Promise<number>,
): Promise<Copied> => {
  if (keys.length === 0) return { copied: [], refused: [] }
  await dialect.savepoint(session)
  try {
    const count = await copy(keys)
    if (count === keys.length) return { copied: keys, refused: [] }
    throw new ArchiverError(
      'DATABASE_UNAVAILABLE',
      `${keys.length} rows were to be copied and ${count} were: another session works on them, or a trigger of the archive leaves them out`,
    )
  } catch (error) {
    if (troubleOf(error) !== 'duplicate') throw error
    await dialect.toSavepoint(session)
  }
  if (keys.length === 1) return { copied: [], refused: keys }
  const middle = keys.length >> 1
  const first = await copyMissing(session, dialect, keys.slice(0, middle), copy)
  const second = await copyMissing(session, dialect, keys.slice(middle), copy)
  return { copied: [...first.copied, ...second.copied], refused: [...first.refused, ...second.refused] }
}

/** The archive changed a row while storing it, or let it go again (`differing` is undefined): nothing of such a batch may stay. */
export const notKept = (pair: Pair, key: Key, differing: readonly string[] | undefined): ArchiverError => {
  if (differing?.length === 0)
    return new ArchiverError(
      'ROWS_FAILED',
      `the row ${key.join(', ')} of ${pair.source.name} is still live after its delete`,
      { hint: 'a trigger of the live table keeps it; nothing of this batch was moved' },
    )
  return new ArchiverError(
    'ROWS_FAILED',
    `${pair.archive.name} does not keep the row ${key.join(', ')}${
      differing === undefined
        ? ': it is gone after the copy'
        : ` as it is: ${differing.join(', ')} differ${differing.length === 1 ? 's' : ''} after the copy`
    }`,
    {
      hint: 'a trigger, a narrower type or another character set changes it; nothing of this batch was moved',
    },
  )
}
