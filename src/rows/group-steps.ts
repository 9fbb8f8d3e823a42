import { ArchiverError } from '../errors.ts'
import { step } from '../platform/atomic-file.ts'
import { among, without } from './batch.ts'
import { copyMissing, notKept } from './copy-missing.ts'
import type { Leftover, RowTexts, Side } from './dialects/dialect.ts'
import { isRefused, Refused, type Refusals } from './group-copy.ts'
import { assertKept, type Work } from './one-server.ts'
import { keyText, type Key, type Pair } from './table.ts'

/** Keys of one statement: a batch may have many more children than ids. */
export const PART = 2200

/** A live row of a group, and the id of the batch that it belongs to. */
interface Member {
  readonly key: Key
  readonly root: string
}

/** The rows of one table. */
export interface Level {
  readonly pair: Pair
  readonly members: readonly Member[]
  /** Members that are archived already, identical or not. */
  readonly twins: readonly Key[]
  /** Members that stay, with the columns that differ; none: the archive refuses the row. */
  readonly conflicts: readonly Leftover[]
  /** Members whose group goes, and those of them that have no twin. */
  readonly going: readonly Key[]
  readonly missing: readonly Key[]
}

export interface GroupPlan {
  /** Each table before its children. */
  readonly levels: readonly Level[]
  /** Ids whose groups stay. */
  readonly held: ReadonlySet<string>
}

const inParts = async <Found>(
  keys: readonly Key[],
  act: (some: readonly Key[]) => Promise<Iterable<Found>>,
): Promise<Found[]> => {
  const found: Found[] = []
  for (let at = 0; at < keys.length; at += PART)
    for (const one of await act(keys.slice(at, at + PART))) found.push(one)
  return found
}

/** Rows of any number as exact texts. */
export const rowsIn = async (
  { dialect, source }: Work,
  pair: Pair,
  side: Side,
  keys: readonly Key[],
  lock: boolean,
): Promise<ReadonlyMap<string, RowTexts>> =>
  new Map(await inParts(keys, (some) => dialect.read(source, pair, side, some, lock)))

/** Locks what refers to these live rows, and their twins, and decides which groups go. Parents first: then no child can come in any more. */
export const planOf = async (
  work: Work,
  roots: readonly Key[],
  refusals: Refusals,
  locks: boolean,
): Promise<GroupPlan> => {
  const gathered = await gather(
    work,
    work.pair,
    roots.map((key) => ({ key, root: keyText(key) })),
    locks,
  )
  const judged = []
  for (const level of gathered) judged.push(await judge(work, level, refusals, locks))
  const held = new Set<string>()
  for (const { members, conflicts } of judged) {
    const unlike = new Set(conflicts.map(({ key }) => keyText(key)))
    for (const { key, root } of members) if (unlike.has(keyText(key))) held.add(root)
  }
  const levels = judged.map((level): Level => {
    const going = level.members.filter(({ root }) => !held.has(root)).map(({ key }) => key)
    return { ...level, going, missing: without(going, level.twins) }
  })
  return { levels, held }
}

type Gathered = Pick<Level, 'pair' | 'members'>
type Judged = Omit<Level, 'going' | 'missing'>

const gather = async (
  work: Work,
  pair: Pair,
  members: readonly Member[],
  locks: boolean,
): Promise<readonly Gathered[]> => {
  const { dialect, source } = work
  const rootOf = new Map(members.map(({ key, root }) => [keyText(key), root]))
  const levels: Gathered[] = [{ pair, members }]
  for (const child of pair.children ?? []) {
    const found = await inParts(
      members.map(({ key }) => key),
      (some) => dialect.childrenOf(source, pair, child, some, locks),
    )
    const below = found.flatMap(({ key, parent }) => {
      const root = rootOf.get(keyText(parent))
      return root === undefined ? [] : [{ key, root }]
    })
    levels.push(...(await gather(work, child.pair, below, locks)))
  }
  return levels
}

