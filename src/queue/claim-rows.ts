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

export const instanceOf = (row: Row): InstanceState => ({
  id: text(row['id']),
  host: text(row['host']),
  pid: number(row['pid']),
  startedAt: number(row['started_at']),
  heartbeatAt: number(row['heartbeat_at']),
  endedAt: maybeNumber(row['ended_at']),
  status: text(row['status']) as InstanceState['status'],
  held: number(row['held']),
  done: number(row['done']),
  failed: number(row['failed']),
  fenced: number(row['fenced']),
  recovered: number(row['recovered']),
})

export const scanOf = (row: Row): ScanNote => ({
  beganAt: maybeNumber(row['began']),
  added: number(row['scan_added']),
  wantedAt: maybeNumber(row['wanted']),
})

/** Why an item is poison, for its failure. */
export const poisonMessage = (lost: number): string =>
  `its worker died or froze ${lost} times with this item in hand; look at it before you retry it`
