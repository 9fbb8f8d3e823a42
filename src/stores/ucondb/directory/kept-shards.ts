import { ageOf, COARSE_MS } from '../../../common/file-times.ts'
import { RunSet } from '../../../common/run-set.ts'
import { isShard, shardOf } from './layout.ts'
import type { ShardNames } from './shard-names.ts'

/** What is kept of a shard: what its names said while its folder had this key. */
export interface KeptShard extends ShardNames {
  /** Of the folder as it was before the names were read (`keyOfFolder`). */
  readonly key: string
}

/** Shards by their names, the one that was read longest ago first. */
export type KeptShards = ReadonlyMap<string, KeptShard>

const VERSION = 1

/** A shard with more stray names than this is read again each time: what is kept shall stay small. */
const MOST_STRAY = 1000

/** A folder as it was looked at. */
export interface FolderState {
  readonly key: string
  /** Its change time, which nobody can set, in nanoseconds since the epoch. */
  readonly changed: bigint
}

/**
 * Whether names that are read now are those of this state and of no later one that looks the same. `before` and `after` are 20 ms apart, and the names are
 * read after both: on a file system with fine times the next change has another time by then. On one with coarse times only age shows that; a time
 * ahead of the clock shows nothing.
 */
export const isSettled = (before: FolderState, after: FolderState | undefined, now: number): boolean =>
  before.key === after?.key && ageOf(before.changed, now) > COARSE_MS

/** Whether a shard may be kept: it holds few files besides its blobs, so what is kept of it stays small. */
export const isKeepable = ({ others, damaged, misplaced }: ShardNames): boolean =>
  others.length + damaged.length + misplaced.length <= MOST_STRAY

/** As JSON (docs/FORMATS.md, "What was listed"). */
export const keptAsJson = (folder: string, shards: KeptShards): unknown => ({
  version: VERSION,
  folder,
  shards: [...shards].map(([name, shard]) => ({
    ...{ name, ...shard },
    whole: shard.whole.toString(),
    half: shard.half.toString(),
  })),
})

/** Reads what `keptAsJson` gave. Whatever has another form, or is of another folder, counts as nothing: those shards are read. */
export const keptFromJson = (folder: string, kept: unknown): KeptShards => {
  if (!isObject(kept) || kept['version'] !== VERSION || kept['folder'] !== folder) return new Map()
  if (!Array.isArray(kept['shards'])) return new Map()
  return new Map(kept['shards'].flatMap((shard: unknown) => shardFromJson(shard)))
}

const shardFromJson = (shard: unknown): (readonly [name: string, shard: KeptShard])[] => {
  if (!isObject(shard)) return []
  const { name, key, others, damaged, misplaced } = shard
  if (typeof name !== 'string' || !isShard(name) || typeof key !== 'string') return []
  const whole = runsFrom(name, shard['whole'])
  const half = runsFrom(name, shard['half'])
  if (!whole || !half || !areTexts(damaged) || !areTexts(misplaced) || !areCounted(others)) return []
  return [[name, { key, whole, half, others, damaged, misplaced }]]
}

/** A set of runs of this shard. */
const runsFrom = (shard: string, text: unknown): RunSet | undefined => {
  if (text === '') return RunSet.EMPTY
  try {
    const runs = typeof text === 'string' ? RunSet.parse(text) : undefined
    const ends = [runs?.first, runs?.last]
    return ends.every((run) => run !== undefined && shardOf(run) === shard) ? runs : undefined
  } catch {
    return undefined // no set of runs
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const areTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

const areCounted = (value: unknown): value is readonly (readonly [string, number])[] =>
  Array.isArray(value) &&
  value.every(
    (pair: unknown) =>
      Array.isArray(pair) &&
      pair.length === 2 &&
      typeof pair[0] === 'string' &&
      (pair[1] === 1 || pair[1] === 2),
  )
