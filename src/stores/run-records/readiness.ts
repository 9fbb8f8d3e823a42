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
    const detail = `changed ${seconds(quietFor)} ago, quiet after ${seconds(settleSeconds)}`
    return { ready: false, reason: copying ? 'copying' : 'settling', detail }
  }
  if (metadata?.ended) return { ready: true, ended: true }
  if (incompleteAfterSeconds === 0 || age >= incompleteAfterSeconds) return { ready: true, ended: false }
  const clock =
    age < -settleSeconds
      ? `; its time is ${seconds(-age)} ahead of this machine's clock, so its age is not known`
      : `; it will be archived as incomplete after ${seconds(incompleteAfterSeconds)} without change`
  if (copying)
    return {
      ready: false,
      reason: 'copying',
      detail: `${metadata ? 'no start time yet' : 'no metadata.txt yet'}${clock}`,
    }
  if (!started) return { ready: false, reason: 'started', detail: `start not confirmed${clock}` }
  return { ready: false, reason: 'running', detail: `no stop time${clock}` }
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const

const seconds = (value: number): string => {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(value) >= 2 * size) ?? ['s', 1]
  return `${Math.round(value / size)} ${unit}`
}
