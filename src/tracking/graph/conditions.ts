import type { State } from '../ledger/status-words.ts'

/** What a task's past says of its duration, in seconds, from its newest good executions. */
export interface PastDurations {
  readonly count: number
  readonly p50: number
  readonly p95: number
}

/** What is registered for a task. */
export interface Expectation {
  /** Minutes between two starts, or `HH:MM` of each day in UTC. */
  readonly schedule?: string | undefined
  readonly graceMinutes?: number | undefined
  readonly expectedMinutes?: number | undefined
}

/** The newest execution of a task. Times in epoch milliseconds. */
export interface Latest {
  readonly runId: string
  readonly state: State
  readonly startedAt: number
  readonly endedAt?: number | undefined
  readonly heartbeatAt?: number | undefined
  /** Milliseconds between two signs of life, where its reporter says so. */
  readonly heartbeatEvery?: number | undefined
  readonly progressAt?: number | undefined
  /** THROTTLED, BLOCKED or PAUSED. */
  readonly subState?: string | undefined
  /** Milliseconds that an item usually takes. */
  readonly itemMs?: number | undefined
}

/** Milliseconds. */
export interface Limits {
  readonly hungAfter: number
  readonly heartbeatEvery: number
}

export const LIMITS: Limits = { hungAfter: 600_000, heartbeatEvery: 15_000 }

/** Milliseconds without a write after which a program that has no heartbeat counts as lost: it may be in one long step. */
export const SILENT_AFTER = 3_600_000

/** Minutes that a start may be late where nothing else is registered. */
export const GRACE_MINUTES = 5

const MINUTE = 60_000
const DAY = 86_400_000

const isOpen = ({ state }: Latest): boolean => state === 'started' || state === 'running'

/**
 * LOST: it runs by the ledger, and no heartbeat has come for three intervals, of 15 s or of its own where they are longer. A heartbeat from the future, which a clock that was set back
 * leaves, is none; an execution without any heartbeat counts from its start.
 */
export const isLost = (latest: Latest, now: number, { heartbeatEvery }: Limits = LIMITS): boolean =>
  isOpen(latest) &&
  Math.abs(now - (latest.heartbeatAt ?? latest.startedAt)) >
    3 * Math.max(heartbeatEvery, latest.heartbeatEvery ?? 0)

/**
 * HUNG: its heart beats, and nothing has moved for ten minutes or five times what an item takes, whichever is longer. Progress from the
 * future, before a clock was set back, is none.
 */
export const isHung = (latest: Latest, now: number, limits: Limits = LIMITS): boolean => {
  if (!isOpen(latest) || isLost(latest, now, limits) || latest.subState) return false
  const patience = Math.max(limits.hungAfter, 5 * (latest.itemMs ?? 0))
  return Math.abs(now - (latest.progressAt ?? latest.startedAt)) > patience
}

/** When the schedule last wanted a start at or before `now`, epoch milliseconds; undefined for a text that is not a schedule. */
export const lastDue = (
  schedule: string,
  latestStart: number | undefined,
  now: number,
): number | undefined => {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(schedule) ?? []
  if (hour !== undefined && minute !== undefined) {
    const due = Math.floor(now / DAY) * DAY + Number(hour) * 3_600_000 + Number(minute) * MINUTE
    return due <= now ? due : due - DAY
  }
  const every = /^\d{1,9}(\.\d{1,9})?$/.test(schedule) ? Number(schedule) * MINUTE : 0
  if (!(every > 0)) return undefined
  // As far back as a start in the future is ahead: the clock was set back since.
  return latestStart === undefined ? now : Math.min(now, now - Math.abs(now - latestStart) + every)
}

/** LATE: the schedule and its grace have passed without a start. A task that never started is late only by a time of day. */
export const isLate = (
  expectation: Expectation,
  latest: Pick<Latest, 'startedAt'> | undefined,
  now: number,
): boolean => {
  const { schedule, graceMinutes = GRACE_MINUTES } = expectation
  if (!schedule) return false
  const due = lastDue(schedule, latest?.startedAt, now)
  if (due === undefined || (latest && latest.startedAt >= due && latest.startedAt <= now)) return false
  return now - due > graceMinutes * MINUTE
}

/** Executions from which a quantile says something. */
const ENOUGH = 5

/** A sentence when a duration is abnormal: over `factor` times the 95th percentile, or twice what is expected. */
export const abnormalDuration = (
  latest: Latest,
  past: PastDurations | undefined,
  { expectedMinutes }: Expectation,
  now: number,
  factor = 1.5,
): string | undefined => {
  const seconds = ((latest.endedAt ?? now) - latest.startedAt) / 1000
  const shown = `${Math.round(seconds)} s`
  if (past && past.count >= ENOUGH && seconds > past.p95 * factor)
    return `${shown}; 95 % of its last ${past.count} good executions took at most ${Math.round(past.p95)} s`
  if (expectedMinutes !== undefined && seconds > expectedMinutes * 120)
    return `${shown}; ${expectedMinutes * 60} s are expected`
  return undefined
}
