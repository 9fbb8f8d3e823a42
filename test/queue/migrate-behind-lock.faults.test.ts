import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identity, monotonic } from '../../src/platform/host.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { dropSchema, serverUrl } from './postgres-site.ts'

/** Milliseconds: longer than a statement of a worker waits for the server. */
const HELD = 17_000

describe('tables of the queue that another session locks for long', () => {
  const schema = `queue_${randomUUID().replaceAll('-', '').slice(0, 12)}`
  let other: pg.Client
  const open = (migrate: boolean): Promise<PostgresQueue> =>
    PostgresQueue.open({
      server: serverUrl(),
      password: undefined,
      schema,
      identity: identity(),
      lease: 60_000,
      monotonic,
      instance: 'one',
      lookEvery: 0,
      works: false,
      migrate,
    })

  beforeEach(async () => {
    await (await open(true)).close()
    other = new pg.Client({ connectionString: serverUrl() })
    await other.connect()
    await other.query(
      `BEGIN; LOCK TABLE ${schema}.archiver_instances, ${schema}.archiver_held IN ACCESS EXCLUSIVE MODE`,
    )
  })
  afterEach(async () => {
    await other.end()
    await dropSchema(schema)
  })

  it('are brought up to date when the lock is gone', async () => {
    const began = monotonic()
    const migrating = open(true)
    await sleep(HELD)
    await other.query('COMMIT')
    await (await migrating).close()
    expect(monotonic() - began).toBeGreaterThanOrEqual(HELD)
  }, 60_000)

  // The control: without it a lock that nobody waits for would pass, too.
  it('are away for the connections of the claims', async () => {
    const queue = await open(false)
    try {
      await expect(queue.instances()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    } finally {
      await other.query('COMMIT')
      await queue.close()
    }
  }, 60_000)
})
