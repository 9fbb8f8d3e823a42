import type { ExecutionDetail, Metric, Subtask } from './model.ts'

/** One line of a comparison. `a` is the later execution; undefined where it has no such figure. */
export interface ComparedLine {
  readonly what: string
  readonly unit: 'seconds' | 'count' | 'MB' | 'text'
  readonly a: number | string | undefined
  readonly b: number | string | undefined
  /** How much more `a` has than `b`, as a share of `b`; undefined where one is missing, or is no amount. */
  readonly change: number | undefined
}

/** An execution with what was measured of it. */
export interface Comparable {
  readonly execution: ExecutionDetail
  readonly metrics: readonly Metric[]
}

/** Two executions side by side: time, items, memory, each subtask by its name, version. Lines that neither has are left out. */
export const compare = (a: Comparable, b: Comparable, now: number): readonly ComparedLine[] => {
  const line = (
    what: string,
    unit: ComparedLine['unit'],
    of: (one: Comparable) => number | string | undefined,
  ): ComparedLine => {
    const [left, right] = [of(a), of(b)]
    const change =
      typeof left === 'number' && typeof right === 'number' && right > 0 ? left / right - 1 : undefined
    return { what, unit, a: left, b: right, change }
  }
  const names = [
    ...new Set([...a.execution.parts, ...b.execution.parts].map(({ name }) => name).filter(Boolean)),
  ]
  return [
    line('Took', 'seconds', ({ execution }) => lasted(execution, now)),
    line('Items', 'count', ({ execution }) => execution.attempted || undefined),
    line('Failed items', 'count', ({ execution }) =>
      execution.attempted > 0 ? execution.failed : undefined,
    ),
    line('Seconds an item', 'seconds', ({ execution }) =>
      execution.attempted > 0 ? lasted(execution, now) / execution.attempted : undefined,
    ),
    line('Peak memory', 'MB', ({ metrics }) => {
      const known = metrics.flatMap(({ memoryMb }) => memoryMb ?? [])
      return known.length === 0 ? undefined : Math.max(...known)
    }),
    ...names.map((name) => line(name, 'seconds', ({ execution }) => timeOf(execution.parts, name, now))),
    line('Ended', 'text', ({ execution }) => execution.standing),
    line('Host', 'text', ({ execution }) => execution.host),
    line('Version', 'text', ({ execution }) => execution.version),
  ].filter(({ a: left, b: right }) => left !== undefined || right !== undefined)
}

const lasted = ({ startedAt, endedAt }: ExecutionDetail, now: number): number =>
  Math.max(0, (endedAt ?? now) - startedAt) / 1000

/** Seconds of all subtasks of this name; undefined where there is none that began. */
const timeOf = (parts: readonly Subtask[], name: string, now: number): number | undefined => {
  const times = parts
    .filter((part) => part.name === name)
    .flatMap(({ startedAt, endedAt }) => (startedAt === undefined ? [] : [(endedAt ?? now) - startedAt]))
  return times.length === 0 ? undefined : times.reduce((sum, time) => sum + time, 0) / 1000
}
