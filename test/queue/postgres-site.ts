import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClaimStore } from '../../src/engine/claim-store.ts'
import { identity, monotonic } from '../../src/platform/host.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { QueueSite } from '../conformance/claim-store.ts'
import { postgresPlace } from '../postgres.ts'

export const serverUrl = (): string => {
  const { host, port, user, password } = postgresPlace()
  return `postgres://${user}${password === '' ? '' : `:${encodeURIComponent(password)}`}@${host}:${port}/postgres`
}

export interface PostgresSite extends QueueSite {
  readonly schema: string
  readonly client: pg.Client
  open(): Promise<PostgresQueue>
}

const LEASE = 60_000

/** The columns that hold times, so that a test can move the server's clock: times go back, which is the same. */
const TIMES = {
  job: ['start_after', 'created_on', 'started_on', 'completed_on'],
  archiver_held: ['claimed_at', 'lease_until'],
  archiver_stages: ['paused_at', 'blocked_until'],
  archiver_leaders: ['expires_at', 'scan_began_at', 'scan_wanted_at'],
  archiver_instances: ['started_at', 'heartbeat_at', 'ended_at'],
}

let shared: Promise<string> | undefined

/** Making the tables takes longer than a test: the tests of a file share a schema, and empty it. */
const sharedSchema = (): Promise<string> => (shared ??= makeSchema())

const makeSchema = async (): Promise<string> => {
  const schema = `queue_${randomUUID().replaceAll('-', '').slice(0, 12)}`
  const options = {
    server: serverUrl(),
    password: undefined,
    schema,
    identity: identity(),
    lease: LEASE,
    monotonic,
  }
  const migrator = await PostgresQueue.open({
    ...options,
    instance: 'migrator',
    lookEvery: 0,
    works: false,
    migrate: true,
  })
  await migrator.close()
  return schema
}

/** Call it after all tests of a file. */
export const dropSharedSchema = async (): Promise<void> => {
  if (shared) await dropSchema(await shared)
}

/** An empty queue on the tests' PostgreSQL. */
export const openPostgresSite = async (): Promise<PostgresSite> => {
  const schema = await sharedSchema()
  const client = new pg.Client({ connectionString: serverUrl() })
  client.on('error', () => undefined)
  await client.connect()
  const opened = new Map<ClaimStore, { queue: PostgresQueue; instance: string }>()
  let passed = 0
  const optionsOf = (instance: string) => ({
    server: serverUrl(),
    password: undefined,
    schema,
    instance,
    identity: identity(),
    lease: LEASE,
    monotonic: () => monotonic() + passed,
    lookEvery: 0,
  })
  const tables = [...Object.keys(TIMES), 'archiver_tallies']
  const key = `hashtextextended('run-archiver instance ${schema} ' || $1::text, 0)`
  /** The server frees the lock a moment after the connection is gone. */
  const untilFree = async (instance: string): Promise<void> => {
    for (;;) {
      const { rows } = await client.query<{ free: boolean }>(
        `SELECT pg_try_advisory_xact_lock(${key}) AS free`,
        [instance],
      )
      if (rows[0]?.free) return
      await sleep(20)
    }
  }
  const site: PostgresSite = {
    schema,
    client,
    lease: LEASE,
    async open() {
      const instance = `instance-${opened.size}-${randomUUID().slice(0, 8)}`
      const store = await PostgresQueue.open({ ...optionsOf(instance), works: true })
      opened.set(store, { queue: store, instance })
      return store
    },
    // No process asks its own wall clock: it has none to give.
    setClock: () => Promise.resolve(),
    async pass(milliseconds) {
      passed += milliseconds
      await site.setStoreClock(milliseconds)
    },
    async setStoreClock(milliseconds) {
      for (const [table, columns] of Object.entries(TIMES))
        await client.query(
          `UPDATE ${schema}.${table} SET ${columns.map((one) => `${one} = ${one} - $1 * interval '1 ms'`).join(', ')}`,
          [milliseconds],
        )
    },
    async copy() {
      for (const table of tables)
        await client.query(`CREATE TEMP TABLE copy_of_${table} AS TABLE ${schema}.${table}`)
      return async () => {
        for (const { instance } of opened.values()) {
          await client.query(
            `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) = ${key}`,
            [instance],
          )
          await untilFree(instance)
        }
        await client.query(`TRUNCATE ${tables.map((table) => `${schema}.${table}`).join(', ')}`)
        for (const table of tables) {
          await client.query(`INSERT INTO ${schema}.${table} TABLE copy_of_${table}`)
          await client.query(`DROP TABLE copy_of_${table}`)
        }
        return site.open()
      }
    },
    async kill(store) {
      const { queue, instance } = opened.get(store)!
      await queue.abandon()
      await untilFree(instance)
      opened.delete(store)
    },
    async close() {
      for (const store of opened.keys()) await store.close()
      await client.query(`TRUNCATE ${tables.map((table) => `${schema}.${table}`).join(', ')}`)
      await client.end()
    },
  }
  return site
}

export const dropSchema = async (schema: string): Promise<void> => {
  const client = new pg.Client({ connectionString: serverUrl() })
  await client.connect()
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await client.end()
}
