import { counted } from '../common/counted.ts'
import { ageText } from '../common/duration.ts'
import { printable } from '../common/redact.ts'
import type { BacklogOverview, InstanceOverview } from '../engine/backlog-overview.ts'
import type { ItemState, StageCounts } from '../engine/claim-store.ts'

const timeOf = (ms: number | undefined): string => (ms === undefined ? '-' : new Date(ms).toISOString())

const sentence = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('; ')

/** `queue status` as people read it. */
export const overviewLines = (
  { at, stages, instances, rate, overloaded }: BacklogOverview,
  failures: readonly ItemState[],
): string[] => [
  ...stages.map((one) => stageLine(one, Math.max(7, ...stages.map(({ stage }) => stage.length)))),
  ...(rate > 0 ? [`${rate.toFixed(1)} items a second in the last minute`] : []),
  ...instances.map((one) => instanceLine(one, at)),
  ...overloaded.map((text) => `Note: ${text}`),
  ...failures.map(itemLine),
]

const stageLine = (one: StageCounts, width: number): string =>
  sentence(
    `${one.stage.padEnd(width)} ${one.pending} pending, ${one.claimed} claimed, ${one.done} done, ${one.failed} failed`,
    one.oldest === undefined ? '' : `oldest since ${timeOf(one.oldest)}`,
    one.paused ? 'paused' : '',
    one.blockedUntil === undefined
      ? ''
      : `waits until ${timeOf(one.blockedUntil)}: ${one.blockedReason ?? ''}`,
  )

/** Held items that a line names. */
const NAMED = 3

/** A running instance gives a sign of life every few seconds; milliseconds. */
const SILENT = 20_000

const instanceLine = (one: InstanceOverview, now: number): string => {
  const { holding } = one
  const named = holding
    .slice(0, NAMED)
    .map(({ stage, key, since }) => `${stage} ${key} for ${ageText(now - (since ?? now))}`)
  const more = one.held > named.length && named.length > 0 ? `, and ${one.held - named.length} more` : ''
  const state = one.status === 'running' && one.silent > SILENT ? 'running, but silent' : one.status
  return sentence(
    `${one.id} ${state} (PID ${one.pid} on ${one.host}, since ${timeOf(one.startedAt)}${one.leads ? ', leads' : ''})`,
    `holds ${one.held}${named.length > 0 ? ` (${named.join(', ')}${more})` : ''}`,
    `${one.claims} claimed, ${one.done} done, ${one.failed} failed, ${one.fenced} fenced, ${one.recovered} recovered`,
    one.rate > 0 ? `${one.rate.toFixed(1)} a second` : '',
    one.status === 'running' && one.silent > SILENT ? `last seen ${ageText(one.silent)} ago` : '',
  )
}

/** `queue list` and `queue show`: one item. */
export const itemLine = (item: ItemState): string =>
  printable(
    sentence(
      `${item.stage} ${item.key}: ${item.status}, ${counted(item.attempts, 'attempt')}`,
      item.claimedBy !== undefined && item.status === 'claimed'
        ? `held by ${item.claimedBy} since ${timeOf(item.claimedAt)}`
        : '',
      item.lost > 0 ? `its worker died ${counted(item.lost, 'time')}` : '',
      item.code === undefined && item.message === undefined
        ? ''
        : `${item.code ?? ''} ${item.message ?? ''}`.trim(),
    ),
  )
