import { backlogOverview, type BacklogOverview } from '../engine/backlog-overview.ts'
import type { ClaimStore } from '../engine/claim-store.ts'
import type { Archiver } from '../runs/archiver.ts'
import type { BacklogFacts } from '../tracking/alerts/backlog-rules.ts'
import { backlogFacts } from './alert-queue.ts'
import { Lent } from './lent.ts'
import { hasQueue, openQueue } from './open-queue.ts'

/** The backlog as the pages read it. */
export interface PageQueue {
  /** Who holds what since when, live or gone: for the page `/instances`. Throws QUEUE_UNAVAILABLE. */
  readonly overview: () => Promise<BacklogOverview>
  /** Changes with each claim, end and sign of life. Throws QUEUE_UNAVAILABLE. */
  readonly revision: () => Promise<string>
  /** What alerts look at. Throws QUEUE_UNAVAILABLE. */
  readonly alerts: () => Promise<BacklogFacts>
  close(): Promise<void>
}

/** Opened at the first question, and again after it was away. Undefined where no backlog is configured. */
export const pageQueue = (archiver: Archiver | undefined): PageQueue | undefined => {
  if (!archiver || !hasQueue(archiver.config.queue)) return undefined
  const { queue: settings, app } = archiver.config
  const lent = new Lent(
    () => openQueue(settings, app.workDir, 'looks'),
    (store) => store.close(),
  )
  const ask = <T>(question: (store: ClaimStore) => Promise<T>): Promise<T> => lent.use(question)
  return {
    overview: () => ask(backlogOverview),
    revision: () =>
      ask(async (store) => JSON.stringify(await Promise.all([store.counts(), store.instances()]))),
    alerts: () => ask(backlogFacts),
    close: () => lent.end(),
  }
}
