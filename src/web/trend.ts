import type { ExecutionLine } from './model.ts'

const DAY = 86_400_000
/** Days before an execution that say what is usual. */
export const WINDOW = 30 * DAY
/** Executions from which a quantile says something. */
const ENOUGH = 5
/** How far above the 95th percentile is out of the usual: the same as the alert rule `duration`. */
const FAR = 1.5

/** An execution that ended well, and what was usual when it began. Seconds. */
export interface TrendPoint {
  readonly id: number
  readonly at: number
  readonly seconds: number
  readonly p5: number | undefined
  readonly p50: number | undefined
  readonly p95: number | undefined
  readonly isOdd: boolean
}

/** Durations of executions that ended well, the oldest first, each beside p5 to p95 of the 30 days before it. */
export const trendOf = (executions: readonly ExecutionLine[]): readonly TrendPoint[] => {
  const good = executions
    .flatMap(({ id, standing, startedAt, endedAt }) =>
      endedAt !== undefined && (standing === 'ok' || standing === 'partial')
        ? [{ id, at: startedAt, seconds: (endedAt - startedAt) / 1000 }]
        : [],
    )
    .sort((a, b) => a.at - b.at)
  const window: number[] = []
  let oldest = 0
  return good.map((one) => {
    for (let first = good[oldest]; first && first.at < one.at - WINDOW; first = good[++oldest])
      window.splice(placeOf(window, first.seconds), 1)
    const rank = (part: number): number | undefined =>
      window.length < ENOUGH ? undefined : window[Math.max(0, Math.ceil(window.length * part) - 1)]
    const [p5, p50, p95] = [rank(0.05), rank(0.5), rank(0.95)]
    window.splice(placeOf(window, one.seconds), 0, one.seconds)
    return { ...one, p5, p50, p95, isOdd: p95 !== undefined && one.seconds > p95 * FAR }
  })
}

/** Where a number stands, or would stand, in a sorted list. */
const placeOf = (sorted: readonly number[], value: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** The medians of the last seven days and of the time before; undefined where one of them has too few executions. */
export const changeOf = (
  points: readonly TrendPoint[],
  now: number,
): { readonly before: number; readonly lately: number } | undefined => {
  const median = (some: readonly TrendPoint[]): number | undefined => {
    const sorted = some.map(({ seconds }) => seconds).sort((a, b) => a - b)
    return sorted.length < ENOUGH ? undefined : sorted[Math.ceil(sorted.length / 2) - 1]
  }
  const before = median(points.filter(({ at }) => at < now - 7 * DAY))
  const lately = median(points.filter(({ at }) => at >= now - 7 * DAY))
  return before === undefined || lately === undefined ? undefined : { before, lately }
}
