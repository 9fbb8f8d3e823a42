import { bins, MAP_STATES, runLengths, stateOf } from '../runs/run-map.ts'
import type { RunsSnapshot } from '../model.ts'
import {
  CURSOR,
  DAY,
  LIMIT,
  numberIn,
  Problem,
  type Query,
  type Read,
  runNumber,
  runsOf,
} from './question.ts'

/** Reads of the three places and the two memories. */
export const RUN_READS: readonly Read[] = [
  {
    path: '/runs',
    doc: 'Runs in one state (failed by default), the newest first.',
    query: [{ name: 'state', doc: MAP_STATES.join(', ') }, LIMIT, CURSOR],
    kind: 'list',
    read: async (q) => {
      const word = q.query.get('state') ?? 'failed'
      const state = MAP_STATES.findIndex((name) => name === word)
      if (state < 0) throw new Problem(400, 'USAGE', `state must be one of ${MAP_STATES.join(', ')}`)
      const { map } = await listedRuns(q)
      const limit = numberIn(q.query, 'limit', 1, 1000, 100)
      const below = numberIn(q.query, 'cursor', 1, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
      const items = []
      for (const [first, last] of [...(map.sets[state]?.ranges ?? [])].reverse())
        for (let run = Math.min(last, below - 1); run >= first && items.length <= limit; run--)
          items.push({ run, state: word })
      const next = items.length > limit ? String(items[limit - 1]?.run) : undefined
      return { items: items.slice(0, limit), next }
    },
  },
  {
    path: '/runs/map',
    doc:
      'Every run number with its state, as run lengths: state, count, state, count. States by number: ' +
      MAP_STATES.map((word, i) => `${i} ${word}`).join(', ') +
      '.',
    query: [],
    kind: 'object',
    read: async (q) => {
      const [snapshot, attempts] = await Promise.all([
        listedRuns(q),
        // The map is of the places: without the ledger it lacks the causes alone.
        q.sources.ledger?.failures(q.now - 400 * DAY, 2000).catch(() => []) ?? [],
      ])
      const failed = snapshot.map.sets[3]
      const newest = new Map(attempts.toReversed().map((attempt) => [attempt.run, attempt]))
      return {
        at: snapshot.at,
        first: snapshot.map.first,
        last: snapshot.map.last,
        complete: snapshot.map.completeThrough,
        marks: {
          import: snapshot.import.known ? pick(snapshot.import.value) : null,
          migrate: snapshot.migrate.known ? pick(snapshot.migrate.value) : null,
        },
        rle: runLengths(snapshot.map),
        failed: [...(failed ?? [])]
          .slice(-5000)
          .map((run) => [run, newest.get(run)?.stage ?? '', newest.get(run)?.code ?? '']),
      }
    },
  },
  {
    path: '/runs/bins',
    doc: 'How many runs of each state lie in each part of the range.',
    query: [{ name: 'per', doc: 'runs a part, 1 to 1000000 (100)', integer: true }],
    kind: 'object',
    read: async (q) => {
      const { map } = await listedRuns(q)
      const per = numberIn(q.query, 'per', 1, 1_000_000, 100)
      const parts = Math.ceil((map.last - map.first + 1) / per)
      if (parts > 100_000)
        throw new Problem(400, 'USAGE', 'per is too small for this range: more than 100000 parts')
      return {
        first: map.first,
        per,
        states: MAP_STATES,
        bins: map.last === 0 ? [] : bins(map, map.first, map.first + parts * per - 1, parts),
      }
    },
  },
  {
    path: '/runs/gaps',
    doc: 'Ranges of numbers that are not archived, the newest first.',
    query: [LIMIT, CURSOR],
    kind: 'list',
    read: async (q) => {
      const { map } = await listedRuns(q)
      const gaps = map.sets
        .flatMap((set, state) =>
          state === 1
            ? []
            : set.ranges.map(([first, last]) => ({
                first,
                last,
                count: last - first + 1,
                state: MAP_STATES[state],
              })),
        )
        .sort((a, b) => b.first - a.first)
      // By its number, not its place in the list: gaps come and go between two questions.
      const limit = numberIn(q.query, 'limit', 1, 1000, 100)
      const below = numberIn(q.query, 'cursor', 1, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
      const rest = gaps.filter(({ first }) => first < below)
      const items = rest.slice(0, limit)
      return { items, next: rest.length > limit ? String(items.at(-1)?.first) : undefined }
    },
  },
  {
    path: '/runs/{run}',
    doc: 'One run: its state, the three copies and every attempt.',
    query: [],
    kind: 'object',
    read: async (q) => {
      const run = runNumber(q)
      const [snapshot, copies, story] = await Promise.all([
        listedRuns(q),
        runsOf(q).copies(run),
        q.sources.ledger?.story(run) ?? [],
      ])
      return { run, state: MAP_STATES[stateOf(snapshot.map, run)], copies, story }
    },
  },
  {
    path: '/marks',
    doc: 'The two marks of each stage, and how far every run taken is archived: null where a place was never read.',
    query: [],
    kind: 'object',
    read: async (q) => {
      const { map, missing, import: imports, migrate } = await listedRuns(q)
      const isKnown = missing.every(({ shownFrom }) => shownFrom !== undefined)
      return {
        import: imports.known ? pick(imports.value) : null,
        migrate: migrate.known ? pick(migrate.value) : null,
        complete: isKnown ? map.completeThrough : null,
        first_open: isKnown ? (map.firstOpen ?? null) : null,
      }
    },
  },
]

/** The places, once one of them was listed: before, every number would be a wrong one. Throws Problem 503. */
const listedRuns = async (q: Query): Promise<RunsSnapshot> => {
  const snapshot = await runsOf(q).snapshot()
  if (snapshot.isListing)
    throw new Problem(
      503,
      'STORE_UNAVAILABLE',
      'the stores are being listed for the first time; ask again in a minute',
    )
  const wasRead =
    snapshot.missing.length < 3 || snapshot.missing.some(({ shownFrom }) => shownFrom !== undefined)
  if (wasRead) return snapshot
  throw new Problem(503, 'STORE_UNAVAILABLE', snapshot.unreadable.join('; '))
}

const pick = ({ contiguous, attempted }: { contiguous: number; attempted: number }) => ({
  contiguous,
  attempted,
})
