import { quantile } from '../../common/quantile.ts'

/** A task with what is known of its newest execution. Times in epoch milliseconds. */
export interface ForecastTask {
  readonly name: string
  readonly dependsOn: readonly string[]
  readonly latest:
    | {
        /** `open`: it runs. `good`: it ended, and what depends on it may begin. `bad`: it ended otherwise. */
        readonly is: 'open' | 'good' | 'bad'
        readonly startedAt: number
        readonly endedAt: number | undefined
        /** Of one that runs; undefined where nothing can be promised. */
        readonly eta: { readonly at: number; readonly low: number; readonly high: number } | undefined
        /** Why nothing can be promised, such as `hung`. */
        readonly stuck: string | undefined
      }
    | undefined
  readonly isLate: boolean
  /** Seconds of its newest good executions. */
  readonly past: readonly number[]
}

export interface Forecast {
  /** Whether it has ended well, and began after the last end of everything that it depends on. */
  readonly isDone: boolean
  readonly begins: number | undefined
  readonly ends: number | undefined
  readonly low: number | undefined
  readonly high: number | undefined
  /** Why there is no end; undefined where there is one. */
  readonly why: string | undefined
}

/**
 * When each task of a graph ends: when it did, by the estimate of what runs, and else by the median of its past, begun when the last of its
 * dependencies ends. A task behind one without an end has none. The graph must be free of loops.
 */
export const forecast = (tasks: readonly ForecastTask[], now: number): ReadonlyMap<string, Forecast> => {
  const byName = new Map(tasks.map((task) => [task.name, task]))
  const known = new Map<string, Forecast>()
  const of = (name: string): Forecast => {
    const before = known.get(name)
    if (before) return before
    const task = byName.get(name)
    const found = task ? ofTask(task, task.dependsOn.map(of), now) : NOT_REGISTERED
    known.set(name, found)
    return found
  }
  for (const { name } of tasks) of(name)
  return known
}

const unknown = (why: string, begins?: number): Forecast => ({
  isDone: false,
  begins,
  ends: undefined,
  low: undefined,
  high: undefined,
  why,
})
const NOT_REGISTERED = unknown('it is not registered, and was never seen')

const ofTask = (task: ForecastTask, needs: readonly Forecast[], now: number): Forecast => {
  const { latest, isLate, past } = task
  const ready = needs.every(({ isDone }) => isDone)
  const last = Math.max(...needs.map(({ ends }) => ends ?? 0), 0)
  if (latest?.is === 'open') {
    const { startedAt, eta, stuck } = latest
    if (!eta) return unknown(stuck ?? 'too few executions to estimate from', startedAt)
    return { isDone: false, begins: startedAt, ends: eta.at, low: eta.low, high: eta.high, why: undefined }
  }
  if (isLate) return unknown('late: it has not started')
  const isCurrent = latest !== undefined && ready && latest.startedAt >= last
  if (isCurrent && latest.is === 'good' && latest.endedAt !== undefined) {
    const { startedAt, endedAt } = latest
    return { isDone: true, begins: startedAt, ends: endedAt, low: endedAt, high: endedAt, why: undefined }
  }
  if (isCurrent) return unknown('it did not end well', latest.startedAt)
  if (needs.length === 0) return unknown('nothing says when it begins')
  if (needs.some(({ ends }) => ends === undefined)) return unknown('it waits for a task without an end')
  const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => quantile(past, part))
  const begins = Math.max(now, last)
  if (low === undefined || middle === undefined || high === undefined)
    return unknown('it has never ended well', begins)
  const earliest = Math.max(now, ...needs.map((one) => one.low ?? 0))
  const latestEnd = Math.max(now, ...needs.map((one) => one.high ?? 0))
  return {
    isDone: false,
    begins,
    ends: begins + middle * 1000,
    low: earliest + low * 1000,
    high: latestEnd + high * 1000,
    why: undefined,
  }
}

/** Seconds that each task may take longer before the longest chain does; by medians. */
export const slackOf = (
  tasks: readonly {
    readonly name: string
    readonly dependsOn: readonly string[]
    readonly seconds: number
  }[],
): ReadonlyMap<string, number> => {
  const byName = new Map(tasks.map((task) => [task.name, task]))
  const after = new Map<string, string[]>()
  for (const { name, dependsOn } of tasks)
    for (const need of dependsOn) after.set(need, [...(after.get(need) ?? []), name])
  const chain = (next: (name: string) => readonly string[]) => {
    const known = new Map<string, number>()
    const of = (name: string): number => {
      const before = known.get(name)
      if (before !== undefined) return before
      const most = Math.max(0, ...next(name).map(of)) + (byName.get(name)?.seconds ?? 0)
      known.set(name, most)
      return most
    }
    return of
  }
  const to = chain((name) => byName.get(name)?.dependsOn ?? [])
  const from = chain((name) => after.get(name) ?? [])
  const whole = Math.max(0, ...tasks.map(({ name }) => to(name)))
  return new Map(tasks.map(({ name, seconds }) => [name, whole - (to(name) + from(name) - seconds)]))
}
