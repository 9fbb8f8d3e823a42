import type { CollectionIndex } from '../format/search-index.ts'
import { runNumber, runOf, updatedBy } from '../names.ts'

const known = new WeakMap<CollectionIndex, IndexedRuns>()

/** Made once for each index, which never changes. */
export function indexedRuns(index: CollectionIndex): IndexedRuns {
  const before = known.get(index)
  if (before) return before
  const runs = new IndexedRuns(index)
  known.set(index, runs)
  return runs
}

/** What the index of one collection says of runs, without opening a document. Looked up in the index, which has its names sorted; nothing is kept for each run. */
class IndexedRuns {
  readonly #index: CollectionIndex
  #updates: ReadonlyMap<number, number> | undefined

  constructor(index: CollectionIndex) {
    this.#index = index
  }

  /** The configurations of a run (`1001506/standard00001`), sorted by bytes. */
  configurationsOf(run: number): readonly string[] {
    return [...this.#index.section('configurations.name').beginningWith(`${run}/`)]
  }

  has(run: number): boolean {
    return this.configurationsOf(run).length > 0 || this.#index.section('runs.name').has(String(run))
  }

  /** Every run with its configurations; none where only its number is known. */
  *[Symbol.iterator](): Generator<readonly [run: number, configurations: readonly string[]]> {
    const runs = new Set<number>()
    let last: { readonly run: number; readonly names: string[] } | undefined
    for (const name of this.#index.section('configurations.name').beginningWith('')) {
      const run = runOf(name)
      if (run === undefined) continue
      if (last?.run === run) last.names.push(name)
      else {
        if (last) yield [last.run, last.names]
        last = { run, names: [name] }
        runs.add(run)
      }
    }
    if (last) yield [last.run, last.names]
    for (const name of this.#index.section('runs.name').keys()) {
      const run = runNumber(name)
      if (run !== undefined && !runs.has(run)) yield [run, []]
    }
  }

  *keys(): Generator<number> {
    for (const [run] of this) yield run
  }

  /** How many versions of a run are updates (`...v1`). Runs without any are left out. */
  get updates(): ReadonlyMap<number, number> {
    return (this.#updates ??= this.#countUpdates())
  }

  /** Names of configurations and runs that are no run's: exports and global configurations of other programs. */
  get others(): readonly string[] {
    return [
      ...[...this.#index.section('configurations.name').keys()].filter((name) => runOf(name) === undefined),
      ...[...this.#index.section('runs.name').keys()].filter((name) => runNumber(name) === undefined),
    ]
  }

  #countUpdates(): ReadonlyMap<number, number> {
    const updates = new Map<number, number>()
    const names = this.#index.section('configurations.name')
    for (const version of this.#index.section('version').keys()) {
      const configuration = updatedBy(version)
      if (configuration === undefined || names.has(version) || !names.has(configuration)) continue
      const run = runOf(configuration)
      if (run !== undefined) updates.set(run, (updates.get(run) ?? 0) + 1)
    }
    return updates
  }
}
