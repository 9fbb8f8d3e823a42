import { afterAll, describe, expect, it } from 'vitest'
import { LEADER_LEASE } from '../../src/engine/claim-store.ts'
import { identity, monotonic } from '../../src/platform/host.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { FaultProxy } from '../fakes/fault-proxy.ts'
import { claimAdversaries } from '../conformance/claim-adversaries.ts'
import { claimStoreConformance } from '../conformance/claim-store.ts'
import { dropSharedSchema, openPostgresSite, serverUrl } from './postgres-site.ts'

afterAll(dropSharedSchema)

claimStoreConformance('PostgreSQL', openPostgresSite)
claimAdversaries('PostgreSQL', openPostgresSite)

describe("a queue on PostgreSQL whose server's clock is set back by an hour", () => {
  const HOUR = 3_600_000
  it('hands out what was due, for nobody waits until the hour comes again', async () => {
    const site = await openPostgresSite()
    try {
      const store = await site.open()
      await store.enqueue(
        'import',
        [1, 2, 3].map((ordinal) => ({ key: String(ordinal), ordinal })),
        0,
      )
      const [first] = await store.claim('import', 1)
      await store.later(first!, 'not ready', 30_000)
      await store.claim('import', 1) // in the hand of a process that is frozen from now on
      await store.block('import', 'the destination is away', 10_000)
      await site.setStoreClock(-HOUR)
      const late = await site.open()
      expect(await late.claim('import', 9)).toEqual([]) // the fault, as long as nobody looks
      await late.reap()
      expect((await late.claim('import', 9)).map(({ key }) => key)).toEqual(['1', '3'])
      await site.pass(site.lease + 1)
      expect(await late.reap()).toBe(3) // its own two are not renewed either
    } finally {
      await site.close()
    }
  })
  it('does so while a worker runs, which has looked at the clock before', async () => {
    const site = await openPostgresSite()
    try {
      const store = await site.open()
      await store.reap()
      await store.enqueue('import', [{ key: '1', ordinal: 1 }], 0)
      const [first] = await store.claim('import', 1)
      await store.later(first!, 'not ready', 30_000)
      await site.pass(HOUR)
      await site.setStoreClock(-2 * HOUR)
      expect(await store.claim('import', 1)).toEqual([]) // the fault, as long as nobody looks
      await store.reap()
      expect((await store.claim('import', 1)).map(({ key }) => key)).toEqual(['1'])
    } finally {
      await site.close()
    }
  })
  it('scans again, and has a leader soon', async () => {
    const site = await openPostgresSite()
    try {
      const store = await site.open()
      expect(await store.lead()).toBe(true)
      await store.noteScan(await store.now(), 7)
      await site.setStoreClock(-HOUR)
      const late = await site.open()
      await late.reap()
      await late.noteScan(await late.now(), 1)
      expect(await late.lastScan()).toMatchObject({ added: 1 })
      await site.pass(LEADER_LEASE + 1)
      expect(await late.lead()).toBe(true)
    } finally {
      await site.close()
    }
  })
  it('leaves alone what is put off, where the clock is right', async () => {
    const site = await openPostgresSite()
    try {
      const store = await site.open()
      await store.enqueue('import', [{ key: '1', ordinal: 1 }], 0)
      const [first] = await store.claim('import', 1)
      await store.later(first!, 'not ready', 30_000)
      const late = await site.open()
      await late.reap()
      expect(await late.claim('import', 1)).toEqual([])
    } finally {
      await site.close()
    }
  })
})

