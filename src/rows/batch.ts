import { keyText, type Key, type Pair } from './table.ts'
import type { RowTexts } from './dialects/dialect.ts'

/** What became of the ids of a batch. `moved` to `heldBack` add up to `requested`. */
export interface Counts {
  readonly requested: number
  readonly moved: number
  readonly alreadyArchivedLive: number
  readonly conflicts: number
  readonly alreadyArchived: number
  readonly notFound: number
  readonly appeared: number
  readonly repeated: number
  /** Live rows that stay because a row that refers to them is in conflict. */
  readonly heldBack: number
  /** Rows written to the archive, and rows deleted from the source. */
  readonly inserted: number
  readonly deleted: number
  /** The same of all child tables, and their rows that are in conflict. */
  readonly childrenInserted: number
  readonly childrenDeleted: number
  readonly childConflicts: number
}

/** An id whose live row differs from what the archive holds, or that the archive refuses. Both versions stay. */
export interface Conflict {
  /** The tables that have the versions. */
  readonly pair: Pair
  readonly key: Key
  readonly differing: readonly string[]
  readonly source: RowTexts | undefined
  readonly archive: RowTexts | undefined
}

/** A conflict as people read it: both versions as JSON objects of texts, null where there is none. */
export interface ConflictRecord {
  readonly table_name: string
  readonly row_key: string
  readonly differing_columns: string
  readonly src_row: string | null
  readonly dst_row: string | null
}

export interface BatchResult {
  readonly counts: Counts
  readonly conflicts: readonly Conflict[]
  /** The file that has its rows, by its name in the log. */
  readonly archiveFile?: string | undefined
}

/** `move`; `copy`: delete nothing; `verify`: change nothing; `try`: do everything and roll back. */
export type BatchMode = 'move' | 'copy' | 'verify' | 'try'

/** Which ids were seen where, under locks: everything that is counted follows from it. */
export interface Sightings {
  readonly keys: readonly Key[]
  readonly repeated: number
  readonly live: readonly Key[]
  /** Archived before the batch. */
  readonly twins: readonly Key[]
  /** Copied by this batch. */
  readonly copied: readonly Key[]
  /** Live rows with a twin that is not identical, and rows that the archive refused for another unique key. */
  readonly conflicting: readonly Key[]
  /** Live at the end although they were not at the beginning. */
  readonly appeared: readonly Key[]
  readonly deleted: number
  /** Live rows of which a child is in conflict. */
  readonly heldBack?: readonly Key[]
}

const textsOf = (keys: readonly Key[]): Set<string> => new Set(keys.map(keyText))

/** Pure: the counts of a batch. */
export const countsOf = (seen: Sightings): Counts => {
  const live = textsOf(seen.live)
  const twins = textsOf(seen.twins)
  const conflicting = textsOf(seen.conflicting)
  const appeared = textsOf(seen.appeared)
  const heldBack = textsOf(seen.heldBack ?? [])
  const stays = (key: string): boolean => conflicting.has(key) || heldBack.has(key)
  const absent = [...textsOf(seen.keys)].filter((key) => !live.has(key) && !appeared.has(key))
  const alreadyArchived = absent.filter((key) => twins.has(key)).length
  return {
    requested: seen.keys.length + seen.repeated,
    moved: seen.copied.length,
    alreadyArchivedLive: [...live].filter((key) => twins.has(key) && !stays(key)).length,
    conflicts: conflicting.size,
    alreadyArchived,
    notFound: absent.length - alreadyArchived,
    appeared: appeared.size,
    repeated: seen.repeated,
    heldBack: heldBack.size,
    inserted: seen.copied.length,
    deleted: seen.deleted,
    childrenInserted: 0,
    childrenDeleted: 0,
    childConflicts: 0,
  }
}

/** Whether a batch left or found twins: its status says so. */
export const hasDuplicates = ({ conflicts, alreadyArchivedLive, heldBack }: Counts): boolean =>
  conflicts + alreadyArchivedLive + heldBack > 0

/** Rows in conflict, of whatever table. */
export const allConflicts = ({ conflicts, childConflicts }: Counts): number => conflicts + childConflicts

/** Splits off ids that stand in the batch more than once. */
export const distinct = (keys: readonly Key[]): readonly Key[] => [
  ...new Map(keys.map((key) => [keyText(key), key])).values(),
]

/** `a` without `b`. */
export const without = (a: readonly Key[], b: readonly Key[]): readonly Key[] => {
  const left = textsOf(b)
  return a.filter((key) => !left.has(keyText(key)))
}

/** The keys of `a` that are in `b`. */
export const among = (a: readonly Key[], b: readonly Key[]): readonly Key[] => {
  const both = textsOf(b)
  return a.filter((key) => both.has(keyText(key)))
}

export const isClean = ({ counts }: BatchResult): boolean =>
  counts.moved + counts.repeated === counts.requested

export const NOTHING: Counts = {
  requested: 0,
  moved: 0,
  alreadyArchivedLive: 0,
  conflicts: 0,
  alreadyArchived: 0,
  notFound: 0,
  appeared: 0,
  repeated: 0,
  heldBack: 0,
  inserted: 0,
  deleted: 0,
  childrenInserted: 0,
  childrenDeleted: 0,
  childConflicts: 0,
}

export const add = (a: Counts, b: Counts): Counts => {
  const sum = Object.fromEntries(
    Object.entries(a).map(([name, count]: [string, number]) => [name, count + b[name as keyof Counts]]),
  )
  return { ...a, ...sum }
}
