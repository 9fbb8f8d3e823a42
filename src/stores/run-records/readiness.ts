import { ageText, durationText } from '../../common/duration.ts'
import type { Readiness } from '../run-record.ts'

/** What can be seen of a record without reading more than metadata.txt. Times are epoch milliseconds. */
export interface RecordEvidence {
  /** The latest change of the directory, its folders and its files, by modification or status change. */
  readonly changedAt: number
  /** The latest modification of the directory and of metadata.txt. */
  readonly modifiedAt: number
  /** DAQInterface takes the owner's write permission away when its copy is whole (since July 2019). */
  readonly directoryWritable: boolean
  /** Undefined: there is no metadata.txt, or none that is a regular file. */
  readonly metadata: { readonly started: boolean; readonly ended: boolean } | undefined
  /** What is wrong with its text files, in words; of a record that has not ended. */
  readonly damage?: string | undefined
}

export interface ReadinessRules {
  readonly settleSeconds: number
  readonly incompleteAfterSeconds: number
}

/** As `Readiness`, before the signature is known. */
export type ReadinessVerdict =
  { readonly ready: true; readonly ended: boolean } | Extract<Readiness, { readonly ready: false }>

/**
 * Whether a record may be archived now: the table in docs/ARCHITECTURE.md, "Readiness of a run record". A time ahead of the
 * clock by more than `settleSeconds` says that a clock is wrong, not that the record is young: such a record counts as quiet, but
 * never as old, so one with a stop line does not wait for the clock, and one without says why it waits.
 */
export const judgeReadiness = (
  evidence: RecordEvidence,
  { settleSeconds, incompleteAfterSeconds }: ReadinessRules,
  now: number,
): ReadinessVerdict => {
  const { metadata, directoryWritable, changedAt, modifiedAt } = evidence
  const quietFor = (now - changedAt) / 1000
  const age = (now - modifiedAt) / 1000
  const started = metadata?.started ?? false
  const copying = !metadata || (!started && !metadata.ended && directoryWritable)
  if (quietFor < settleSeconds && quietFor >= -settleSeconds) {
    const detail = `changed ${ageText(quietFor * 1000)} ago, quiet after ${durationText(settleSeconds)}`
    return { ready: false, reason: copying ? 'copying' : 'settling', detail }
  }
  if (metadata?.ended) return { ready: true, ended: true }
  if (incompleteAfterSeconds === 0 || age >= incompleteAfterSeconds) return { ready: true, ended: false }
  const clock =
    age < -settleSeconds
      ? `; its time is ${ageText(-age * 1000)} ahead of this machine's clock, so its age is not known`
      : `; archived as incomplete after ${daysText(incompleteAfterSeconds)} without changes`
  if (evidence.damage !== undefined)
    return { ready: false, reason: 'damaged', detail: `${evidence.damage}${clock}` }
  if (copying)
    return {
      ready: false,
      reason: 'copying',
      detail: `${metadata ? 'no start time yet' : 'no metadata.txt yet'}${clock}`,
    }
  if (!started)
    return { ready: false, reason: 'started', detail: `metadata.txt is empty or unfinished${clock}` }
  return { ready: false, reason: 'running', detail: `no stop time yet${clock}` }
}

const DAY = 86_400

/** Whole days in words; anything else as durations are written. */
const daysText = (seconds: number): string =>
  seconds >= DAY && seconds % DAY === 0
    ? `${seconds / DAY} day${seconds === DAY ? '' : 's'}`
    : durationText(seconds)
