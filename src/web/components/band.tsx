import type { RunsSnapshot } from '../model.ts'
import { bins, type RunMap } from '../runs/run-map.ts'
import { count, plural } from '../text.ts'

const share = (part: number): string => `${(part * 100).toFixed(2)}%`

/** 0 never taken, 1 held, 2 mostly failed, 3 not there yet. */
type Fill = 0 | 1 | 2 | 3

/** What a lane shows of a part: held unless nearly all of it failed, waits, or was never taken. Failed runs have marks of their own. */
const fillOf = (
  [none = 0, archived = 0, half = 0, failed = 0, pending = 0, notReady = 0]: readonly number[],
  lane: 'artdaqDB' | 'archive',
): Fill => {
  const held = lane === 'artdaqDB' ? archived + half : archived
  const waits = pending + notReady + (lane === 'artdaqDB' ? 0 : half)
  const total = none + archived + half + failed + pending + notReady
  if (failed > total * 0.4) return 2
  if (waits > 0 && held === 0) return 3
  return none > total * 0.5 && held === 0 ? 0 : held === 0 && failed === 0 ? 0 : 1
}

const Lane = ({
  parts,
  lane,
  y,
}: {
  parts: readonly (readonly number[])[]
  lane: 'artdaqDB' | 'archive'
  y: number
}) => {
  const pieces: { fill: Fill; from: number; to: number }[] = []
  parts.forEach((part, i) => {
    const fill = fillOf(part, lane)
    const last = pieces.at(-1)
    if (last?.fill === fill) last.to = i + 1
    else pieces.push({ fill, from: i, to: i + 1 })
  })
  return (
    <>
      {pieces.map(({ fill, from, to }) => (
        <rect
          x={share(from / parts.length)}
          y={fill === 3 ? y + 0.5 : y}
          width={share((to - from) / parts.length)}
          height={fill === 3 ? 13 : 14}
          class={`bd-${fill}`}
        />
      ))}
    </>
  )
}

const kept = new WeakMap<RunMap, Map<string, readonly (readonly number[])[]>>()

/** The parts of a range, counted once for each map: a page is made many times from the same one. */
const partsOf = (map: RunMap, from: number, to: number, parts: number): readonly (readonly number[])[] => {
  const own = kept.get(map) ?? new Map<string, readonly (readonly number[])[]>()
  kept.set(map, own)
  const key = `${from} ${to} ${parts}`
  const counted = own.get(key) ?? bins(map, from, to, parts)
  own.set(key, counted)
  return counted
}

interface BandProps {
  readonly snapshot: RunsSnapshot
  readonly from: number
  readonly to: number
  readonly parts?: number
  readonly id?: string
}

/** A range of runs as two lanes, one a stage, in parts of equal width. A failed run is never averaged away: its part has a mark. */
export const Band = ({ snapshot, from, to, parts = 320, id }: BandProps) => {
  const all = partsOf(snapshot.map, from, to, Math.max(1, Math.min(parts, to - from + 1)))
  const width = to - from + 1
  const edge = (run: number): string => share((run - from + 1) / width)
  const mark = (run: number | undefined, y: number, dashed: boolean) =>
    run !== undefined && run >= from && run <= to ? (
      <line x1={edge(run)} x2={edge(run)} y1={y} y2={y + 18} class={dashed ? 'mk att' : 'mk'} />
    ) : null
  const imports = snapshot.import.known ? snapshot.import.value : undefined
  const migrates = snapshot.migrate.known ? snapshot.migrate.value : undefined
  return (
    <svg
      class="band"
      id={id}
      role="img"
      aria-label={`Runs ${count(from)} to ${count(to)} in two lanes, artdaqDB above, archive below.`}
    >
      <Lane parts={all} lane="artdaqDB" y={14} />
      <Lane parts={all} lane="archive" y={31} />
      {all.map((part, i) => {
        const failed = part[3] ?? 0
        if (failed === 0) return null
        const q = 3.4 + Math.min(2.4, Math.log2(failed))
        return (
          <svg x={share((i + 0.5) / all.length)} y="6" overflow="visible">
            <path d={`M0 ${-q}l${q} ${q}-${q} ${q}-${q}-${q}z`} class="bd-f">
              <title>{`${plural(failed, 'run')} failed near ${count(from + ((i + 0.5) * width) / all.length)}`}</title>
            </path>
          </svg>
        )
      })}
      {mark(imports?.contiguous, 11, false)}
      {mark(migrates?.contiguous, 30, false)}
      {mark(imports?.attempted, 11, true)}
      {mark(migrates?.attempted, 30, true)}
    </svg>
  )
}

const Labels = () => (
  <div class="bl" aria-hidden="true">
    <span />
    <span>artdaqDB</span>
    <span>archive</span>
  </div>
)

const Axis = ({ words }: { words: readonly string[] }) => (
  <div class="bax num" aria-hidden="true">
    {words.map((word, i) => (
      <span class={i === words.length - 1 ? 'e' : undefined}>{word}</span>
    ))}
  </div>
)

const NEWEST = 500

/** All runs, and below them the newest 500 under a lens; `brush`: the map's part is marked and can be moved. */
export const BandBox = ({
  snapshot,
  brush,
  newest,
}: {
  snapshot: RunsSnapshot
  brush?: boolean
  newest?: boolean
}) => {
  const { first, last } = snapshot.map
  const from = Math.max(first, last - NEWEST + 1)
  const steps = Array.from({ length: 7 }, (_, i) => count(first + ((last - first) * i) / 6))
  const start = ((from - first) / Math.max(1, last - first + 1)) * 1000
  return (
    <div class="bandbox">
      <Labels />
      <div class={brush ? 'bw pick' : 'bw'}>
        <Band snapshot={snapshot} from={first} to={last} id={brush ? 'band' : 'whole-band'} />
        {brush && <div id="brush" hidden></div>}
        <Axis words={last > first ? steps : [count(last)]} />
      </div>
      {newest && last - first >= NEWEST && (
        <>
          <div />
          <svg class="lens" viewBox="0 0 1000 22" preserveAspectRatio="none" aria-hidden="true">
            <path
              d={`M${start.toFixed(1)} 2H1000V20H0C${(start / 2).toFixed(1)} 20 ${(start * 0.9).toFixed(1)} 14 ${start.toFixed(1)} 2z`}
              vector-effect="non-scaling-stroke"
            />
          </svg>
          <Labels />
          <div class="bw">
            <Band snapshot={snapshot} from={from} to={last} parts={NEWEST} />
            <Axis words={[count(from), 'the newest 500', count(last)]} />
          </div>
        </>
      )}
    </div>
  )
}