describe('a queue on PostgreSQL', () => {
  it('that nobody has migrated is refused, and says which command makes it', async () => {
    const opening = PostgresQueue.open({
      server: serverUrl(),
      password: undefined,
      schema: 'no_such_queue',
      instance: 'one',
      identity: identity(),
      lease: 1000,
      monotonic,
      lookEvery: 0,
      works: true,
    })
    await expect(opening).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      hint: expect.stringContaining('queue migrate') as string,
    })
  })
  it('whose server is frozen lets go of its lock and its connections all the same', async () => {
    const site = await openPostgresSite()
    const address = new URL(serverUrl())
    const proxy = await FaultProxy.before({ port: Number(address.port || 5432) })
    address.port = String(proxy.port)
    try {
      const store = await PostgresQueue.open({
        server: address.href,
        password: undefined,
        schema: site.schema,
        instance: 'frozen',
        identity: identity(),
        lease: 1000,
        monotonic,
        lookEvery: 0,
        works: true,
      })
      proxy.always({ kind: 'silence' })
      void proxy.freeze(60_000)
      const late = new Promise((resolve) => setTimeout(resolve, 15_000, 'it hangs'))
      expect(await Promise.race([store.abandon().then(() => 'it ended'), late])).toBe('it ended')
    } finally {
      await proxy.close()
      await site.close()
    }
  })
  it('that does not look at the attempt takes the result of a stale holder: the control', async () => {
    const site = await openPostgresSite()
    try {
      const [frozen, other] = [await site.open(), await site.open()]
      await frozen.enqueue('import', [{ key: '1', ordinal: 1 }], 0)
      await frozen.claim('import', 1)
      await site.pass(site.lease + 1)
      await other.reap()
      const [taken] = await other.claim('import', 1)
      // What an engine does that completes a job by its id alone.
      const { rowCount } = await site.client.query(
        `UPDATE ${site.schema}.job SET state = 'completed', completed_on = now() WHERE name = 'import' AND state = 'active'`,
      )
      expect(rowCount).toBe(1)
      await expect(other.settle([taken!], [])).rejects.toThrow('disagree')
    } finally {
      await site.close()
    }
  })
  it('takes its lock again once, however many calls find the connection broken', async () => {
    const site = await openPostgresSite()
    try {
      const store = await site.open()
      await store.enqueue('import', [{ key: '1', ordinal: 1 }], 0)
      const sessions = `SELECT l.pid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`
      await site.client.query(`SELECT pg_terminate_backend(pid) FROM (${sessions}) s`)
      await new Promise((later) => setTimeout(later, 200))
      const began = monotonic()
      const [claims] = await Promise.all([store.claim('import', 1), store.renew([]), store.reap()])
      expect(claims).toHaveLength(1)
      expect(monotonic() - began).toBeLessThan(5000)
      const { rows } = await site.client.query(sessions)
      expect(rows).toHaveLength(1)
    } finally {
      await site.close()
    }
  })
  it('lets one instance at a time write what many share', async () => {
    const site = await openPostgresSite()
    try {
      const stores = [await site.open(), await site.open(), await site.open()]
      let inside = 0
      let most = 0
      const write = async () => {
        most = Math.max(most, ++inside)
        await new Promise((later) => setTimeout(later, 30))
        inside -= 1
      }
      await Promise.all(stores.map((store) => store.exclusively('artdaqdb index', write)))
      expect([inside, most]).toEqual([0, 1])
      await Promise.all(stores.map((store, index) => store.exclusively(`another ${index}`, write)))
      expect(most).toBeGreaterThan(1) // the control: without a common name they do meet
    } finally {
      await site.close()
    }
  })
})

describe('an instance that waits for a lock of another', () => {
  it('waits for longer than for any answer of the server, and for less than a lease', async () => {
    const site = await openPostgresSite()
    try {
      const [holder, other] = [await site.open(), await site.open()]
      let free = (): void => undefined
      const held = new Promise<void>((resolve) => (free = resolve))
      let began = (): void => undefined
      const isHeld = new Promise<void>((resolve) => (began = resolve))
      const holding = holder.exclusively('artdaqdb index', () => (began(), held))
      await isHeld
      const waiting = other.exclusively('artdaqdb index', () => Promise.resolve('done'))
      setTimeout(free, 16_000)
      await expect(waiting).resolves.toBe('done')
      await holding
    } finally {
      await site.close()
    }
  }, 60_000)
})

describe('what instances counted that nobody remembers any more', () => {
  it('is kept in one row a stage, however many there were, and the counts stay the same', async () => {
    const site = await openPostgresSite()
    const tallies = async () => {
      const { rows } = await site.client.query<{ instance: string }>(
        `SELECT instance FROM ${site.schema}.archiver_tallies WHERE stage = 'import'`,
      )
      return rows.map(({ instance }) => instance)
    }
    try {
      const keeper = await site.open()
      await keeper.enqueue(
        'import',
        [1, 2, 3, 4, 5].map((ordinal) => ({ key: String(ordinal), ordinal })),
        0,
      )
      for (let worker = 0; worker < 3; worker++) {
        const one = await site.open()
        const claims = await one.claim('import', 1)
        await (worker < 2
          ? one.settle(claims, [])
          : one.settle([], [{ claim: claims[0]!, code: 'X', message: 'x' }]))
        await one.close()
      }
      const before = await keeper.counts()
      expect(await tallies()).toHaveLength(4)
      // As the hundredth instance after them does it.
      await site.client.query(`DELETE FROM ${site.schema}.archiver_instances WHERE status = 'stopped'`)
      const [again, another] = [await site.open(), await site.open()]
      expect((await tallies()).sort()).toEqual(['', keeper.tally.instance])
      expect(await keeper.counts()).toEqual(before)
      expect(before[0]).toMatchObject({ pending: 2, done: 2, failed: 1 })
      // One that was forgotten while it was frozen counts on.
      await site.client.query(`DELETE FROM ${site.schema}.archiver_instances WHERE id = $1`, [
        again.tally.instance,
      ])
      await again.settle(await again.claim('import', 1), [])
      await another.retry('import', undefined)
      await (await site.open()).close()
      expect((await tallies()).sort()).toEqual(['', another.tally.instance, keeper.tally.instance].sort())
      expect((await keeper.counts())[0]).toMatchObject({ pending: 2, done: 3, failed: 0 })
    } finally {
      await site.close()
    }
  })
})

