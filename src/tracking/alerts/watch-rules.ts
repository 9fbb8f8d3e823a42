import type { RuleName, Severity } from '../../common/alert-rules.ts'
import { BACKLOG_FINDINGS, type BacklogFacts } from './backlog-rules.ts'
import { RuleSettings } from './rule-settings.ts'
import { isGrowing } from './runs-left.ts'
import {
  abnormalDuration,
  isHung,
  isLate,
  isLost,
  LIMITS,
  type Expectation,
  type Latest,
  type PastDurations,
} from '../graph/conditions.ts'

/** Something that is wrong now. It stays one alert for as long as its rule and subject are found. */
export interface Finding {
  readonly rule: RuleName
  /** A task, a stage, a path. */
  readonly subject: string
  readonly severity: Severity
  readonly title: string
  readonly detail: string
}

export interface TaskFacts extends Expectation {
  readonly task: string
  readonly latest:
    (Latest & { readonly error?: string | undefined; readonly message?: string | undefined }) | undefined
  /** Later executions have done every item that failed in the newest one. */
  readonly isRepaired?: boolean
  readonly past: PastDurations | undefined
  /** In the last 24 hours. */
  readonly kills: number
  readonly reboots: number
  readonly terminated: number
  readonly conflicts: number
}

export interface StageFacts {
  readonly stage: string
  readonly lastContiguousRun: number
  readonly lastAttemptedRun: number
  readonly failedRuns: number
  /** How long the gap behind `lastContiguousRun` has been there, in milliseconds; undefined without one. */
  readonly gapAge: number | undefined
  /** Ready runs that each of the newest passes left, the oldest first. */
  readonly left: readonly number[]
}

/** Everything that the rules look at. */
export interface WatchFacts {
  readonly now: number
  readonly tasks: readonly TaskFacts[]
  readonly stages: readonly StageFacts[]
  /** Free share of a disk, 0 to 1, by folder. */
  readonly disks: readonly { readonly path: string; readonly free: number }[]
  readonly logs: readonly { readonly path: string; readonly bytes: number }[]
  /** Archived runs of which the scrub found a copy damaged, and what it found. */
  readonly damaged: ReadonlyMap<number, string>
  /** The shared backlog; undefined where there is none, or it does not answer. */
  readonly backlog?: BacklogFacts | undefined
  /** What could not be looked at. Left out: nothing. */
  readonly notKnown?: readonly NotKnown[]
}

/** Something that a rule could not look at: nobody knows whether its trouble is over. */
export interface NotKnown {
  readonly rule: RuleName
  /** Left out: whatever it is about. */
  readonly subject?: string
}

const HOUR = 3_600_000
const MINUTE = 60_000
const GIB = 2 ** 30
/** A disk that rots would else send thousands of messages. */
const DAMAGED_SHOWN = 20

/** `limit` gives the rule's threshold for a subject. */
type Rule = (facts: WatchFacts, limit: (subject: string) => number) => readonly Omit<Finding, 'rule'>[]

const byTask =
  (
    severity: Finding['severity'],
    look: (
      task: TaskFacts,
      now: number,
      limit: number,
    ) => readonly [title: string, detail: string] | undefined,
  ): Rule =>
  ({ tasks, now }, limit) =>
    tasks.flatMap((task) => {
      const found = look(task, now, limit(task.task))
      return found ? [{ subject: task.task, severity, title: found[0], detail: found[1] }] : []
    })

const byStage =
  (look: (stage: StageFacts, limit: number) => readonly [title: string, detail: string] | undefined): Rule =>
  ({ stages }, limit) =>
    stages.flatMap((stage) => {
      const found = look(stage, limit(stage.stage))
      return found ? [{ subject: stage.stage, severity: 'warning', title: found[0], detail: found[1] }] : []
    })

