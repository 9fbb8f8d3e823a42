import { RunSet } from '../../../common/run-set.ts'
import { BLOB, CHECKSUM, isShard, SHARD, shardOf } from './layout.ts'
import { type KeyTally, parseKey } from '../keys.ts'

/** What the names in a shard say of its keys. Of sizes and contents they say nothing. */
export interface ShardNames {
  /** Runs that have blob and checksum file. */
  readonly whole: RunSet
  /** Runs that have one of the two. */
  readonly half: RunSet
  /** Other keys, and how many of the two files each has: updates, and what is no key of this shard. */
  readonly others: readonly (readonly [key: string, files: number])[]
  /** Blobs that were set aside. */
  readonly damaged: readonly string[]
  /** Folders in the shard that are named like shards. */
  readonly misplaced: readonly string[]
}

/**
 * Pairs blobs with checksum files by their common key. Nearly every name is a run of this folder with one of the two
 * suffixes; these are distinguished by arithmetic, because there may be two million of them.
 */
export const sortNames = (shard: string, names: readonly string[]): ShardNames => {
  const first = parseInt(shard, 10)
  const halves = new Uint8Array(SHARD)
  const others = new Map<string, number>()
  const damaged: string[] = []
  const misplaced: string[] = []
  for (const name of names) {
    const suffix = name.endsWith(BLOB) ? BLOB : name.endsWith(CHECKSUM) ? CHECKSUM : undefined
    if (isShard(name)) misplaced.push(name)
    if (suffix === undefined || name.startsWith('.')) continue
    const run = plainRun(name, name.length - suffix.length)
    const found = halves[run - first]
    if (found !== undefined) halves[run - first] = found + 1
    else {
      const key = name.slice(0, -suffix.length)
      if (!key.includes('.damaged-')) others.set(key, (others.get(key) ?? 0) + 1)
      else if (suffix === BLOB) damaged.push(name)
    }
  }
  const withFiles = (files: number): RunSet =>
    RunSet.of([...halves.keys()].filter((index) => halves[index] === files).map((index) => first + index))
  return {
    ...{ whole: withFiles(2), half: withFiles(1) },
    others: [...others].sort(([a], [b]) => (a < b ? -1 : 1)),
    damaged: damaged.sort(),
    misplaced: misplaced.sort(),
  }
}

/** Adds a shard's keys to a tally, and its notes to the lists. `wrongSize`: keys whose blob has not the size that its checksum file says. */
export const tallyShard = (
  shard: string,
  { whole, half, others, ...notes }: ShardNames,
  wrongSize: ReadonlySet<string>,
  tally: KeyTally,
  { damaged, misplaced }: { readonly damaged: string[]; readonly misplaced: string[] },
): void => {
  const cut = RunSet.of([...whole].filter((run) => wrongSize.has(String(run))))
  tally.addWhole(whole.minus(cut))
  for (const run of half.union(cut)) tally.addRun(run, 0, false)
  damaged.push(...notes.damaged)
  misplaced.push(...notes.misplaced.map((name) => `${shard}/${name}`))
  for (const [key, files] of others) {
    const parsed = parseKey(key)
    if (parsed && shardOf(parsed.run) === shard)
      tally.addRun(parsed.run, parsed.update, files === 2 && !wrongSize.has(key))
    else if (parsed) misplaced.push(`${shard}/${key}`)
    else tally.addForeign(`${shard}/${key}`)
  }
}

/** The run that the first characters of a name spell in plain decimal; NaN for anything else. */
const plainRun = (name: string, length: number): number => {
  let run = 0
  for (let i = 0; i < length; i++) {
    const digit = name.charCodeAt(i) - 48
    if (digit < 0 || digit > 9 || (digit === 0 && run === 0)) return NaN
    run = run * 10 + digit
  }
  return run
}
