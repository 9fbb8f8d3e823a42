import type { GraphFacts, GraphLine } from '../models/graph.ts'
import { span } from '../text.ts'
import { BOX, layoutOf, type Point } from '../graph-layout.ts'
import { WORDS } from './glyph.tsx'

const { width: WIDTH, height: HEIGHT } = BOX
/** Letters of a name that fit into a box. */
const FITS = 20

const at = (value: number): string => value.toFixed(1)

type Direction = 'right' | 'down'

/** Widths that a drawing is scaled down from, so that nothing of it is cut: its letters stay at least ten pixels high. A wider one is scrolled. */
const SCALED: Readonly<Record<Direction, number>> = { right: 920, down: 560 }

/** A line that leaves and enters boxes level, or upright. */
const curve = (points: readonly Point[], direction: Direction): string => {
  const [first, ...others] = points
  if (!first) return ''
  let text = `M${at(first.x)} ${at(first.y)}`
  let from = first
  for (const to of others) {
    const [x, y] = [(from.x + to.x) / 2, (from.y + to.y) / 2]
    text +=
      direction === 'right'
        ? `C${at(x)} ${at(from.y)} ${at(x)} ${at(to.y)} ${at(to.x)} ${at(to.y)}`
        : `C${at(from.x)} ${at(y)} ${at(to.x)} ${at(y)} ${at(to.x)} ${at(to.y)}`
    from = to
  }
  return text
}

/**
 * The graph of dependencies, from left to right, on narrow screens from top to bottom; the critical path is thick. The same stands in the tables
 * below it.
 */
export const Dag = ({ facts }: { facts: GraphFacts }) => (
  <>
    <Drawing facts={facts} direction="right" />
    <Drawing facts={facts} direction="down" />
  </>
)

/** The end of a line. `tip`: where the line ends in it, from 0 to its point at 8. `size`: in widths of the line. */
const ArrowHead = ({ id, shade, size, tip }: { id: string; shade: string; size: number; tip: number }) => (
  <marker id={id} viewBox="0 0 8 8" refX={tip} refY={4} markerWidth={size} markerHeight={size} orient="auto">
    <path d="M0 0l8 4-8 4z" class={shade} />
  </marker>
)

const Drawing = ({ facts, direction }: { facts: GraphFacts; direction: Direction }) => {
  const { width, height, places, edges } = layoutOf(facts.tasks, direction)
  const isCritical = (from: string, to: string): boolean => {
    const place = facts.critical.indexOf(from)
    return place !== -1 && facts.critical[place + 1] === to
  }
  const drawn = edges
    .map((edge) => ({ ...edge, critical: isCritical(edge.from, edge.to) }))
    .sort((a, b) => Number(a.critical) - Number(b.critical))
  return (
    <div
      class={`dagwrap ${direction}`}
      tabindex={0}
      role="group"
      aria-label="Dependency graph; the same as tables below"
    >
      <svg
        class={width <= SCALED[direction] ? 'dag scaled' : 'dag'}
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
      >
        <defs>
          <ArrowHead id={`ah-${direction}`} shade="ahp" size={7} tip={7} />
          <ArrowHead id={`ahc-${direction}`} shade="ahc" size={5} tip={6} />
        </defs>
        {drawn.map(({ from, to, bends, critical }) => {
          const [a, b] = [places.get(from), places.get(to)]
          if (!a || !b) return <></>
          const [right, down] = direction === 'right' ? [WIDTH / 2, 0] : [0, HEIGHT / 2]
          const points = [
            { x: a.x + right, y: a.y + down },
            ...(bends.length > 1 ? bends : []),
            { x: b.x - right - Math.sign(right), y: b.y - down - Math.sign(down) },
          ]
          return (
            <path
              d={curve(points, direction)}
              class={critical ? 'e crit' : 'e'}
              marker-end={`url(#${critical ? 'ahc' : 'ah'}-${direction})`}
            />
          )
        })}
        {facts.tasks.map((line) => (
          <Box line={line} place={places.get(line.task)} facts={facts} />
        ))}
      </svg>
    </div>
  )
}

const Box = ({ line, place, facts }: { line: GraphLine; place: Point | undefined; facts: GraphFacts }) => {
  const { task, standing, p50, execution } = line
  if (!place) return <></>
  const critical = facts.critical.includes(task)
  const share = facts.seconds === 0 ? 0 : (p50 ?? 0) / facts.seconds
  const href =
    execution === undefined ? `/history?task=${encodeURIComponent(task)}` : `/executions/${execution}`
  return (
    <a href={href}>
      <g
        transform={`translate(${at(place.x - WIDTH / 2)} ${at(place.y - HEIGHT / 2)})`}
        class={critical ? 'nd crit' : 'nd'}
      >
        <title>{task}</title>
        <rect width={WIDTH} height={HEIGHT} rx="7" class="box" />
        <use href={`#g-${standing}`} x="11" y="11" width="14" height="14" class={`g g-${standing}`} />
        <text x="32" y="22.5" class="nm">
          {task.length > FITS ? `${task.slice(0, FITS - 1)}…` : task}
        </text>
        <text x="12" y="42" class="md">
          {WORDS[standing]}
        </text>
        <text x={WIDTH - 12} y="42" class="md e">
          {p50 === undefined ? 'no median' : span(p50)}
        </text>
        <rect x="12" y="50" width={WIDTH - 24} height="4" rx="2" class="sb" />
        {critical && share > 0 && (
          <rect x="12" y="50" width={at(Math.max(2, (WIDTH - 24) * share))} height="4" rx="2" class="sf" />
        )}
      </g>
    </a>
  )
}
