import { randomUUID } from 'node:crypto'
import type { ClaimStore } from '../engine/claim-store.ts'
import { ArchiverError } from '../errors.ts'
import { identity, now, startTicks } from '../platform/host.ts'
import { databasePlace } from '../sql/database-url.ts'

export interface QueueSettings {
  readonly url: string
  readonly leaseSeconds: number
}

/** Opens the backlog that `queue.url` names. `works` registers this process as an instance. Throws QUEUE_UNAVAILABLE and CONFIG_INVALID. */
export const openQueue = async (
  { url, leaseSeconds }: QueueSettings,
  workDir: string,
  works: boolean,
): Promise<ClaimStore> => {
  const place = databasePlace(url, workDir, 'queue.url')
  if (place?.dialect !== 'sqlite')
    throw new ArchiverError('CONFIG_INVALID', 'no backlog is configured: queue.url is off', {
      hint: 'Set queue.url: sqlite:queue.db to work with several processes on one machine.',
    })
  const { SqliteQueue } = await import('../queue/sqlite/sqlite-queue.ts')
  const who = identity()
  return SqliteQueue.open({
    path: place.file,
    instance: `${who.host}-${who.pid}-${randomUUID().slice(0, 8)}`,
    identity: who,
    lease: leaseSeconds * 1000,
    now,
    startTicksOf: startTicks,
    works,
  })
}
