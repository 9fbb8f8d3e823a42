import { describe, expect, it } from 'vitest'
import { backlogOverview } from '../../src/engine/backlog-overview.ts'
import { type ClaimStore, LEADER_LEASE, type StoredClaim } from '../../src/engine/claim-store.ts'

export interface QueueSite {
  /** A process of its own, as far as the store can see. */
  open(): Promise<ClaimStore>
  /** Moves the store's clock. */
  pass(milliseconds: number): Promise<void>
  /** Sets the wall clock of the machine on which the processes are, forward or back. */
  setClock(milliseconds: number): Promise<void>
  /** Sets the clock that the store goes by, forward or back, while no process has it open. */
  setStoreClock(milliseconds: number): Promise<void>
  /** What kill -9 leaves of a process. */
  kill(store: ClaimStore): Promise<void>
  /**
   * Copies the whole database; the function that it returns puts the copy in its place, with every process of before gone or cut off, and opens a
   * new one on it.
   */
  copy(): Promise<() => Promise<ClaimStore>>
  readonly lease: number
  close(): Promise<void>
}

const items = (...ordinals: number[]) => ordinals.map((ordinal) => ({ key: String(ordinal), ordinal }))
const keysOf = (claims: readonly StoredClaim[]) => claims.map(({ key }) => key).join(',')

