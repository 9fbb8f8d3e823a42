import { RunSet } from '../common/run-set.ts'
import type { RunAttempt } from './model.ts'
import { messageClass } from './text.ts'

/** Failures that have one cause: the same code and, but for numbers, paths and digests, the same message. */
export interface FailureGroup {
  /** Of one cause the same, whatever attempts are looked at. */
  readonly cause: string
  readonly code: string | undefined
  readonly stage: string
  readonly message: string
  readonly count: number
  readonly runs: RunSet
  /** The last 14 UTC days, the oldest first. */
  readonly days: readonly number[]
  readonly first: number
  readonly last: number
  readonly execution: number | undefined
}

const DAY = 86_400_000
/** Days that a group's bars show. */
export const GROUP_DAYS = 14

/**
 * Groups failed attempts by cause: stage, code and class of message. The largest group first. With `open`, only attempts of runs that are in
 * the failure log now count, each run once, under its newest cause.
 */
export const failureGroups = (
  attempts: readonly RunAttempt[],
  now: number,
  open?: { readonly import: RunSet; readonly migrate: RunSet },
): readonly FailureGroup[] => {
  const groups = new Map<string, { attempts: RunAttempt[]; runs: Set<number> }>()
  const seen = new Set<string>()
  for (const attempt of attempts) {
    if (open && !isOpen(attempt, open)) continue
    const key = JSON.stringify([attempt.stage, attempt.code ?? null, messageClass(attempt.error ?? '')])
    const run = `${attempt.stage} ${attempt.name}`
    const group = groups.get(key) ?? { attempts: [], runs: new Set() }
    group.attempts.push(attempt)
    if (attempt.run !== undefined && !(open && seen.has(run))) group.runs.add(attempt.run)
    seen.add(run)
    groups.set(key, group)
  }
  return [...groups]
    .filter(
      ([, { runs, attempts: of }]) => !open || runs.size > 0 || of.every(({ run }) => run === undefined),
    )
    .map(([cause, { attempts: of, runs }]): FailureGroup => {
      const times = of.map((attempt) => attempt.endedAt ?? attempt.startedAt)
      const newest = of[0]
      return {
        cause,
        code: newest?.code,
        stage: newest?.stage ?? '',
        message: sharedMessage(of),
        count: runs.size === 0 ? of.length : runs.size,
        runs: RunSet.of(runs),
        days: daysOf(times, now),
        first: Math.min(...times),
        last: Math.max(...times),
        execution: newest?.execution,
      }
    })
    .sort((a, b) => b.count - a.count || b.last - a.last)
}

/** Groups of a time that is shorter than their bars: how often is of that time, since when and on which days of all that was looked at. */
export const withBefore = (
  groups: readonly FailureGroup[],
  all: readonly FailureGroup[],
): readonly FailureGroup[] => {
  const whole = new Map(all.map((group) => [group.cause, group]))
  return groups.map((group) => {
    const { days, first } = whole.get(group.cause) ?? group
    return { ...group, days, first }
  })
}

/** Attempts of a stage, and with a text in their code or message. */
export const failuresWith = (
  attempts: readonly RunAttempt[],
  stage: string,
  text: string,
): readonly RunAttempt[] => {
  const wanted = text.trim().toLowerCase()
  return attempts.filter(
    (attempt) =>
      (stage === '' || attempt.stage === stage) &&
      `${attempt.code ?? ''} ${attempt.error ?? ''}`.toLowerCase().includes(wanted),
  )
}

/** The command that tries again what failed in a stage; undefined where only the pipeline itself can. */
export const retryCommand = (stage: string, config: string, runs?: string): string | undefined => {
  if (stage === 'import' || stage === 'migrate')
    return `run-archiver ${config} --retry-failed-${stage}${runs === undefined ? '' : ` --runs ${runs}`}`
  const task = /^records:(.+)$/.exec(stage)?.[1]
  return task === undefined ? undefined : `run-archiver records retry ${task} --config ${config}`
}

/** How many items failed, each counted once however many causes it had. */
export const failedItems = (attempts: readonly RunAttempt[]): number =>
  new Set(attempts.map(({ stage, name }) => JSON.stringify([stage, name]))).size

/** The message itself where all have the same, else what their messages have in common. */
const sharedMessage = (attempts: readonly RunAttempt[]): string => {
  const [first = 'no message was left', ...others] = new Set(attempts.map(({ error }) => error))
  return others.length === 0 ? first : messageClass(first)
}

const isOpen = (
  { stage, run }: RunAttempt,
  open: { readonly import: RunSet; readonly migrate: RunSet },
): boolean => {
  if (run === undefined) return false
  return stage === 'import' ? open.import.has(run) : stage === 'migrate' ? open.migrate.has(run) : false
}

/** Whether a cause is still making failures: it did in the last 24 hours, and not only then. */
export const isGrowing = (group: FailureGroup, now: number): boolean =>
  now - group.last < DAY && group.days.filter((day) => day > 0).length > 1

const daysOf = (times: readonly number[], now: number): number[] => {
  const today = Math.floor(now / DAY)
  const days = Array.from({ length: GROUP_DAYS }, () => 0)
  for (const time of times) {
    const at = GROUP_DAYS - 1 - (today - Math.floor(time / DAY))
    if (at >= 0 && at < GROUP_DAYS) days[at] = (days[at] ?? 0) + 1
  }
  return days
}
