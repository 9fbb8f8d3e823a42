import { printable } from '../common/redact.ts'
import { asctime } from '../platform/log/format.ts'
import type { PastDay } from '../tracking/ledger/day-queries.ts'
import type { PastDetail, PastExecution, PastStep } from '../tracking/ledger/history-queries.ts'

/** One line an execution, or a sentence when there is none. */
export const executionsTable = (executions: readonly PastExecution[], now: number): string => {
  if (executions.length === 0) return 'No executions.\n'
  return table(
    ['ID', 'STARTED', 'STATUS', 'DURATION', 'TASK', 'RUNS', 'FAILED', 'RUNS/MIN', 'HOST:PID', 'ERROR'],
    executions.map((one) => [
      String(one.id),
      minuteOf(one.startedAt),
      one.status,
      duration((one.endedAt ?? now) - one.startedAt),
      one.task,
      one.endedAt === undefined ? `${one.runs}/${one.runsTotal}` : String(one.runs),
      String(one.failed),
      rate(one.runs, (one.endedAt ?? now) - one.startedAt),
      `${one.host}:${one.pid}`,
      one.error ?? '',
    ]),
    [0, 3, 5, 6, 7],
  )
}

/** Everything the ledger has of one execution. A line without a value is left out. */
export const executionText = (
  one: PastDetail,
  now: number,
  { status = one.status, message }: { readonly status?: string; readonly message?: string | undefined } = {},
): string => {
  // A pass is of something; a pipeline that reports here counts items of its steps, and no runs.
  const isPass = one.subject !== null
  const perMinute = rate(one.runs, (one.endedAt ?? now) - one.startedAt)
  const facts: (readonly [string, string | number | null | undefined])[] = [
    ['Execution', `${one.id} (${one.runId})`],
    ['Task', [one.task, one.subject].filter(Boolean).join(' of ')],
    ['Status', status],
    ['Message', message],
    ['Started', asctime(one.startedAt)],
    ['Ended', one.endedAt === undefined ? undefined : asctime(one.endedAt)],
    ['Duration', duration((one.endedAt ?? now) - one.startedAt)],
    [
      'Runs',
      isPass
        ? `${one.runs} of ${one.runsTotal} attempted, ${one.failed} failed, in ${one.batches} batches`
        : undefined,
    ],
    ['Current run', one.currentRun],
    ['Rate', perMinute === '' ? undefined : `${perMinute} runs a minute`],
    ['Process', `${one.pid} of ${one.user ?? '?'} on ${one.host}`],
    ['Boot', one.bootId],
    ['Version', [one.version, one.gitCommit].filter(Boolean).join(', ')],
    ['Arguments', one.argv],
    ['Log file', one.logFile],
    ['Journal', one.invocationId === null ? null : `journalctl _SYSTEMD_INVOCATION_ID=${one.invocationId}`],
    ['Memory', one.memoryMb === null ? null : `${one.memoryMb} MB at most`],
    ['CPU', one.cpuPercent === null ? null : `${one.cpuPercent} %`],
    ['Exit code', one.exitCode],
    ['Error', one.error],
    ['Detail', one.detail],
  ]
  const lines = facts
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => `${`${name}:`.padEnd(13)}${printable(String(value))}`)
  const runs = one.unfinished.map((run) => [
    run.stage,
    run.run,
    run.status,
    String(run.attempts ?? ''),
    run.error ?? '',
  ])
  const events = one.events.map(({ at, kind, detail }) => [asctime(at), kind, detail ?? ''])
  const parts = [
    `${lines.join('\n')}\n`,
    one.steps.length === 0 ? '' : isPass ? stepsOfPass(one.steps, now) : stepsOfPipeline(one.steps, now),
    runs.length > 0 ? table(['STAGE', 'RUN', 'STATUS', 'ATTEMPTS', 'WHY'], runs, [1, 3]) : '',
    events.length > 0 ? table(['AT', 'EVENT', 'DETAIL'], events, []) : '',
  ]
  return parts.filter((part) => part !== '').join('\n')
}

const stepTime = ({ startedAt, endedAt }: PastStep, now: number): string =>
  startedAt === undefined ? '' : duration((endedAt ?? now) - startedAt)

const stepsOfPass = (steps: readonly PastStep[], now: number): string =>
  table(
    ['STEP', 'STATUS', 'DURATION', 'RUNS', 'FAILED', 'MESSAGE'],
    steps.map((step) => [
      step.name,
      step.status,
      stepTime(step, now),
      `${step.attempted ?? 0}/${step.total ?? '?'}`,
      String(step.failed ?? 0),
      step.message ?? '',
    ]),
    [2, 3, 4],
  )

const stepsOfPipeline = (steps: readonly PastStep[], now: number): string =>
  table(
    ['STEP', 'STATUS', 'DURATION', 'ITEMS', 'MESSAGE'],
    steps.map((step) => [
      step.name,
      step.status,
      stepTime(step, now),
      itemsText(step.attempted, step.total),
      step.message ?? '',
    ]),
    [2, 3],
  )

/** `3/8`, or `3` of a step that named no total; nothing of one that counts none. */
const itemsText = (done: number | null, total: number | null): string =>
  total === null ? String(done ?? '') : `${done ?? 0}/${total}`

/** One line a day. */
export const daysTable = (days: readonly PastDay[]): string => {
  if (days.length === 0) return 'No executions.\n'
  return table(
    [
      'DAY (UTC)',
      'EXECUTIONS',
      'COMPLETED',
      'PARTIAL',
      'FAILED',
      'KILLED',
      'REBOOT',
      'TERMINATED',
      'RUNS',
      'FAILED RUNS',
      'RUNS/MIN',
      'IDLE PASSES',
    ],
    days.map((day) => [
      day.day,
      ...[
        day.executions,
        day.completed,
        day.partial,
        day.failed,
        day.killed,
        day.reboots,
        day.terminated,
      ].map(String),
      String(day.runs),
      String(day.failedRuns),
      day.rate === undefined ? '' : day.rate.toFixed(1),
      String(day.idle),
    ]),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  )
}

/** Columns of equal width; those in `right` end at the same place. Names from the ledger cannot steer the terminal. */
const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string => {
  const all = [head, ...rows.map((row) => row.map(printable))]
  const widths = head.map((_name, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) => {
      const cells = row.map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      return `${cells.join('  ').trimEnd()}\n`
    })
    .join('')
}

const minuteOf = (ms: number): string => asctime(ms).slice(0, 16)

/** `850 ms`, `12.3 s`, `4 min 05 s`, `3 h 12 min`. */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const two = (value: number): string => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${two(Math.floor(seconds % 60))} s`
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
}

const rate = (runs: number, ms: number): string =>
  ms < 1 || runs === 0 ? '' : ((runs / ms) * 60_000).toFixed(1)