const byBacklog =
  (look: (backlog: BacklogFacts, limit: number) => ReturnType<Rule>): Rule =>
  ({ backlog }, limit) =>
    backlog ? look(backlog, limit('backlog')) : []

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** What each rule looks for. docs/monitoring/README.md lists them; a test holds the two together. */
export const RULES = {
  failed: byTask('critical', ({ task, latest }) =>
    latest?.state === 'failed' ? [`${task} failed`, latest.error ?? 'It left no message.'] : undefined,
  ),
  partial: byTask('warning', ({ task, latest, isRepaired }) =>
    latest?.state === 'partial' && !isRepaired
      ? [
          `${task} ended with failed items`,
          latest.error ??
            '`run-archiver history` lists the execution, `run-archiver history show` its failed items.',
        ]
      : undefined,
  ),
  duration: byTask('warning', (task, now, factor) => {
    const said = task.latest && abnormalDuration(task.latest, task.past, task, now, factor)
    return said === undefined ? undefined : [`${task.task} takes longer than usual`, said]
  }),
  hung: byTask('critical', ({ task, latest }, now, minutes) =>
    latest && isHung(latest, now, { ...LIMITS, hungAfter: minutes * MINUTE })
      ? [`${task} hangs`, `Its process lives, and nothing has moved for ${minutes} minutes or longer.`]
      : undefined,
  ),
  lost: byTask('critical', ({ task, latest }, now, seconds) =>
    latest && isLost(latest, now, { ...LIMITS, heartbeatEvery: (seconds * 1000) / 3 })
      ? [`${task} is lost`, 'It runs by the ledger, and sends no heartbeat.']
      : undefined,
  ),
  late: byTask('critical', (task, now) =>
    isLate(task, task.latest, now)
      ? [`${task.task} is late`, `Its schedule is "${task.schedule ?? ''}", and it has not started.`]
      : undefined,
  ),
  kills: byTask('warning', ({ task, kills }, _now, most) =>
    kills >= most ? [`${task} is killed often`, `${capital(times(kills))} in 24 hours.`] : undefined,
  ),
  reboot: byTask('warning', ({ task, reboots }, _now, most) =>
    reboots >= most ? [`A reboot ended ${task}`, `It happened ${times(reboots)} in 24 hours.`] : undefined,
  ),
  terminated: byTask('critical', ({ task, terminated }, _now, most) =>
    terminated >= most
      ? [`${task} disappeared`, `It happened ${times(terminated)} in 24 hours: killed, crash or power cut.`]
      : undefined,
  ),
  conflicts: byTask('critical', ({ task, conflicts }, _now, most) =>
    conflicts >= most
      ? [
          `${task} met conflicts`,
          `${conflicts} in 24 hours: same key, other content. Nothing was overwritten.`,
        ]
      : undefined,
  ),
  throttled: byTask('warning', ({ task, latest }, now, minutes) =>
    latest?.subState && Math.abs(now - (latest.progressAt ?? latest.startedAt)) > minutes * MINUTE
      ? [`${task} has been held back for ${minutes} minutes`, `It is ${latest.subState}.`]
      : undefined,
  ),
  lag_unknown: byTask('warning', ({ task, latest }) =>
    latest?.subState && latest.message?.includes('replica_lag unknown')
      ? [
          `${task} does not know how far its replica is`,
          'It waits until the replica says how far behind it is.',
        ]
      : undefined,
  ),
  failure_log: byStage(({ stage, failedRuns }, most) =>
    failedRuns > most
      ? [`${failedRuns} runs are in the ${stage} failure log`, `Try again with --retry-failed-${stage}`]
      : undefined,
  ),
  gap: byStage(({ stage, gapAge, lastContiguousRun }, hours) =>
    gapAge !== undefined && gapAge > hours * HOUR
      ? [`The ${stage} stage has a gap`, `After run ${lastContiguousRun}, for longer than ${hours} hours.`]
      : undefined,
  ),
  backlog_growing: byStage(({ stage, left }, passes) =>
    isGrowing(left, passes)
      ? [
          `The backlog of the ${stage} stage grows`,
          `Ready runs that the last passes left: ${left.slice(-passes - 1).join(', ')}. Is a pass too short, or a store too slow?`,
        ]
      : undefined,
  ),
  distance: byStage(({ stage, lastContiguousRun, lastAttemptedRun }, most) =>
    lastAttemptedRun - lastContiguousRun > most
      ? [
          `The ${stage} stage has run far ahead`,
          `Contiguous to run ${lastContiguousRun}, attempted to run ${lastAttemptedRun}.`,
        ]
      : undefined,
  ),
  damaged: ({ damaged }) =>
    [...damaged].slice(0, DAMAGED_SHOWN).map(([run, reason]) => ({
      subject: `run ${run}`,
      severity: 'critical',
      title: `Run ${run} is damaged${damaged.size > DAMAGED_SHOWN ? `, one of ${damaged.size}` : ''}`,
      detail: `${reason}. run-archiver diff ${run} shows which copy.`,
    })),
  disk: ({ disks }, least) =>
    disks
      .filter(({ path, free }) => free * 100 < least(path))
      .map(({ path, free }) => ({
        subject: path,
        severity: 'critical',
        title: 'A disk is nearly full',
        detail: `${path}: ${Math.round(free * 100)} % free.`,
      })),
  log_size: ({ logs }, most) =>
    logs
      .filter(({ path, bytes }) => bytes > most(path) * GIB)
      .map(({ path, bytes }) => ({
        subject: path,
        severity: 'warning',
        title: 'A log file is large',
        detail: `${path}: ${(bytes / GIB).toFixed(1)} GiB.`,
      })),
  instance_lost: byBacklog(BACKLOG_FINDINGS.instance_lost),
  fenced: byBacklog(BACKLOG_FINDINGS.fenced),
  poison: byBacklog(BACKLOG_FINDINGS.poison),
} as const satisfies Readonly<Record<Exclude<RuleName, 'finished'>, Rule>>

/** Everything that is wrong now, by every rule, as the site wants it. Executions that ended well are no trouble: `completions.ts` has them. */
export const findings = (facts: WatchFacts, settings = new RuleSettings()): Finding[] =>
  Object.entries(RULES).flatMap(([name, look]: [string, Rule]) => {
    const rule = name as RuleName
    return look(facts, (subject) => settings.threshold(rule, subject))
      .filter(({ subject }) => settings.isOn(rule, subject))
      .map((found) => ({
        rule,
        ...found,
        severity: settings.severity(rule, found.subject) ?? found.severity,
      }))
  })