const judge = async (
  { dialect, source }: Work,
  { pair, members }: Gathered,
  refusals: Refusals,
  locks: boolean,
): Promise<Judged> => {
  const keys = members.map(({ key }) => key)
  const twins = await inParts(keys, (some) => dialect.present(source, pair, 'archive', some, locks))
  const compared = await inParts(twins, (some) => dialect.compare(source, pair, some))
  const unlike = compared.filter(({ differing }) => differing.length > 0)
  const refused = without(
    keys.filter((key) => isRefused(refusals, pair, key)),
    twins,
  )
  return { pair, members, twins, conflicts: [...unlike, ...refused.map((key) => ({ key, differing: [] }))] }
}

/** Copies what has no twin, parents first, and compares what stays live. Throws `Refused`; then nothing of the transaction may stay. */
export const copyGroups = async (work: Work, { levels }: GroupPlan): Promise<void> => {
  const { dialect, source, mode } = work
  for (const { pair, missing } of levels) {
    const refused = await inParts(missing, async (some) => {
      const copied = await copyMissing(source, dialect, some, (few) => dialect.copy(source, pair, few))
      return copied.refused
    })
    if (refused.length > 0) throw new Refused(pair, refused)
    step('rows-group: table copied')
    if (mode === 'copy') await assertIdentical(work, pair, missing)
  }
}

/** Of rows that are live and archived: throws where they differ. */
const assertIdentical = async (
  { dialect, source }: Work,
  pair: Pair,
  keys: readonly Key[],
): Promise<void> => {
  const compared = await inParts(keys, (some) => dialect.compare(source, pair, some))
  const unlike = compared.find(({ differing }) => differing.length > 0)
  if (unlike) throw notKept(pair, unlike.key, unlike.differing)
  if (compared.length === keys.length) return
  throw new ArchiverError(
    'ROWS_FAILED',
    `${keys.length} rows of ${pair.source.name} were copied, and ${compared.length} of them are in both tables`,
    { hint: 'the batch was rolled back; please report this' },
  )
}

/** Deletes the live rows that have an identical twin, children first. Throws where one has none, or where a child has come in: nothing may stay then. */
export const deleteGroups = async (work: Work, { levels }: GroupPlan): Promise<void> => {
  const { dialect, source, guarded } = work
  const images = []
  if (guarded === true)
    for (const { pair, going } of levels) images.push(await rowsIn(work, pair, 'source', going, true))
  for (const { pair, going } of levels.toReversed()) {
    await assertChildless(work, pair, going)
    const deleted = await inParts(going, async (some) => [await dialect.deleteIdentical(source, pair, some)])
    step('rows-group: table deleted')
    if (deleted.reduce((sum, count) => sum + count, 0) === going.length) continue
    await assertIdentical(work, pair, await inParts(going, (some) => stillLive(work, pair, some)))
    throw new ArchiverError(
      'ROWS_FAILED',
      `${going.length} rows of ${pair.source.name} have an identical twin, and not all of them were deleted`,
      { hint: 'the batch was rolled back; please report this' },
    )
  }
  for (const [at, { pair, going }] of levels.entries()) {
    const before = images[at]
    if (before)
      for (let from = 0; from < going.length; from += PART)
        await assertKept({ ...work, pair }, going.slice(from, from + PART), before)
  }
}

const stillLive = async (
  { dialect, source }: Work,
  pair: Pair,
  keys: readonly Key[],
): Promise<readonly Key[]> => among(keys, await dialect.present(source, pair, 'source', keys, true))

/** Nobody can add a child to a locked row, but a session that has switched foreign keys off: its row must not be left alone, or go with its parent. */
const assertChildless = async (
  { dialect, source }: Work,
  pair: Pair,
  parents: readonly Key[],
): Promise<void> => {
  for (const child of pair.children ?? []) {
    const left = await inParts(parents, (some) => dialect.childrenOf(source, pair, child, some, true))
    if (left.length === 0) continue
    throw new ArchiverError(
      'DATABASE_UNAVAILABLE',
      `${left.length} rows of ${child.pair.source.name} have come in for rows of ${pair.source.name} that are being moved`,
      { hint: 'run again: they are moved with the others' },
    )
  }
}
