import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Secret } from '../common/secret.ts'
import type { ClaimStore } from '../engine/claim-store.ts'
import { ArchiverError } from '../errors.ts'
import { identity, monotonic, now, sinceBoot, startTicks } from '../platform/host.ts'
import { databasePlace } from '../sql/database-url.ts'
import { databasePassword } from '../sql/fresh-password.ts'

export interface QueueSettings {
  readonly url: Secret
  readonly password: Secret | undefined
  readonly schema: string
  readonly leaseSeconds: number
}

/**
 * What the opened queue is for. `works`: this process registers as an instance. `looks`: it may be steered. `reads`: nothing is made or
 * changed; a file that is not there reads as an empty queue. `migrate`: the tables are made or brought up to date.
 */
export type QueueUse = 'works' | 'looks' | 'reads' | 'migrate'

/** Milliseconds between two looks of a worker for others that died. */
const LOOK_EVERY = 900

/** Whether a queue is configured. */
export const hasQueue = ({ url }: QueueSettings): boolean => !['', 'off'].includes(url.reveal())

/** Opens the backlog that `queue.url` names; `true` registers this process as an instance, which works on `workers`
 * items at once. Throws QUEUE_UNAVAILABLE and CONFIG_INVALID. */
export const openQueue = async (
  { url, password, schema, leaseSeconds }: QueueSettings,
  workDir: string,
  use: boolean | QueueUse,
  workers = 0,
): Promise<ClaimStore> => {
  const place = databasePlace(url.reveal(), workDir, 'queue.url')
  if (place?.dialect !== 'sqlite' && place?.dialect !== 'postgres')
    throw new ArchiverError('CONFIG_INVALID', 'no backlog is configured: queue.url is off', {
      hint: 'Set queue.url: sqlite:queue.db for several processes on one machine, or postgres://user@host/database for several machines.',
    })
  const who = identity()
  const common = {
    instance: `${who.host}-${who.pid}-${randomUUID().slice(0, 8)}`,
    identity: who,
    lease: leaseSeconds * 1000,
    monotonic,
    workers,
    processors: availableParallelism(),
    works: use === true || use === 'works',
  }
  if ('server' in place) {
    const { PostgresQueue } = await import('../queue/postgres/postgres-queue.ts')
    return PostgresQueue.open({
      ...common,
      server: place.server,
      password: databasePassword({ url, password }),
      schema,
      lookEvery: LOOK_EVERY,
      migrate: use === 'migrate',
    })
  }
  const { SqliteQueue } = await import('../queue/sqlite/sqlite-queue.ts')
  const path = use === 'reads' && !existsSync(place.file) ? ':memory:' : place.file
  return SqliteQueue.open({ ...common, path, now, sinceBoot, startTicksOf: startTicks })
}
