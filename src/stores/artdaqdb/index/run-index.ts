import type { CollectionIndex } from '../format/search-index.ts'
import { runNumber, runOf, updatedBy } from '../names.ts'

/** What the index of one collection says of runs, without opening a document. */
export interface IndexedRuns {
  /** Configurations of each run (`1001506/standard00001`), in the order in which they came. */
  readonly configurations: ReadonlyMap<number, readonly string[]>
  /** How many versions of a run are updates (`...v1`). Runs without any are left out. */
  readonly updates: ReadonlyMap<number, number>
  /** Names of configurations and runs that are no run's: exports and global configurations of other programs. */
  readonly others: readonly string[]
}

const known = new WeakMap<CollectionIndex, IndexedRuns>()

/** Derived once for each index, which never changes. */
export function indexedRuns(index: CollectionIndex): IndexedRuns {
  const before = known.get(index)
  if (before) return before
  const found = derive(index)
  known.set(index, found)
  return found
}

function derive(index: CollectionIndex): IndexedRuns {
  const configurations = new Map<number, string[]>()
  const updates = new Map<number, number>()
  const others: string[] = []
  const names = index.section('configurations.name')
  for (const name of names.keys()) {
    const run = runOf(name)
    if (run === undefined) others.push(name)
    else if (configurations.has(run)) configurations.get(run)?.push(name)
    else configurations.set(run, [name])
  }
  for (const name of index.section('runs.name').keys()) {
    const run = runNumber(name)
    if (run === undefined) others.push(name)
    else if (!configurations.has(run)) configurations.set(run, [])
  }
  for (const version of index.section('version').keys()) {
    const configuration = updatedBy(version)
    if (configuration === undefined || names.has(version) || !names.has(configuration)) continue
    const run = runOf(configuration)
    if (run !== undefined) updates.set(run, (updates.get(run) ?? 0) + 1)
  }
  return { configurations, updates, others }
}
