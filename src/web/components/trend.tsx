import type { TrendPoint } from '../trend.ts'
import { count, momentText, plural, span } from '../text.ts'
import { Chart } from './chart.tsx'
import { Empty, Exports, Panel } from './parts.tsx'

/** Executions that are drawn. */
export const TREND_MOST = 1000

const tenths = (value: number | undefined): number | null =>
  value === undefined ? null : Math.round(value * 10) / 10

/** Each execution of a task that ended well as a point, with the band of what was usual; far above it a diamond. */
export const Trend = ({
  points,
  hasMore,
  api,
  now,
}: {
  points: readonly TrendPoint[]
  hasMore: boolean
  api: string
  now: number
}) => {
  const longest = Math.max(0, ...points.map(({ seconds }) => seconds))
  const [divide, unit] = longest < 120 ? [1, 's'] : longest < 7200 ? [60, 'min'] : [3600, 'h']
  const scaled = (value: number | undefined): number | null =>
    tenths(value === undefined ? undefined : value / divide)
  const odd = points.flatMap(({ isOdd }, at) => (isOdd ? [at] : []))
  return (
    <Panel
      title="Duration"
      id="trend"
      sub={`${unit}; each point is an execution that ended well, the band is p5 to p95 of the 30 days before it${hasMore ? `; the newest ${count(TREND_MOST)}` : ''}`}
      aside={<Exports api={api} />}
    >
      {points.length < 2 ? (
        <Empty what="Fewer than two executions ended well in this time." />
      ) : (
        <Chart
          id="duration"
          height={260}
          spec={{
            t: points.map(({ at }) => Math.round(at / 1000)),
            band: [points.map(({ p5 }) => scaled(p5)), points.map(({ p95 }) => scaled(p95))],
            odd,
            s: [
              { k: 'p50', c: 2, unit, d: points.map(({ p50 }) => scaled(p50)) },
              { k: 'Execution', c: 1, unit, points: true, d: points.map(({ seconds }) => scaled(seconds)) },
            ],
          }}
          legend={[
            ['point', 'Execution'],
            ['bandk', 'p5 to p95'],
            ['c2', 'p50'],
            ['anom', 'Out of the usual'],
          ]}
          say={sentence(points, now)}
        />
      )}
    </Panel>
  )
}

const sentence = (points: readonly TrendPoint[], now: number): string => {
  const odd = points.filter(({ isOdd }) => isOdd)
  const last = points.at(-1)
  const newest = last ? `The newest took ${span(last.seconds)}. ` : ''
  if (odd.length === 0) return `${newest}None was far above the band.`
  const named = odd.slice(-5).map(({ at, seconds }) => `${momentText(at, now)} (${span(seconds)})`)
  return `${newest}${plural(odd.length, 'execution was', 'executions were')} far above the band: ${odd.length > 5 ? 'the last five began ' : ''}${named.join(', ')}.`
}