/** What every shared backlog promises. */
export const claimStoreConformance = (name: string, openSite: () => Promise<QueueSite>): void => {
  const situation = (what: string, test: (site: QueueSite) => Promise<void>) =>
    it(what, async () => {
      const site = await openSite()
      try {
        await test(site)
      } finally {
        await site.close()
      }
    })
  const countsOf = async (store: ClaimStore, stage = 'import') =>
    (await store.counts()).find((one) => one.stage === stage)

  describe(`a backlog shared in ${name}`, () => {
    situation('hands items out lowest first, each to one holder', async (site) => {
      const [a, b] = [await site.open(), await site.open()]
      expect(await a.enqueue('import', items(5, 12, 3, 100), 0)).toBe(4)
      expect(keysOf(await a.claim('import', 2))).toBe('3,5')
      expect(keysOf(await b.claim('import', 9))).toBe('12,100')
      expect(await a.claim('import', 9)).toEqual([])
      expect(await countsOf(b)).toMatchObject({ pending: 0, claimed: 4, done: 0, failed: 0 })
    })
    situation(
      'takes an item once, however often it is added, and while it is claimed or failed',
      async (site) => {
        const store = await site.open()
        await store.enqueue('import', items(1, 2), 0)
        const [one, two] = await store.claim('import', 2)
        await store.settle([], [{ claim: one!, code: 'CONFLICT', message: 'taken' }])
        expect(await store.enqueue('import', items(1, 2), Number.MAX_SAFE_INTEGER)).toBe(0)
        await store.settle([two!], [])
        expect(await countsOf(store)).toMatchObject({ pending: 0, done: 1, failed: 1 })
      },
    )
    situation('takes a reason with a character that databases do not keep', async (site) => {
      const store = await site.open()
      await store.enqueue('import', items(1, 2), 0)
      const [one, two] = await store.claim('import', 2)
      const failure = { claim: one!, code: 'RECORD_INVALID', message: 'no text: a\0b' }
      expect(await store.settle([], [failure])).toEqual([])
      await store.later(two!, 'not yet: a\0b', 1000)
      expect((await store.show('1'))[0]).toMatchObject({ status: 'failed', message: 'no text: a\ufffdb' })
      expect((await store.show('2'))[0]).toMatchObject({ status: 'pending', message: 'not yet: a\ufffdb' })
      await store.block('import', 'away: a\0b', 1000)
      expect(await countsOf(store)).toMatchObject({ failed: 1, blockedReason: 'away: a\ufffdb' })
    })
    situation('opens what is done again only where it was missing after that', async (site) => {
      const store = await site.open()
      const before = await store.now()
      await site.pass(10)
      await store.enqueue('import', items(1), 0)
      await store.settle(await store.claim('import', 1), [])
      expect(await store.enqueue('import', items(1), before)).toBe(0)
      await site.pass(10)
      expect(await store.enqueue('import', items(1), await store.now())).toBe(1)
    })
    situation('opens again what was done by a clock that was wrong, and has been set back', async (site) => {
      const before = await site.open()
      await before.enqueue('import', items(1, 2), 0)
      await before.settle(await before.claim('import', 2), [], 'migrate')
      await before.settle(await before.claim('migrate', 2), [])
      await site.kill(before)
      await site.setStoreClock(-3_600_000)
      const store = await site.open()
      await site.pass(10)
      // Both were looked for, and the destination holds neither.
      expect(await store.enqueue('import', items(1, 2), await store.now())).toBe(2)
      expect(await store.enqueue('import', items(1, 2), await store.now())).toBe(0)
      await store.settle(await store.claim('import', 2), [], 'migrate')
      expect(await countsOf(store, 'migrate')).toMatchObject({ pending: 2, done: 0 })
    })
    situation('names no holder of what is opened again', async (site) => {
      const store = await site.open()
      await store.enqueue('import', items(1, 2), 0)
      const [one, two] = await store.claim('import', 2)
      await store.settle([one!], [{ claim: two!, code: 'X', message: 'x' }])
      await site.pass(10)
      await store.enqueue('import', items(1), await store.now())
      await store.retry('import', ['2'])
      for (const key of ['1', '2'])
        expect(await store.show(key)).toMatchObject([
          { status: 'pending', claimedBy: undefined, code: undefined, message: undefined },
        ])
    })
    situation('moves what is done to the next stage in the same step', async (site) => {
      const store = await site.open()
      await store.enqueue('import', items(7), 0)
      await store.settle(await store.claim('import', 1), [], 'migrate')
      expect(keysOf(await store.claim('migrate', 5))).toBe('7')
    })
    situation('does again in the next stage what was lost in this one, and nothing else', async (site) => {
      const store = await site.open()
      const settle = async (stage: string, next?: string) =>
        store.settle(await store.claim(stage, 9), [], next)
      await store.enqueue('import', items(7), 0)
      // A worker stored it and died before it said so: a scan found it there, and it was migrated meanwhile.
      const held = await store.claim('import', 1)
      await site.pass(10)
      await store.enqueue('migrate', items(7), 0)
      await settle('migrate')
      await site.pass(10)
      await store.settle(held, [], 'migrate')
      expect(await countsOf(store, 'migrate')).toMatchObject({ pending: 0, done: 1 })
      // The destination lost it.
      await site.pass(10)
      expect(await store.enqueue('import', items(7), await store.now())).toBe(1)
      await settle('import', 'migrate')
      expect(await countsOf(store, 'migrate')).toMatchObject({ pending: 1, done: 0 })
    })
    situation(
      'refuses the result of a holder whose lease ran out, also where nobody has taken the item yet',
      async (site) => {
        const [frozen, other] = [await site.open(), await site.open()]
        await frozen.enqueue('import', items(1, 2), 0)
        const held = await frozen.claim('import', 2)
        await site.pass(site.lease + 1)
        expect(await other.reap()).toBe(2)
        const [taken] = await other.claim('import', 1)
        expect(keysOf(await frozen.renew(held))).toBe('1,2')
        expect(keysOf(await frozen.settle(held, []))).toBe('1,2')
        expect(await countsOf(other)).toMatchObject({ pending: 1, claimed: 1, done: 0 })
        expect(await other.settle([taken!], [])).toEqual([])
        expect((await other.instances()).reduce((sum, { fenced }) => sum + fenced, 0)).toBe(2)
        expect((await other.show('1'))[0]).toMatchObject({ status: 'done', lost: 0 })
      },
    )
    situation('refuses a failure, a return and a postponement of such a holder as well', async (site) => {
      const [frozen, other] = [await site.open(), await site.open()]
      await frozen.enqueue('import', items(1), 0)
      const [held] = await frozen.claim('import', 1)
      await site.pass(site.lease + 1)
      await other.reap()
      await other.claim('import', 1)
      await frozen.later(held!, 'not ready', 0)
      await frozen.release([held!])
      expect(await frozen.settle([], [{ claim: held!, code: 'X', message: 'x' }])).toEqual([held])
      expect(await countsOf(other)).toMatchObject({ pending: 0, claimed: 1, failed: 0 })
    })
    situation('keeps a claim that is renewed', async (site) => {
      const [holder, other] = [await site.open(), await site.open()]
      await holder.enqueue('import', items(1), 0)
      const held = await holder.claim('import', 1)
      for (let i = 0; i < 4; i++) {
        await site.pass(site.lease / 2)
        expect(await holder.renew(held)).toEqual([])
        expect(await other.reap()).toBe(0)
      }
      expect(await holder.settle(held, [])).toEqual([])
    })
    situation(
      'takes the claims of a process that was killed at once, long before its lease',
      async (site) => {
        const [victim, other] = [await site.open(), await site.open()]
        await victim.enqueue('import', items(1, 2, 3), 0)
        await victim.claim('import', 2)
        await site.kill(victim)
        expect(await other.reap()).toBe(2)
        expect(keysOf(await other.claim('import', 9))).toBe('1,2,3')
        expect((await other.instances()).filter(({ status }) => status === 'lost')).toHaveLength(1)
      },
    )
    situation(
      'fails an item as poison when its holders died three times, and no other item',
      async (site) => {
        const store = await site.open()
        await store.enqueue('import', items(1), 0)
        for (let i = 0; i < 3; i++) {
          const victim = await site.open()
          expect(keysOf(await victim.claim('import', 1))).toBe('1')
          await site.kill(victim)
          await store.reap()
        }
        await store.enqueue('import', items(2), 0)
        expect(await store.list('import', 'failed', 9)).toMatchObject([
          { key: '1', code: 'QUEUE_POISON', lost: 3 },
        ])
        expect(keysOf(await store.claim('import', 9))).toBe('2')
        expect(await store.retry('import', ['1'])).toBe(1)
        expect(keysOf(await store.claim('import', 9))).toBe('1')
      },
    )
    situation('tells what kills its holders from what was claimed with it', async (site) => {
      const store = await site.open()
      await store.enqueue('import', items(1, 2, 3), 0)
      for (let i = 0; i < 2; i++) {
        const victim = await site.open()
        expect(keysOf(await victim.claim('import', 9))).toBe('1,2,3')
        await site.kill(victim)
        await store.reap()
      }
      await store.enqueue('import', items(4), 0)
      const worker = await site.open()
      // Suspects come after all others, and never beside one.
      const other = await worker.claim('import', 9)
      expect(keysOf(other)).toBe('4')
      expect(await worker.claim('import', 9)).toEqual([])
      await worker.settle(other, [])
      expect(keysOf(await worker.claim('import', 9))).toBe('1')
      await store.enqueue('import', items(5), 0)
      expect(await worker.claim('import', 9)).toEqual([])
      await site.kill(worker)
      await store.reap()
      expect(await store.list('import', 'failed', 9)).toMatchObject([{ key: '1', code: 'QUEUE_POISON' }])
      for (const key of ['5', '2', '3']) {
        const claims = await store.claim('import', 9)
        expect(keysOf(claims)).toBe(key)
        expect(claims).toMatchObject([{ attempt: key === '5' ? 1 : 3 }])
        await store.settle(claims, [])
      }
      // Somebody who mended it has it tried again in its turn.
      expect(await store.retry('import', ['1'])).toBe(1)
      await store.enqueue('import', items(6), 0)
      expect(keysOf(await store.claim('import', 1))).toBe('1')
    })
    situation(
      'does not count an attempt that was given back, and keeps what is not ready for later',
      async (site) => {
        const store = await site.open()
        await store.enqueue('import', items(1), 0)
        const [first] = await store.claim('import', 1)
        await store.release([first!])
        const [second] = await store.claim('import', 1)
        expect(second).toMatchObject({ attempt: 1 })
        expect(second!.epoch).toBeGreaterThan(first!.epoch)
        await store.later(second!, 'still being written', 5000)
        expect(await store.claim('import', 1)).toEqual([])
        await site.pass(5001)
        expect(await store.claim('import', 1)).toMatchObject([{ key: '1', attempt: 1 }])
      },
    )
    situation('hands nothing out while a stage is paused or its destination is away', async (site) => {
      const store = await site.open()
      await store.enqueue('import', items(1), 0)
      await store.pause('import')
      expect(await store.claim('import', 1)).toEqual([])
      await store.resume('import')
      await store.block('import', 'UconDB does not answer', 10_000)
      expect(await store.claim('import', 1)).toEqual([])
      expect(await countsOf(store)).toMatchObject({ blockedReason: 'UconDB does not answer' })
      await site.pass(10_001)
      expect(keysOf(await store.claim('import', 1))).toBe('1')
    })
    situation('never says attempted past an item that is pending or in hand', async (site) => {
      const store = await site.open()
      await store.enqueue('import', items(1, 2, 3, 4), 0)
      const [one, two, three] = await store.claim('import', 3)
      expect(await store.attemptedUpTo('import')).toBe(0)
      await store.settle([two!, three!], [])
      expect(await store.attemptedUpTo('import')).toBe(0)
      await store.settle([], [{ claim: one!, code: 'X', message: 'x' }])
      expect(await store.attemptedUpTo('import')).toBe(3)
      await store.settle(await store.claim('import', 1), [])
      expect(await store.attemptedUpTo('import')).toBe(4)
    })
    situation('never says attempted past an item that comes last because its holders died', async (site) => {
      const store = await site.open()
      await store.enqueue('import', items(1, 2, 3), 0)
      for (let i = 0; i < 2; i++) {
        const victim = await site.open()
        await victim.claim('import', 1)
        await site.kill(victim)
        await store.reap()
      }
      const two = await store.claim('import', 1)
      expect(keysOf(two)).toBe('2')
      await store.settle(two, [])
      expect(await store.attemptedUpTo('import')).toBe(0)
      await store.settle(await store.claim('import', 1), [])
      await store.settle(await store.claim('import', 1), [])
      expect(await store.attemptedUpTo('import')).toBe(3)
    })
    situation('has one leader at a time, and another after that one was killed', async (site) => {
      const [a, b] = [await site.open(), await site.open()]
      expect([await a.lead(), await b.lead(), a.isLeading, b.isLeading]).toEqual([true, false, true, false])
      await site.kill(a)
      expect(await b.lead()).toBe(true)
    })
    situation('has another leader after the lease of one that is frozen', async (site) => {
      const [frozen, other] = [await site.open(), await site.open()]
      expect(await frozen.lead()).toBe(true)
      await site.pass(LEADER_LEASE + 1)
      expect([await other.lead(), frozen.isLeading, await frozen.lead()]).toEqual([true, false, false])
    })
    situation('passes on what a scan came to, and who asks for one', async (site) => {
      const [leader, other] = [await site.open(), await site.open()]
      await leader.lead()
      expect(await other.lastScan()).toEqual({
        leader: leader.tally.instance,
        beganAt: undefined,
        added: 0,
        wantedAt: undefined,
      })
      const began = await leader.now()
      await leader.noteScan(began, 3)
      await site.pass(10)
      await other.wantScan()
      const { beganAt = 0, added, wantedAt = 0 } = await leader.lastScan()
      expect([added, wantedAt > beganAt]).toEqual([3, true])
    })
    situation('gives the numbers of its items as ranges', async (site) => {
      const store = await site.open()
      await store.enqueue('import', [...items(1, 2, 3, 7, 9, 10), { key: 'ten again', ordinal: 10 }], 0)
      expect(await store.ranges('import', 'pending')).toEqual([
        [1, 3],
        [7, 7],
        [9, 10],
      ])
      await store.settle(await store.claim('import', 2), [])
      expect(await store.ranges('import', 'done')).toEqual([[1, 2]])
      expect(await store.ranges('import', 'failed')).toEqual([])
    })
    situation('counts what it has through every change, without reading it all', async (site) => {
      const [a, b] = [await site.open(), await site.open()]
      await a.enqueue('import', items(1, 2, 3, 4, 5, 6), 0)
      const [one, two, three, four] = await a.claim('import', 4)
      const [five] = await b.claim('import', 1)
      await a.settle([one!, two!], [{ claim: three!, code: 'X', message: 'x' }], 'migrate')
      await a.release([four!])
      expect(await countsOf(b)).toMatchObject({ pending: 2, claimed: 1, done: 2, failed: 1 })
      expect(await countsOf(b, 'migrate')).toMatchObject({ pending: 2, claimed: 0, done: 0, failed: 0 })
      await b.settle([five!], [])
      await a.retry('import', undefined)
      await site.pass(10)
      await a.enqueue('import', items(1), await a.now())
      await a.adoptFailures('import', items(5, 70))
      expect(await countsOf(a)).toMatchObject({ pending: 4, claimed: 0, done: 1, failed: 2 })
      for (const status of ['pending', 'claimed', 'done', 'failed'] as const)
        expect(await a.list('import', status, 99)).toHaveLength((await countsOf(a))![status])
      expect((await countsOf(a))?.oldest).toBeGreaterThan(0)
    })
    situation('shows who holds what since when, who is gone, and what each one did', async (site) => {
      const [a, b, dead] = [await site.open(), await site.open(), await site.open()]
      const before = await a.now()
      await a.lead()
      await a.enqueue('import', items(1, 2, 3, 4), 0)
      const [one, two] = await a.claim('import', 2)
      await dead.claim('import', 1)
      await site.kill(dead)
      await b.reap()
      await a.settle([one!], [])
      const { at, stages, instances, rate } = await backlogOverview(b)
      expect(stages).toMatchObject([{ stage: 'import', pending: 2, claimed: 1, done: 1 }])
      const of = (store: ClaimStore) => instances.find(({ id }) => id === store.tally.instance)
      expect(of(a)).toMatchObject({ status: 'running', leads: true, held: 1, claims: 2, done: 1, fenced: 0 })
      expect(of(a)?.holding).toMatchObject([{ stage: 'import', key: two!.key }])
      expect(of(a)?.holding[0]?.since).toBeGreaterThanOrEqual(before)
      expect(of(b)).toMatchObject({ status: 'running', leads: false, holding: [], claims: 0, recovered: 1 })
      expect(of(dead)).toMatchObject({ status: 'lost', claims: 1, rate: 0, holding: [] })
      expect([b.tally.recovered, a.tally.claims, at >= before]).toEqual([1, 2, true])
      expect([rate > 0, of(a)?.rate]).toEqual([true, rate])
    })
    situation('takes over the failure log of a single archiver', async (site) => {
      const store = await site.open()
      await store.enqueue('import', items(1, 2), 0)
      const [one] = await store.claim('import', 1)
      await store.settle([], [{ claim: one!, code: 'X', message: 'x' }])
      await store.adoptFailures('import', items(9))
      expect(await countsOf(store)).toMatchObject({ pending: 2, failed: 1 })
      const [again, two] = await store.claim('import', 2)
      await store.settle(
        [],
        [again!, two!].map((claim) => ({ claim, code: 'X', message: 'x' })),
      )
      await store.adoptFailures('import', items(9), ['2'])
      expect((await store.list('import', 'failed', 9)).map(({ key }) => key)).toEqual(['2', '9'])
    })
  })
}
