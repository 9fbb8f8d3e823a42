import { ArchiverError } from '../errors.ts'
import type { Session, Statement } from '../sql/session.ts'
import { among, countsOf, distinct, without, type BatchResult, type Conflict } from './batch.ts'
import { copyMissing, notKept } from './copy-missing.ts'
import type { RowTexts } from './dialects/dialect.ts'
import type { Work } from './one-server.ts'
import { differingColumns } from './row-texts.ts'
import { assertShape, orChanged } from './shape.ts'
import { keyText, type Key } from './table.ts'

export interface TwoServers extends Work {
  readonly archive: Session
}

/**
 * One batch over two servers. The archive commits first; then it is read back, under locks, and compared with the locked live rows; then the
 * identical live rows are deleted, and `record` joins that transaction. A crash leaves rows in both places, never in neither.
 */
export const moveBetweenServers = async (
  work: TwoServers,
  all: readonly Key[],
  record: (result: BatchResult) => readonly Statement[],
): Promise<BatchResult> => {
  const { dialect, pair, source, archive, mode } = work
  const keys = distinct(all)
  const lock = mode !== 'verify'
  await dialect.begin(source)
  await dialect.begin(archive)
  try {
    const live = await dialect.read(source, pair, 'source', keys, lock)
    const liveKeys = keys.filter((key) => live.has(keyText(key)))
    const before = await dialect.present(archive, pair, 'archive', keys, lock)
    const rowsOf = (some: readonly Key[]): readonly RowTexts[] =>
      some.map((key) => live.get(keyText(key)) ?? {})
    const { copied, refused } = lock
      ? await copyMissing(archive, dialect, without(liveKeys, before), (some) =>
          dialect.write(archive, pair, rowsOf(some)),
        )
      : { copied: [], refused: [] }
    if (mode === 'move' || mode === 'copy') {
      await archive.run('COMMIT')
      await dialect.begin(archive)
    }
    const stored = await dialect.read(archive, pair, 'archive', liveKeys, lock)
    const differing = differencesOf(liveKeys, live, stored)
    for (const key of copied) {
      const columns = differing.get(keyText(key))
      if (columns || !stored.has(keyText(key))) throw notKept(pair, key, columns)
    }
    const identical = liveKeys.filter((key) => stored.has(keyText(key)) && !differing.has(keyText(key)))
    const deletes = mode === 'move' || mode === 'try'
    const deleted = deletes ? await dialect.deleteLocked(source, pair, 'source', identical) : 0
    if (deletes && deleted !== identical.length)
      throw new ArchiverError(
        'ROWS_FAILED',
        `${identical.length} rows were to be deleted and ${deleted} were`,
        {
          hint: 'the source was rolled back; please report this',
        },
      )
    await assertShape(source, pair.source)
    await assertShape(archive, pair.archive)
    const unlike = liveKeys.filter((key) => differing.has(keyText(key)))
    const withoutTwin = refused.filter((key) => !stored.has(keyText(key)))
    const conflicting = [...unlike, ...withoutTwin]
    const appeared = await dialect.present(source, pair, 'source', without(keys, liveKeys), false)
    const seen = { keys, repeated: all.length - keys.length, live: liveKeys, conflicting, appeared, deleted }
    const planned = mode === 'verify' ? without(liveKeys, before) : copied
    const twins = [...before, ...among(refused, identical)]
    const result: BatchResult = {
      counts: countsOf({ ...seen, twins, copied: planned }),
      conflicts: conflicting.map((key): Conflict => ({
        pair,
        key,
        differing: differing.get(keyText(key)) ?? [],
        source: live.get(keyText(key)),
        archive: stored.get(keyText(key)),
      })),
    }
    if (mode === 'move' || mode === 'copy') await source.runAll([...record(result), { sql: 'COMMIT' }])
    else await source.run('ROLLBACK')
    await archive.run('ROLLBACK').catch(() => undefined) // it only held locks since its commit, and the batch is done
    return result
  } catch (error) {
    await source.run('ROLLBACK').catch(() => undefined) // a broken connection has rolled back by itself
    await archive.run('ROLLBACK').catch(() => undefined)
    throw await orChanged(error, [
      [source, pair.source],
      [archive, pair.archive],
    ])
  }
}

const differencesOf = (
  keys: readonly Key[],
  live: ReadonlyMap<string, RowTexts>,
  stored: ReadonlyMap<string, RowTexts>,
): ReadonlyMap<string, readonly string[]> => {
  const differing = new Map<string, readonly string[]>()
  for (const key of keys) {
    const here = live.get(keyText(key))
    const there = stored.get(keyText(key))
    if (!here || !there) continue
    const columns = differingColumns(here, there)
    if (columns.length > 0) differing.set(keyText(key), columns)
  }
  return differing
}
