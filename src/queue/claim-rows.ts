import type { InstanceState, ItemState, ItemStatus, ScanNote, StageCounts } from '../engine/claim-store.ts'

type Row = Readonly<Record<string, unknown>>

const number = (value: unknown): number => Number(value ?? 0)
const maybeNumber = (value: unknown): number | undefined =>
  value === null || value === undefined ? undefined : Number(value)
const maybeText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const text = (value: unknown): string => maybeText(value) ?? ''

/** A row of `work`. The columns have one name in every store. */
export const itemOf = (row: Row): ItemState => ({
  stage: text(row['stage']),
  key: text(row['key']),
  ordinal: number(row['ordinal']),
  status: text(row['status']) as ItemStatus,
  attempts: number(row['attempts']),
  lost: number(row['lost']),
  claimedBy: maybeText(row['claimed_by']),
  claimedAt: maybeNumber(row['claimed_at']),
  notBefore: number(row['not_before']) === 0 ? undefined : number(row['not_before']),
  finishedAt: maybeNumber(row['finished_at']),
  code: maybeText(row['code']),
  message: maybeText(row['message']),
})

export const countsOf = (row: Row): StageCounts => ({
  stage: text(row['stage']),
  pending: number(row['pending']),
  claimed: number(row['claimed']),
  done: number(row['done']),
  failed: number(row['failed']),
  paused: row['paused_at'] !== null && row['paused_at'] !== undefined,
  blockedUntil: maybeNumber(row['blocked_until']),
  blockedReason: maybeText(row['blocked_reason']),
  oldest: maybeNumber(row['oldest']),
})

/** `now` is the store's clock, epoch milliseconds. */
export const instanceOf = (row: Row, now: number): InstanceState => ({
  id: text(row['id']),
  host: text(row['host']),
  pid: number(row['pid']),
  startedAt: number(row['started_at']),
  heartbeatAt: number(row['heartbeat_at']),
  endedAt: maybeNumber(row['ended_at']),
  status: text(row['status']) as InstanceState['status'],
  workers: number(row['workers']),
  processors: number(row['processors']),
  held: number(row['held']),
  claims: number(row['claims']),
  done: number(row['done']),
  failed: number(row['failed']),
  fenced: number(row['fenced']),
  recovered: number(row['recovered']),
  rate: row['status'] === 'running' ? rateOf(row, now) : 0,
})

/**
 * Items a second over the last minute, from what was counted in this minute and in the one before it: of the earlier one the part counts
 * that lies within the last 60 seconds.
 */
const rateOf = (row: Row, now: number): number => {
  const age = now / MINUTE - number(row['minute'])
  const [these, before] = [number(row['ended_in_minute']), number(row['ended_before'])]
  const ended = age < 1 ? these + before * (1 - Math.max(0, age)) : these * Math.max(0, 2 - age)
  // A worker that is younger than a minute has had less time.
  const seconds = Math.min(MINUTE, Math.max(1000, now - number(row['started_at']))) / 1000
  return ended / seconds
}

const MINUTE = 60_000

/** The columns from which `rateOf` reads, brought up to date in one UPDATE. `minute` and `ended` are SQL. */
export const countEnded = (minute: string, ended: string): string =>
  `ended_before = CASE minute WHEN ${minute} THEN ended_before WHEN ${minute} - 1 THEN ended_in_minute ELSE 0 END,
   ended_in_minute = CASE minute WHEN ${minute} THEN ended_in_minute ELSE 0 END + ${ended}, minute = ${minute}`

export const scanOf = (row: Row): ScanNote => ({
  leader: maybeText(row['leader']),
  beganAt: maybeNumber(row['began']),
  added: number(row['scan_added']),
  wantedAt: maybeNumber(row['wanted']),
})

/** Turns a query of distinct ordinals into one of their unbroken ranges: ordinals less their place are the same within one. */
export const rangesOf = (ordinals: string): string =>
  `SELECT min(ordinal) AS first, max(ordinal) AS last FROM (
     SELECT ordinal, ordinal - row_number() OVER (ORDER BY ordinal) AS series FROM (${ordinals}) o) s
   GROUP BY series ORDER BY 1`

/** A reason as every store keeps it: none has a NUL in a text, and messages may quote one from a record. */
export const reasonText = (reason: string): string => reason.replaceAll('\0', '\u{fffd}')

/** Why an item is poison, for its failure. */
export const poisonMessage = (lost: number): string =>
  `its worker died or froze ${lost} times with this item in hand; look at it before you retry it`
