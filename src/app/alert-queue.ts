import { backlogOverview } from '../engine/backlog-overview.ts'
import type { ClaimStore } from '../engine/claim-store.ts'
import type { BacklogFacts } from '../tracking/alerts/backlog-rules.ts'
import type { NotKnown } from '../tracking/alerts/watch-rules.ts'
import { hasQueue, openQueue, type QueueSettings } from './open-queue.ts'

const DAY = 86_400_000
const OF_THE_BACKLOG: readonly NotKnown[] = [
  { rule: 'instance_lost' },
  { rule: 'fenced' },
  { rule: 'poison' },
]
/** Failed items of a stage that are looked at for poison. */
const LOOKED_AT = 1000

/** What alerts look at in a shared backlog: instances of the last 24 hours, and items that are poison until somebody retries them. */
export const backlogFacts = async (store: ClaimStore): Promise<BacklogFacts> => {
  const { instances, stages } = await backlogOverview(store)
  const recent = instances.filter(({ silent }) => silent < DAY)
  const failed = await Promise.all(
    stages.filter((one) => one.failed > 0).map(({ stage }) => store.list(stage, 'failed', LOOKED_AT)),
  )
  return {
    lost: recent
      .filter(({ status }) => status === 'lost')
      .map(({ id, silent }) => ({ instance: id, silent })),
    fenced: recent.reduce((sum, { fenced }) => sum + fenced, 0),
    poison: failed
      .flat()
      .filter(({ code }) => code === 'QUEUE_POISON')
      .map(({ stage, key }) => ({ stage, key })),
  }
}

/** The same, opened for one look; nothing where there is no backlog. One that does not answer is not known: a worker says that itself, and no alert ends by it. */
export const lookAtBacklog = async (
  settings: QueueSettings,
  workDir: string,
): Promise<{ readonly backlog?: BacklogFacts; readonly notKnown: readonly NotKnown[] }> => {
  if (!hasQueue(settings)) return { notKnown: [] }
  const store = await openQueue(settings, workDir, 'reads').catch(() => undefined)
  if (!store) return { notKnown: OF_THE_BACKLOG }
  try {
    return { backlog: await backlogFacts(store), notKnown: [] }
  } catch {
    return { notKnown: OF_THE_BACKLOG }
  } finally {
    await store.close().catch(() => undefined)
  }
}
