import { ArchiverError } from '../errors.ts'
import { step } from '../platform/atomic-file.ts'
import type { Statement } from '../sql/session.ts'
import { countsOf, distinct, without, type BatchResult, type Conflict } from './batch.ts'
import { Refused, type Refusals } from './group-copy.ts'
import { copyGroups, deleteGroups, planOf, rowsIn, type GroupPlan } from './group-steps.ts'
import type { Work } from './one-server.ts'
import { assertShapes, orChanged } from './shape.ts'
import { groupOf, keyText, type Key, type Table } from './table.ts'

/**
 * One batch of rows with all rows that refer to them, in one transaction of one server. A row of the batch goes with all of its descendants or not
 * at all: where one of them differs from its twin, or is refused by the archive, none of them is copied or deleted. However it ends, a row is
 * deleted only together with the commit of its identical twin, and a child is archived only together with its parent.
 */
export const moveGroups = async (
  work: Work,
  keys: readonly Key[],
  record: (result: BatchResult) => readonly Statement[],
): Promise<BatchResult> => {
  const { dialect, source, mode, pair } = work
  const tables: readonly Table[] = groupOf(pair).flatMap((one) => [one.source, one.archive])
  const refusals: Refusals = new Map()
  for (;;)
    try {
      await dialect.begin(source)
      const result = await attempt(work, keys, refusals)
      await assertShapes(source, tables)
      step('rows-group: to be committed')
      if (mode === 'try' || mode === 'verify') await source.run('ROLLBACK')
      else await source.runAll([...record(result), { sql: 'COMMIT' }])
      step('rows-group: committed')
      return result
    } catch (error) {
      await source.run('ROLLBACK').catch(() => undefined) // a broken connection has rolled back by itself
      // What the archive refuses shows only when it is copied: the batch begins anew, and leaves those groups out.
      if (error instanceof Refused && error.addTo(refusals)) continue
      throw await orChanged(
        error,
        tables.map((table) => [source, table]),
      )
    }
}

const attempt = async (work: Work, all: readonly Key[], refusals: Refusals): Promise<BatchResult> => {
  const { dialect, pair, source, mode } = work
  const keys = distinct(all)
  const locks = mode !== 'verify'
  const live = await dialect.present(source, pair, 'source', keys, locks)
  const plan = await planOf(work, live, refusals, locks)
  step('rows-group: locked')
  if (locks) await copyGroups(work, plan)
  step('rows-group: copied')
  const deletes = mode === 'move' || mode === 'try'
  if (deletes) await deleteGroups(work, plan)
  step('rows-group: deleted')
  const before = await dialect.present(source, pair, 'archive', without(keys, live), locks)
  const appeared = await dialect.present(source, pair, 'source', without(keys, live), false)
  return resultOf(work, plan, { keys, live, before, appeared, repeated: all.length - keys.length }, deletes)
}

/** What was seen of the batch's own ids. */
interface Seen {
  readonly keys: readonly Key[]
  readonly live: readonly Key[]
  /** Ids that are not live and archived. */
  readonly before: readonly Key[]
  readonly appeared: readonly Key[]
  readonly repeated: number
}

const resultOf = async (
  work: Work,
  plan: GroupPlan,
  { before, ...seen }: Seen,
  deletes: boolean,
): Promise<BatchResult> => {
  const [root, ...children] = plan.levels
  if (!root) throw new Error('a group has no table')
  const conflicting = new Set(root.conflicts.map(({ key }) => keyText(key)))
  const counts = countsOf({
    ...seen,
    twins: [...root.twins, ...before],
    copied: root.missing,
    conflicting: root.conflicts.map(({ key }) => key),
    heldBack: seen.live.filter((key) => plan.held.has(keyText(key)) && !conflicting.has(keyText(key))),
    deleted: deletes ? root.going.length : 0,
  })
  const sum = (count: (level: (typeof children)[number]) => number): number =>
    children.reduce((all, level) => all + count(level), 0)
  const conflicts: Conflict[] = []
  for (const { pair, conflicts: found } of plan.levels) {
    const of = found.map(({ key }) => key)
    const live = await rowsIn(work, pair, 'source', of, false)
    const kept = await rowsIn(work, pair, 'archive', of, false)
    for (const { key, differing } of found)
      conflicts.push({
        pair,
        key,
        differing,
        source: live.get(keyText(key)),
        archive: kept.get(keyText(key)),
      })
  }
  return {
    counts: {
      ...counts,
      childrenInserted: sum(({ missing }) => missing.length),
      childrenDeleted: deletes ? sum(({ going }) => going.length) : 0,
      childConflicts: sum(({ conflicts: found }) => found.length),
    },
    conflicts,
  }
}

/**
 * Moves the rows that refer to a live row which the caller has locked and is about to delete, in the caller's transaction. Throws CONFLICT where one
 * of them is in conflict itself.
 */
export const moveDescendants = async (work: Work, key: Key): Promise<void> => {
  const plan = await planOf(work, [key], new Map(), true)
  const children = { ...plan, levels: plan.levels.slice(1) }
  const found = children.levels.flatMap(({ pair, conflicts }) => conflicts.map((one) => ({ pair, ...one })))
  const [first] = found
  if (first)
    throw new ArchiverError(
      'CONFLICT',
      `the row ${key.join(', ')} stays: ${first.pair.source.name} ${first.key.join(', ')}, which refers to it, is in conflict itself`,
      { hint: 'settle that one first: run-archiver rows conflicts lists it' },
    )
  // Whether the row's own twin differs is the caller's decision, and no reason to hold its children back.
  const going = { ...children, held: new Set<string>(), levels: children.levels.map(released) }
  try {
    await copyGroups(work, going)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    throw new ArchiverError('CONFLICT', `the row ${key.join(', ')} stays: ${error.message}`, {
      hint: 'free the unique key in the archive, and settle it again',
    })
  }
  await deleteGroups(work, going)
}

const released = (level: GroupPlan['levels'][number]): GroupPlan['levels'][number] => ({
  ...level,
  going: level.members.map(({ key }) => key),
  missing: without(
    level.members.map(({ key }) => key),
    level.twins,
  ),
})
