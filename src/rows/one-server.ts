import { ArchiverError } from '../errors.ts'
import type { Session, Statement } from '../sql/session.ts'
import {
  among,
  countsOf,
  distinct,
  NOTHING,
  without,
  type BatchMode,
  type BatchResult,
  type Conflict,
} from './batch.ts'
import { copyMissing, notKept } from './copy-missing.ts'
import type { Dialect, RowTexts } from './dialects/dialect.ts'
import { assertShape, isUnchanged, orChanged, questionsOf } from './shape.ts'
import { troubleOf } from './server-errors.ts'
import { keyText, type Key, type Pair } from './table.ts'
import { differingColumns } from './row-texts.ts'

export interface Work {
  readonly dialect: Dialect
  readonly pair: Pair
  readonly source: Session
  readonly mode: BatchMode
  /** Whether a delete or a copy sets off something else, which may reach the archive: its rows are read again after the delete. */
  readonly guarded?: boolean
}

/**
 * One batch in one transaction of one server. What `record` gives writes the batch's row: it is sent with the COMMIT. `hopeful` tries the fast path first.
 * However it ends, a row is deleted only together with the commit of its identical twin; after an error nothing has happened.
 */
export const moveOnOneServer = async (
  work: Work,
  keys: readonly Key[],
  hopeful: boolean,
  record: (result: BatchResult) => readonly Statement[],
): Promise<BatchResult> => {
  const { dialect, source, mode, guarded } = work
  const isHopeful = hopeful && guarded !== true
  try {
    let result = isHopeful && mode !== 'verify' ? await fast(work, keys) : undefined
    if (!result) {
      if (isHopeful) await source.run('ROLLBACK')
      await dialect.begin(source)
      result = await slow(work, keys)
      await assertShape(source, work.pair.source)
      await assertShape(source, work.pair.archive)
    }
    if (mode === 'try' || mode === 'verify') await source.run('ROLLBACK')
    else await source.runAll([...record(result), { sql: 'COMMIT' }])
    return result
  } catch (error) {
    await source.run('ROLLBACK').catch(() => undefined) // a broken connection has rolled back by itself
    const { pair } = work
    throw await orChanged(error, [
      [source, pair.source],
      [source, pair.archive],
    ])
  }
}

/** Begins, and succeeds only where every id is moved; undefined: roll back and look at each. */
const fast = async (
  { dialect, pair, source, mode }: Work,
  all: readonly Key[],
): Promise<BatchResult | undefined> => {
  const keys = distinct(all)
  let moved: boolean
  try {
    if (mode === 'copy') await dialect.begin(source)
    moved = await (mode === 'copy'
      ? copyWhole(source, dialect, pair, keys)
      : dialect.moveAll(source, pair, keys))
  } catch (error) {
    // The slow path finds out which row it is.
    if (troubleOf(error) === 'duplicate') return undefined
    throw error
  }
  if (!moved) return undefined
  const moves = { moved: keys.length, inserted: keys.length, deleted: mode === 'copy' ? 0 : keys.length }
  const repeated = all.length - keys.length
  return { counts: { ...NOTHING, ...moves, requested: all.length, repeated }, conflicts: [] }
}

/** Copies every id, between tables that are what they were. */
const copyWhole = async (
  source: Session,
  dialect: Dialect,
  pair: Pair,
  keys: readonly Key[],
): Promise<boolean> =>
  (await dialect.copyAll(source, pair, keys)) && isUnchanged(pair, await source.runAll(questionsOf(pair)))

/** Asks about each id under locks: what is live, what is archived, what is missing, what differs. */
const slow = async (work: Work, all: readonly Key[]): Promise<BatchResult> => {
  const { dialect, pair, source, mode } = work
  const keys = distinct(all)
  const lock = mode !== 'verify'
  const live = await dialect.present(source, pair, 'source', keys, lock)
  const before = await dialect.present(source, pair, 'archive', keys, lock)
  const missing = without(live, before)
  const { copied, refused } = lock
    ? await copyMissing(source, dialect, missing, (some) => dialect.copy(source, pair, some))
    : { copied: missing, refused: [] }
  // Refused for the key itself: another session archived it since. Refused for another unique key: it has no twin.
  const late = await dialect.present(source, pair, 'archive', refused, lock)
  const twins = [...before, ...late]
  const candidates = without(live, without(refused, late))
  const deletes = mode === 'move' || mode === 'try'
  const images =
    work.guarded === true && deletes
      ? await dialect.read(source, pair, 'source', candidates, true)
      : undefined
  const deleted = deletes ? await dialect.deleteIdentical(source, pair, candidates) : 0
  const compared = await dialect.compare(source, pair, candidates)
  const left = compared.filter(({ differing }) => deletes || differing.length > 0)
  const ours = new Set(copied.map(keyText))
  for (const { key, differing } of left)
    if (lock && ours.has(keyText(key))) throw notKept(pair, key, differing)
  // Where rows are deleted, one without a twin is missed by its number.
  const [lost] =
    mode === 'copy'
      ? without(
          copied,
          compared.map(({ key }) => key),
        )
      : []
  if (lost) throw notKept(pair, lost, undefined)
  const unlike = left.map(({ key }) => key)
  const conflicting = [...unlike, ...without(refused, late)]
  const appeared = await dialect.present(source, pair, 'source', without(keys, live), false)
  const identical = candidates.length - left.length
  if (deletes && deleted !== identical)
    throw new ArchiverError(
      'ROWS_FAILED',
      `${identical} live rows have an identical twin and ${deleted} were deleted`,
      {
        hint: images
          ? 'a trigger or a cascade of the delete took other rows of the batch along; the batch was rolled back'
          : 'the batch was rolled back; please report this',
      },
    )
  if (images) await assertKept(work, without(candidates, unlike), images)
  const differing = new Map(left.map((one) => [keyText(one.key), one.differing]))
  const seen = {
    keys,
    repeated: all.length - keys.length,
    live,
    twins,
    copied,
    conflicting,
    appeared,
    deleted,
  }
  return { counts: countsOf(seen), conflicts: await versionsOf(work, conflicting, differing) }
}

/** Triggers and cascades of the delete may have reached the archive: every deleted row must still be there as it was. */
export const assertKept = async (
  { dialect, pair, source }: Work,
  keys: readonly Key[],
  images: ReadonlyMap<string, RowTexts>,
): Promise<void> => {
  await dialect.settleDeferred(source)
  const stored = await dialect.read(source, pair, 'archive', keys, true)
  for (const key of keys) {
    const [live, kept] = [images.get(keyText(key)), stored.get(keyText(key))]
    if (live && kept && differingColumns(live, kept).length === 0) continue
    throw new ArchiverError(
      'ROWS_FAILED',
      `${pair.archive.name} no longer has the row ${key.join(', ')} as it was after the delete of the live one`,
      {
        hint: 'a trigger or a cascade of the delete reaches the archive; nothing of this batch was moved',
      },
    )
  }
}

/** Both versions of each conflicting row. */
const versionsOf = async (
  { dialect, pair, source }: Work,
  keys: readonly Key[],
  differing: ReadonlyMap<string, readonly string[]>,
): Promise<readonly Conflict[]> => {
  const live = await dialect.read(source, pair, 'source', keys, false)
  const archived = await dialect.read(source, pair, 'archive', keys, false)
  return among(keys, keys).map((key) => ({
    pair,
    key,
    differing: differing.get(keyText(key)) ?? [],
    source: live.get(keyText(key)),
    archive: archived.get(keyText(key)),
  }))
}
