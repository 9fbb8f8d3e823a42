import { backlogOverview, type BacklogOverview } from '../engine/backlog-overview.ts'
import type { ClaimStore } from '../engine/claim-store.ts'
import type { Archiver } from '../runs/archiver.ts'
import { hasQueue, openQueue } from './open-queue.ts'

/** The backlog as the pages read it. */
export interface PageQueue {
  /** Who holds what since when, live or gone: for the page `/instances`. Throws QUEUE_UNAVAILABLE. */
  readonly overview: () => Promise<BacklogOverview>
  /** Changes with each claim, end and sign of life. Throws QUEUE_UNAVAILABLE. */
  readonly revision: () => Promise<string>
  close(): Promise<void>
}

/** Opened at the first question, and again after it was away. Undefined where no backlog is configured. */
export const pageQueue = (archiver: Archiver | undefined): PageQueue | undefined => {
  if (!archiver || !hasQueue(archiver.config.queue)) return undefined
  const { queue: settings, app } = archiver.config
  let opened: Promise<ClaimStore> | undefined
  const ask = async <T>(question: (store: ClaimStore) => Promise<T>): Promise<T> => {
    const opening = (opened ??= openQueue(settings, app.workDir, 'looks'))
    try {
      return await question(await opening)
    } catch (error) {
      if (opened === opening) opened = undefined
      void opening.then((store) => store.close()).catch(() => undefined)
      throw error
    }
  }
  return {
    overview: () => ask(backlogOverview),
    revision: () =>
      ask(async (store) => JSON.stringify(await Promise.all([store.counts(), store.instances()]))),
    close: async () => {
      const store = await opened?.catch(() => undefined)
      await store?.close()
    },
  }
}
