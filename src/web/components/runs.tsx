import type { RunsSnapshot, Standing } from '../model.ts'
import { stateOf } from '../runs/run-map.ts'
import { count, plural } from '../text.ts'
import { Glyph } from './glyph.tsx'
import { Time } from './parts.tsx'

/** Each state of the map: standing, word, number. In the order of the legend. */
export const LEGEND = [
  ['ok', 'Archived', 1],
  ['half', 'Imported only', 2],
  ['failed', 'Failed', 3],
  ['pending', 'Pending', 4],
  ['notready', 'Not ready', 5],
  ['none', 'Never taken', 0],
] as const satisfies readonly (readonly [Standing, string, number])[]

/** The number of the one state that the failure logs decide, whatever the places hold. */
const FAILED = 3

/** The standing of each state of the map, by number. */
export const STANDINGS: readonly Standing[] = ['none', 'ok', 'half', 'failed', 'pending', 'notready']

/** How many runs are in each state. With `filter` each is a button of the map. */
export const Legend = ({ snapshot, filter }: { snapshot: RunsSnapshot; filter?: boolean }) => (
  <ul class={filter ? 'legend filter' : 'legend'}>
    {LEGEND.map(([standing, word, state]) => {
      const inside = (
        <>
          <Glyph s={standing} />
          {word} <b class="num">{sizeOf(snapshot, state)}</b>
        </>
      )
      return filter ? (
        <li>
          <button type="button" aria-pressed="false" data-state={state}>
            {inside}
          </button>
        </li>
      ) : (
        <li>{inside}</li>
      )
    })}
  </ul>
)

/** How many runs are in a state: a question mark where a place that is not known decides. */
const sizeOf = (snapshot: RunsSnapshot, state: number): string =>
  isUnknown(snapshot) && state !== FAILED ? '?' : count(snapshot.map.sets[state]?.size ?? 0)

/** Why the last contiguous run is where it is. */
const whyContiguous = (snapshot: RunsSnapshot, run: number): string => {
  if (run === 0) return 'nothing is there yet'
  if (isUnknown(snapshot)) return whyUnknown(snapshot)
  if (run >= snapshot.map.last) return 'nothing is missing'
  const next = run + 1
  const words = [
    'was never taken',
    'is archived since the last pass',
    'is imported only',
    'failed',
    'is pending',
    'is not ready',
  ]
  return `stops at ${count(next)}, which ${words[stateOf(snapshot.map, next)] ?? ''}`
}

/** The two marks of each stage with the reason why they stop, and how far the archive is whole. */
export const Marks = ({ snapshot }: { snapshot: RunsSnapshot }) => {
  const imports = snapshot.import.known ? snapshot.import.value : undefined
  const migrates = snapshot.migrate.known ? snapshot.migrate.value : undefined
  const { completeThrough, firstOpen, last } = snapshot.map
  const words = ['', '', 'imported only', 'failed', 'pending', 'not ready yet']
  const both = (of: 'contiguous' | 'attempted') => (
    <>
      {imports ? count(imports[of]) : '?'} <span>import</span> · {migrates ? count(migrates[of]) : '?'}{' '}
      <span>migrate</span>
    </>
  )
  return (
    <dl class="marks">
      <div>
        <dt>
          <i class="m1" />
          Last contiguous
        </dt>
        <dd class="num">
          {imports && migrates && imports.contiguous === migrates.contiguous
            ? count(imports.contiguous)
            : both('contiguous')}
        </dd>
        <dd class="s">
          {migrates ? whyContiguous(snapshot, migrates.contiguous) : 'the state cannot be read'}
        </dd>
      </div>
      <div>
        <dt>
          <i class="m2" />
          Last attempted
        </dt>
        <dd class="num">{both('attempted')}</dd>
        <dd class="s">
          {isUnknown(snapshot)
            ? whyUnknown(snapshot)
            : `${plural(snapshot.map.sets[2]?.size ?? 0, 'run waits', 'runs wait')} for the second stage`}
        </dd>
      </div>
      <div>
        <dt>Complete through</dt>
        <dd class="num">{isUnknown(snapshot) ? '?' : count(completeThrough)}</dd>
        <dd class="s">
          {isUnknown(snapshot)
            ? whyUnknown(snapshot)
            : firstOpen === undefined
              ? last === 0
                ? 'no run was taken yet'
                : 'every run taken is archived'
              : `every run taken up to here is archived; ${count(firstOpen)} is ${words[stateOf(snapshot.map, firstOpen)] ?? 'open'}`}
        </dd>
      </div>
    </dl>
  )
}

/** The runs that are on their way: imported only, pending, not ready. */
export const onTheirWay = ({ map }: RunsSnapshot): number =>
  (map.sets[2]?.size ?? 0) + (map.sets[4]?.size ?? 0) + (map.sets[5]?.size ?? 0)

/** Places of which nothing was ever seen here: neither they nor what depends on them can be counted. */
export const isUnknown = ({ missing }: RunsSnapshot): boolean =>
  missing.some(({ shownFrom }) => shownFrom === undefined)

/** Why nothing can be counted, in a few words. */
export const whyUnknown = ({ isListing }: RunsSnapshot): string =>
  isListing ? 'the stores are being listed' : 'a place cannot be read'

/** The places that cannot be read, as they stand in a sentence: those of which nothing is known, else those that are shown as they were. */
export const placesOf = ({ missing }: RunsSnapshot): string => {
  const unknown = missing.filter(({ shownFrom }) => shownFrom === undefined)
  const named = (unknown.length > 0 ? unknown : missing).map(({ place }) => place)
  return named.length < 2 ? named.join() : `${named.slice(0, -1).join(', ')} and ${named.at(-1) ?? ''}`
}

/** That places cannot be read, and of when what is shown of them is; undefined where all can be. */
export const missingSentence = (snapshot: RunsSnapshot, now: number) => {
  if (snapshot.missing.length === 0) return undefined
  if (snapshot.isListing)
    return (
      <>
        <b>The stores are being listed</b>: how far the archive is, is not known yet.
      </>
    )
  const shownFrom = Math.min(...snapshot.missing.map((one) => one.shownFrom ?? Infinity))
  return (
    <>
      <b>Cannot read {placesOf(snapshot)}</b>
      {isUnknown(snapshot) ? (
        ': how far the archive is, is not known.'
      ) : (
        <>
          : shown as at <Time at={shownFrom} now={now} />.
        </>
      )}
    </>
  )
}

export const failedCount = ({ map }: RunsSnapshot): number => map.sets[3]?.size ?? 0
