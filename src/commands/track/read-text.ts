import { printable } from '../../common/redact.ts'
import { progressLines } from '../../tracking/ledger/eta.ts'
import type { TaskDay, TaskStats } from '../../tracking/client/task-stats.ts'
import type { ListedExecution } from '../../tracking/client/tracked-queries.ts'
import type { LateTask } from '../../tracking/alerts/gather-facts.ts'
import type { Prediction } from '../../tracking/graph/predicted-end.ts'
import { duration } from '../history-text.ts'

/** Characters of a cell: one long name must not push all others off the screen. */
const WIDEST = 60

/** Columns as wide as their widest cell. Programs write names and messages of any characters by SQL of their own: none of them steers the terminal. */
const table = (head: readonly string[], given: readonly (readonly string[])[]): string => {
  const rows = given.map((row) => row.map((cell) => shortened(printable(cell))))
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => (row[at] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[head, ...rows].map(line).join('\n')}\n`
}

export const executionsText = (executions: readonly ListedExecution[], now: number): string =>
  executions.length === 0
    ? 'no executions\n'
    : table(
        ['TASK', 'STATUS', 'STEP', 'OVERALL', 'TIME', 'LAST UPDATE', 'RUN ID', ''],
        executions.map((one) => [
          one.task,
          statusText(one),
          stepText(one),
          one.percent === null ? '' : `${Math.round(one.percent)}%`,
          duration((one.endedAt ?? now) - one.startedAt),
          `${duration(Math.max(0, now - one.lastUpdate))} ago`,
          one.runId,
          one.error ?? one.subtask ?? '',
        ]),
      )

/** None of its characters is halved. */
const shortened = (text: string): string =>
  text.length <= WIDEST
    ? text
    : `${Array.from(text)
        .slice(0, WIDEST - 1)
        .join('')}…`

/** `3/8`, or `3` where no total was named; nothing of a task without steps. */
const stepText = ({ currentSubtask, totalSubtasks }: ListedExecution): string =>
  totalSubtasks === null ? String(currentSubtask || '') : `${currentSubtask ?? 0}/${totalSubtasks}`

/** The word, and what it does not say: `RUNNING (HUNG)`, `FAILED (terminated)`. */
export const statusText = ({ status, reason, conditions }: ListedExecution): string => {
  const more = reason === null || ['ok', 'error'].includes(reason) ? conditions : [reason]
  return more.length === 0 ? status : `${status} (${more.join(', ')})`
}

export const lateText = (late: readonly LateTask[]): string =>
  late
    .map(
      ({ task, schedule, startedAt }) =>
        `LATE: ${printable(task)}, schedule ${printable(schedule)}, last started ${startedAt === null ? 'never' : new Date(startedAt).toISOString()}\n`,
    )
    .join('')

/** The two lines of progress: the whole, and the step in hand. */
export const progressText = (one: ListedExecution): string => {
  const eta = one.eta ? etaText(one.eta) : ''
  if (one.subtask === null) return eta
  const { itemsComplete: done, itemsTotal: total } = one
  const lines = progressLines({
    step: one.currentSubtask ?? 0,
    steps: one.totalSubtasks ?? undefined,
    name: one.subtask,
    overall: one.percent ?? undefined,
    item: (one.message === one.overallMessage ? null : one.message) ?? one.subtask,
    items: done === null && total === null ? undefined : { done: done ?? 0, total: total ?? undefined },
    share: one.subtaskPercent ?? undefined,
  })
  return `\n${lines.map(printable).join('\n')}\n${eta}`
}

/** What the execution says of itself as a whole; undefined where that is but the number and name of its step. */
export const overallText = ({ overallMessage }: ListedExecution): string | undefined =>
  overallMessage === null || /^Task \d+(?: of \d+)?: /.test(overallMessage) ? undefined : overallMessage

export const statsText = (stats: readonly TaskStats[]): string =>
  stats.length === 0
    ? 'no executions\n'
    : table(
        ['TASK', 'EXECUTIONS', 'FINISHED', 'FAILED', 'CANCELLED', 'RUNNING', 'SUCCESS', 'MEDIAN', 'P95'],
        stats.map((one) => [
          one.task,
          ...[one.executions, one.finished, one.failed, one.cancelled, one.running].map(String),
          one.successRate === null ? '' : `${one.successRate}%`,
          one.medianSeconds === null ? '' : duration(one.medianSeconds * 1000),
          one.p95Seconds === null ? '' : duration(one.p95Seconds * 1000),
        ]),
      )

export const daysText = (days: readonly TaskDay[]): string =>
  days.length === 0
    ? 'no executions that have ended\n'
    : table(
        ['TASK', 'DAY', 'EXECUTIONS', 'FAILED', 'MEAN', 'SHORTEST', 'LONGEST'],
        days.map((one) => [
          ...[one.task, one.day, String(one.executions), String(one.failed)],
          ...[one.meanSeconds, one.minSeconds, one.maxSeconds].map((seconds) => duration(seconds * 1000)),
        ]),
      )

/** Never without its range and its basis. */
const etaText = ({ at, low, high, basis, covers }: Prediction): string => {
  const time = (moment: number): string => `${new Date(moment).toISOString().slice(0, 19)}Z`
  const from = basis === 'items' ? 'its rate' : 'its last good executions'
  const what = covers === 'subtask' ? 'Expected end of the subtask' : 'Expected end'
  return `${what}: ${time(at)} (${time(low)} to ${time(high)}), from ${from}\n`
}