describe('an instance with an item in hand that has ended two holders', () => {
  it('touches no other item until that one has ended', async () => {
    const site = await openPostgresSite()
    const tries = async (): Promise<number> => {
      const { rows } = await site.client.query<{ tries: number }>(
        `SELECT sum(retry_count)::int AS tries FROM ${site.schema}.job WHERE data->>'key' <> '1'`,
      )
      return rows[0]!.tries
    }
    try {
      const store = await site.open()
      await store.enqueue(
        'import',
        [1, 2].map((ordinal) => ({ key: String(ordinal), ordinal })),
        0,
      )
      for (let i = 0; i < 2; i++) {
        const victim = await site.open()
        expect(await victim.claim('import', 9)).toHaveLength(2)
        await site.kill(victim)
        await store.reap()
      }
      const suspects = await store.claim('import', 9)
      expect(suspects).toHaveLength(1)
      const before = await tries()
      expect([await store.claim('import', 9), await tries()]).toEqual([[], before])
      // What is claimed for a moment and given back is blamed as well, if the suspect ends its process in that moment.
      for (const end of [
        () => store.later(suspects[0]!, 'not ready', 0),
        () => store.release(suspects),
        () => store.settle(suspects, []),
      ])
        await end()
      expect(await store.claim('import', 9)).toHaveLength(1)
    } finally {
      await site.close()
    }
  })
})

/** Our statements write to pg-boss's table: an upgrade that changes these columns must be looked at (docs/SEVERAL_WORKERS.md). */
describe('the tables of pg-boss', () => {
  it('and ours change together: a result that only one of them would take changes nothing', async () => {
    const site = await openPostgresSite()
    try {
      const store = await site.open()
      await store.enqueue(
        'import',
        [1, 2].map((ordinal) => ({ key: String(ordinal), ordinal })),
        0,
      )
      const claims = await store.claim('import', 2)
      // As somebody with psql would do it.
      await site.client.query(`UPDATE ${site.schema}.job SET state = 'cancelled' WHERE data->>'key' = '2'`)
      await expect(store.settle(claims, [])).rejects.toThrow('the tables of the queue disagree')
      expect((await store.show('1'))[0]).toMatchObject({ status: 'claimed' })
      expect((await store.counts())[0]).toMatchObject({ claimed: 2, done: 0 })
      expect(await store.settle(claims.slice(0, 1), [])).toEqual([])
    } finally {
      await site.close()
    }
  })

  it('have the columns and states that our statements use', async () => {
    const site = await openPostgresSite()
    try {
      const { rows } = await site.client.query<{ column_name: string; data_type: string }>(
        `SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'job'`,
        [site.schema],
      )
      expect(Object.fromEntries(rows.map((row) => [row.column_name, row.data_type]))).toMatchObject({
        id: 'uuid',
        name: 'text',
        priority: 'integer',
        data: 'jsonb',
        state: 'USER-DEFINED',
        retry_limit: 'integer',
        retry_count: 'integer',
        start_after: 'timestamp with time zone',
        created_on: 'timestamp with time zone',
        started_on: 'timestamp with time zone',
        completed_on: 'timestamp with time zone',
        output: 'jsonb',
      })
      const states = await site.client.query<{ states: string }>(
        `SELECT enum_range(NULL::${site.schema}.job_state)::text AS states`,
      )
      expect(states.rows[0]?.states).toBe('{created,retry,active,completed,cancelled,failed}')
    } finally {
      await site.close()
    }
  })
})

describe('a queue on PostgreSQL with many items that are done', () => {
  it('shows what is open, and how far it has come, without reading those', async () => {
    const site = await openPostgresSite()
    try {
      const store = await site.open()
      const many = 150_000
      await store.enqueue('import', [{ key: String(many), ordinal: many }], 0)
      await site.client.query(
        `INSERT INTO ${site.schema}.job (id, name, data, state, priority, created_on, started_on, completed_on, policy)
         SELECT gen_random_uuid(), 'import', jsonb_build_object('key', i::text, 'ordinal', i), 'completed', -i, now() - interval '1 day', now(), now(),
           'standard' FROM generate_series(1, ${many - 1}) i`,
      )
      await site.client.query(`ANALYZE ${site.schema}.job`)
      const took = async (work: () => Promise<unknown>, expected: unknown): Promise<number> => {
        await work()
        const began = performance.now()
        expect(await work()).toEqual(expected)
        return performance.now() - began
      }
      const whole = await took(() => store.ranges('import', 'done'), [[1, many - 1]])
      const oldest = async () => (await store.counts())[0]!.oldest! > 0
      expect(await took(() => store.attemptedUpTo('import'), many - 1)).toBeLessThan(whole / 5)
      expect(await took(oldest, true)).toBeLessThan(whole / 5)
      // Nothing is pending: workers ask for it twice a second then.
      await store.claim('import', 1)
      const none = async () => (await store.counts())[0]!.oldest
      expect(await took(none, undefined)).toBeLessThan(whole / 5)
    } finally {
      await site.close()
    }
  }, 60_000)
})
