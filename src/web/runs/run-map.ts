import { type Range, RunSet } from '../../common/run-set.ts'

/** States of a run on the map, by number. The browser script has the same list. */
export const MAP_STATES = [
  'never taken',
  'archived',
  'imported only',
  'failed',
  'pending',
  'not ready',
] as const
export type MapState = 0 | 1 | 2 | 3 | 4 | 5

/** What the places and memories say of runs; a place that could not be read gives an empty set. */
export interface MapInput {
  readonly records: RunSet
  readonly artdaq: RunSet
  readonly archive: RunSet
  /** In a failure log: such a run counts as failed whatever a listing says (its content may be what it failed for). */
  readonly failed: RunSet
  /** Records that are not ready yet. */
  readonly waiting: RunSet
}

/** Every run number from the first to the last known anywhere, with its state, as disjoint sets. */
export interface RunMap {
  readonly first: number
  readonly last: number
  readonly sets: readonly RunSet[]
  /** Runs that were taken: all but state 0. */
  readonly taken: RunSet
  /** The highest run such that every run taken up to it is archived; 0 where the first is not. */
  readonly completeThrough: number
  /** The lowest run taken that is not archived. */
  readonly firstOpen: number | undefined
}

/** Exactly one state for each number: failed before archived before imported before not ready before pending. */
export const runMap = ({ records, artdaq, archive, failed, waiting }: MapInput): RunMap => {
  const taken = records.union(artdaq).union(archive).union(failed)
  const archived = archive.minus(failed)
  const half = artdaq.minus(archive).minus(failed)
  const open = records.minus(artdaq).minus(archive).minus(failed)
  const notReady = open.intersect(waiting)
  const pending = open.minus(notReady)
  const firstOpen = taken.minus(archived).first
  const complete = firstOpen === undefined ? taken.last : taken.upTo(firstOpen - 1).last
  return {
    first: taken.first ?? 0,
    last: taken.last ?? 0,
    sets: [taken.gaps, archived, half, failed, pending, notReady],
    taken,
    completeThrough: complete ?? 0,
    firstOpen,
  }
}

/** The state of one run; 0 also for numbers outside the map. */
export const stateOf = (map: RunMap, run: number): MapState => {
  const found = map.sets.findIndex((set) => set.has(run))
  return (found < 0 ? 0 : found) as MapState
}

/** Run lengths from the first run to the last: state, count, state, count ... Ranges touch, so nothing is left out. */
export const runLengths = (map: RunMap): number[] => {
  const lengths: number[] = []
  for (const [state, [first, last]] of inOrder(map)) {
    if (lengths.at(-2) === state) lengths.push((lengths.pop() ?? 0) + last - first + 1)
    else lengths.push(state, last - first + 1)
  }
  return lengths
}

const inOrder = (map: RunMap): (readonly [MapState, Range])[] =>
  map.sets
    .flatMap((set, state) => set.ranges.map((range) => [state as MapState, range] as const))
    .sort((a, b) => a[1][0] - b[1][0])

/** How many runs of each state lie in each of `count` equal parts of the range from..to. One pass over the ranges. */
export const bins = (map: RunMap, from: number, to: number, count: number): number[][] => {
  const per = Math.max(1, (to - from + 1) / count)
  const parts = Array.from({ length: count }, () => [0, 0, 0, 0, 0, 0])
  map.sets.forEach((set, state) => {
    for (const [low, high] of set.ranges) {
      if (high < from || low > to) continue
      const first = Math.max(low, from)
      const last = Math.min(high, to)
      const end = Math.min(count - 1, Math.floor((last - from) / per))
      for (let part = Math.floor((first - from) / per); part <= end; part++) {
        const begins = Math.max(first, Math.ceil(from + part * per))
        const ends = Math.min(last, Math.ceil(from + (part + 1) * per) - 1)
        const bin = parts[part]
        if (bin && ends >= begins) bin[state] = (bin[state] ?? 0) + ends - begins + 1
      }
    }
  })
  return parts
}
