import { counted } from '../common/counted.ts'
import type { ClaimStore, InstanceState, StageCounts } from './claim-store.ts'

/** An item in the hands of an instance. Times are epoch milliseconds by the store's clock. */
export interface HeldItem {
  readonly stage: string
  readonly key: string
  readonly since: number | undefined
}

export interface InstanceOverview extends InstanceState {
  /** It scans and writes the state files. */
  readonly leads: boolean
  /** Milliseconds since it gave a sign of life; a running instance gives one every few seconds. */
  readonly silent: number
  /** What it holds, the oldest first; at most `HELD_SHOWN` items of all instances together. */
  readonly holding: readonly HeldItem[]
}

/** Who works on a backlog, what each of them holds since when, and what is left. */
export interface BacklogOverview {
  /** The store's clock. */
  readonly at: number
  readonly stages: readonly StageCounts[]
  /** Running ones first, then the newest. */
  readonly instances: readonly InstanceOverview[]
  /** Items a second that all running instances ended in the last minute. */
  readonly rate: number
  /** One sentence for each machine whose instances work on more items at once than it has processors. */
  readonly overloaded: readonly string[]
}

/** How many held items an overview names. */
export const HELD_SHOWN = 1000

/** Reads who holds what since when: for `queue status`, the page `/instances` and the metrics. Changes nothing. */
export const backlogOverview = async (store: ClaimStore): Promise<BacklogOverview> => {
  const [stages, instances, { leader }, at] = await Promise.all([
    store.counts(),
    store.instances(),
    store.lastScan(),
    store.now(),
  ])
  const held = (
    await Promise.all(
      stages
        .filter(({ claimed }) => claimed > 0)
        .map(({ stage }) => store.list(stage, 'claimed', HELD_SHOWN)),
    )
  ).flat()
  const overviewOf = (one: InstanceState): InstanceOverview => ({
    ...one,
    leads: one.id === leader,
    silent: Math.max(0, at - one.heartbeatAt),
    holding: held
      .filter(({ claimedBy }) => claimedBy === one.id)
      .map(({ stage, key, claimedAt }) => ({ stage, key, since: claimedAt }))
      .sort((a, b) => (a.since ?? at) - (b.since ?? at)),
  })
  return {
    at,
    stages,
    instances: instances
      .map(overviewOf)
      .sort(
        (a, b) =>
          Number(b.status === 'running') - Number(a.status === 'running') || b.startedAt - a.startedAt,
      ),
    rate: instances.reduce((sum, { rate }) => sum + rate, 0),
    overloaded: overloadedHosts(instances),
  }
}

/** Machines whose running instances only wait for each other. */
export const overloadedHosts = (instances: readonly InstanceState[]): string[] => {
  const running = instances.filter(({ status }) => status === 'running')
  return [...new Set(running.map(({ host }) => host))].flatMap((host) => {
    const here = running.filter((one) => one.host === host)
    const workers = here.reduce((sum, one) => sum + one.workers, 0)
    const processors = Math.max(...here.map((one) => one.processors))
    if (processors === 0 || workers <= processors) return []
    return [
      `${host}: ${workers} workers of ${counted(here.length, 'instance')} are more than its ${processors} processors`,
    ]
  })
}
