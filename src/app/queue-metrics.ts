import { backlogOverview, type BacklogOverview } from '../engine/backlog-overview.ts'
import type { ServedFacts } from '../tracking/metrics/served-metrics.ts'
import { TaskMetrics } from '../tracking/metrics/task-metrics.ts'
import { hasQueue, openQueue, type QueueSettings } from './open-queue.ts'

export type QueueFacts = Pick<
  ServedFacts,
  'instances' | 'claims' | 'claimed' | 'fenced' | 'recovered' | 'rate'
>

/** The shared backlog in numbers: its workers and its items, by state. */
export const queueFacts = ({ instances, stages: counts, rate }: BacklogOverview): QueueFacts => {
  const sum = <T>(items: readonly T[], value: (item: T) => number): number =>
    items.reduce((total, item) => total + value(item), 0)
  return {
    instances: Object.fromEntries(
      ['running', 'stopped', 'lost'].map((state) => [
        state,
        instances.filter(({ status }) => status === state).length,
      ]),
    ),
    claims: {
      pending: sum(counts, (one) => one.pending),
      claimed: sum(counts, (one) => one.claimed),
      done: sum(counts, (one) => one.done),
      failed: sum(counts, (one) => one.failed),
    },
    claimed: sum(instances, (one) => one.claims),
    fenced: sum(instances, (one) => one.fenced),
    recovered: sum(instances, (one) => one.recovered),
    rate,
  }
}

/** The same for the text file of a worker, at its end. Nothing where there is no backlog, or it does not answer. */
export const queueSeries = async (
  settings: QueueSettings,
  workDir: string,
): Promise<TaskMetrics['series']> => {
  if (!hasQueue(settings)) return []
  const metrics = new TaskMetrics()
  try {
    const store = await openQueue(settings, workDir, false)
    try {
      const { instances, claims, claimed, fenced, recovered, rate } = queueFacts(await backlogOverview(store))
      for (const [state, count] of Object.entries(instances)) metrics.set('instances', { state }, count)
      for (const [state, count] of Object.entries(claims)) metrics.set('claims', { state }, count)
      metrics.set('claims_total', {}, claimed ?? 0)
      metrics.set('claims_fenced_total', {}, fenced ?? 0)
      metrics.set('claims_recovered_total', {}, recovered ?? 0)
      metrics.set('backlog_rate_items_per_second', {}, rate ?? 0)
    } finally {
      await store.close()
    }
  } catch {
    return [] // what was known before stays in the file
  }
  return metrics.series
}
