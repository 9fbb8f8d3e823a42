import type { ExecutionLine, Standing } from './model.ts'

const DAY = 86_400_000
/** Bars that are drawn one by one; more are drawn as parts of ten minutes. */
export const BARS_MOST = 2000
const PART = 600_000

/** A bar of a task's line, in shares of the day from 0 to 1. */
export interface GanttBar {
  readonly from: number
  readonly to: number
  /** The worst of those that it stands for. */
  readonly standing: Standing
  /** The execution; undefined where the bar stands for several. */
  readonly execution: ExecutionLine | undefined
  readonly count: number
  /** Epoch milliseconds. */
  readonly at: number
}

export interface GanttLine {
  readonly task: string
  readonly count: number
  readonly good: number
  readonly bars: readonly GanttBar[]
}

/** From the worst to the best: a part shows the worst that is in it. */
const WORST: readonly Standing[] = [
  'failed',
  'killed',
  'terminated',
  'reboot',
  'hung',
  'late',
  'throttled',
  'partial',
  'running',
]

const worst = (executions: readonly ExecutionLine[]): Standing =>
  WORST.find((standing) => executions.some((one) => one.standing === standing)) ??
  executions[0]?.standing ??
  'none'

/** The executions of a day that lie in it at all, a line for each task, the tasks in the order in which they began. */
export const ganttOf = (
  executions: readonly ExecutionLine[],
  day: number,
  now: number,
): readonly GanttLine[] => {
  const end = day + DAY
  const lasting = (one: ExecutionLine): number => one.endedAt ?? Math.max(one.startedAt, now)
  const inside = executions.filter((one) => one.startedAt < end && lasting(one) >= day)
  const isMany = inside.length > BARS_MOST
  const share = (at: number): number => Math.min(1, Math.max(0, (at - day) / DAY))
  const lines = new Map<string, ExecutionLine[]>()
  for (const one of [...inside].sort((a, b) => a.startedAt - b.startedAt)) {
    const line = lines.get(one.task)
    if (line) line.push(one)
    else lines.set(one.task, [one])
  }
  return [...lines].map(([task, all]) => ({
    task,
    count: all.length,
    good: all.filter(({ standing }) => standing === 'ok' || standing === 'skipped').length,
    bars: isMany
      ? partsOf(all, day, share)
      : all.map((one) => ({
          from: share(one.startedAt),
          to: share(lasting(one)),
          standing: one.standing,
          execution: one,
          count: 1,
          at: one.startedAt,
        })),
  }))
}

const partsOf = (
  all: readonly ExecutionLine[],
  day: number,
  share: (at: number) => number,
): readonly GanttBar[] => {
  const parts = new Map<number, ExecutionLine[]>()
  for (const one of all) {
    const part = Math.max(0, Math.floor((one.startedAt - day) / PART))
    parts.set(part, [...(parts.get(part) ?? []), one])
  }
  return [...parts].map(([part, those]) => ({
    from: share(day + part * PART),
    to: share(day + (part + 1) * PART),
    standing: worst(those),
    execution: those.length === 1 ? those[0] : undefined,
    count: those.length,
    at: day + part * PART,
  }))
}
