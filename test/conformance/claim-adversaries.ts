import { describe, expect, it } from 'vitest'
import { type ClaimStore, LEADER_LEASE, type StoredClaim } from '../../src/engine/claim-store.ts'
import type { QueueSite } from './claim-store.ts'

const HOUR = 3_600_000

const items = (...ordinals: number[]) => ordinals.map((ordinal) => ({ key: String(ordinal), ordinal }))
const keysOf = (claims: readonly StoredClaim[]) => claims.map(({ key }) => key).join(',')

interface Scene {
  readonly site: QueueSite
  /** Has items 1 to 3; `held` is its claim of 1 and 2. */
  readonly holder: ClaimStore
  readonly other: ClaimStore
  readonly held: readonly StoredClaim[]
}

/** What the stage came to: `pending claimed done failed`, and how often a holder of 1 was lost. */
const outcome = async ({ other }: Scene): Promise<string> => {
  const counts = (await other.counts()).find(({ stage }) => stage === 'import')!
  const [one] = await other.show('1')
  return `${counts.pending} ${counts.claimed} ${counts.done} ${counts.failed} lost ${one!.lost}`
}

interface Adversary {
  readonly name: string
  readonly act: (scene: Scene) => Promise<void>
  readonly outcome: string
}

/** Each begins with item 3 pending, and items 1 and 2 in the hand of one of two processes. */
const ADVERSARIES: readonly Adversary[] = [
  {
    name: 'the clock is set forward by an hour: no lease runs out, for a process that starts after that neither',
    act: async ({ site, holder, other, held }) => {
      await site.setClock(HOUR)
      const late = await site.open()
      expect([await other.reap(), await late.reap()]).toEqual([0, 0])
      expect(await holder.renew(held)).toEqual([])
      expect(await holder.settle(held, [])).toEqual([])
    },
    outcome: '1 0 2 0 lost 0',
  },
  {
    name: 'the clock is set forward and back again while the holder is frozen: it loses its claims by its lease, once',
    act: async ({ site, holder, other, held }) => {
      await site.setClock(HOUR)
      expect(await other.reap()).toBe(0)
      await site.setClock(-2 * HOUR)
      await site.pass(site.lease + 1)
      expect([await other.reap(), await other.reap()]).toEqual([2, 0])
      expect(keysOf(await holder.settle(held, []))).toBe('1,2')
    },
    outcome: '3 0 0 0 lost 1',
  },
  {
    name: 'the clock is set back by an hour: what waits does not wait an hour more, a leader leads no longer',
    act: async ({ site, holder, other, held }) => {
      expect(await holder.lead()).toBe(true)
      await holder.later(held[0]!, 'not ready', 5000)
      await holder.block('import', 'the destination is away', 5000)
      await site.setClock(-HOUR)
      await site.pass(5001)
      expect(keysOf(await (await site.open()).claim('import', 9))).toBe('1,3')
      await site.pass(LEADER_LEASE)
      expect([await other.lead(), holder.isLeading]).toEqual([true, false])
    },
    outcome: '0 3 0 0 lost 0',
  },
  {
    name: 'a holder is frozen, and wakes when its items are done: nothing it says counts, nothing enters the next stage twice',
    act: async ({ site, holder, other, held }) => {
      await site.pass(site.lease + 1)
      await other.reap()
      expect(await other.settle(await other.claim('import', 2), [], 'migrate')).toEqual([])
      await other.settle(await other.claim('migrate', 2), [])
      await holder.later(held[0]!, 'not ready', 0)
      await holder.release(held)
      expect(
        keysOf(await holder.settle([held[0]!], [{ claim: held[1]!, code: 'X', message: 'x' }], 'migrate')),
      ).toBe('1,2')
      expect((await other.counts()).find(({ stage }) => stage === 'migrate')).toMatchObject({
        pending: 0,
        done: 2,
      })
    },
    outcome: '1 0 2 0 lost 0',
  },
  {
    name: 'a result comes twice: it counts once',
    act: async ({ holder, held }) => {
      expect(await holder.settle(held, [])).toEqual([])
      expect(keysOf(await holder.settle(held, []))).toBe('1,2')
      expect(keysOf(await holder.settle([], [{ claim: held[0]!, code: 'X', message: 'x' }]))).toBe('1')
      await holder.release(held)
    },
    outcome: '1 0 2 0 lost 0',
  },
  {
    name: 'two lead at once, the first one of them frozen: its older scan does not hide the newer one',
    act: async ({ site, holder, other }) => {
      await holder.lead()
      const before = await holder.now()
      await site.pass(LEADER_LEASE + 1)
      expect(await other.lead()).toBe(true)
      const began = await other.now()
      await other.noteScan(began, 0)
      await holder.noteScan(before, 7)
      expect(await other.lastScan()).toMatchObject({ leader: other.tally.instance, beganAt: began, added: 0 })
      expect(holder.isLeading).toBe(false)
    },
    outcome: '1 2 0 0 lost 0',
  },
  {
    name: 'two processes add the same items at once, while they are pending, in hand and done: none is doubled',
    act: async ({ holder, other, held }) => {
      await holder.settle([held[0]!], [])
      const added = await Promise.all([
        holder.enqueue('import', items(1, 2, 3, 4, 5), 0),
        other.enqueue('import', items(5, 4, 3, 2, 1), 0),
      ])
      expect(added[0] + added[1]).toBe(2)
      expect(await holder.settle([held[1]!], [])).toEqual([])
    },
    outcome: '3 0 2 0 lost 0',
  },
  {
    name: 'the stage is paused while items are in hand: nothing more is handed out, and what is in hand may end',
    act: async ({ site, holder, other, held }) => {
      await other.pause('import')
      expect(await other.claim('import', 9)).toEqual([])
      await site.pass(site.lease / 2)
      expect(await holder.renew(held)).toEqual([])
      expect(await holder.settle([held[0]!], [])).toEqual([])
      await holder.release([held[1]!])
      expect(await holder.claim('import', 9)).toEqual([])
    },
    outcome: '2 0 1 0 lost 0',
  },
  {
    name: 'somebody retries items that are in hand: they stay with their holder',
    act: async ({ holder, other, held }) => {
      expect([await other.retry('import', ['1', '2', '3']), await other.retry('import', undefined)]).toEqual([
        0, 0,
      ])
      await other.adoptFailures('import', items(1))
      expect(keysOf(await other.claim('import', 9))).toBe('3')
      expect(await holder.settle(held, [])).toEqual([])
    },
    outcome: '0 1 2 0 lost 0',
  },
  {
    name: 'an item is retried between its failure and what its holder says again: the new holder decides',
    act: async ({ holder, other, held }) => {
      const failure = { claim: held[0]!, code: 'X', message: 'x' }
      await holder.settle([], [failure])
      expect(await other.retry('import', ['1'])).toBe(1)
      const [again] = await other.claim('import', 1)
      expect(keysOf(await holder.settle([held[0]!], []))).toBe('1')
      expect(keysOf(await holder.settle([], [failure]))).toBe('1')
      expect(await other.settle([again!], [])).toEqual([])
    },
    outcome: '1 1 1 0 lost 0',
  },
  {
    name: 'the database is restored from an old copy: what was done since is handed out again, and results from before do not count',
    act: async ({ site, holder, held }) => {
      const restore = await site.copy()
      // After the copy: 2 is given back and claimed again, so that its claim has the number that the next one will have.
      await holder.release([held[1]!])
      const [again] = await holder.claim('import', 1)
      await holder.settle([held[0]!], [])
      const after = await restore()
      expect(await after.reap()).toBe(2)
      const taken = await after.claim('import', 9)
      expect(keysOf(taken)).toBe('1,2,3')
      const refused = await holder.settle([again!, held[0]!], []).catch((error: unknown) => error)
      if (refused instanceof Error) expect(refused).toMatchObject({ code: 'QUEUE_REPLACED' })
      else
        expect(
          keysOf(refused as StoredClaim[])
            .split(',')
            .sort(),
        ).toEqual(['1', '2'])
      expect(await after.settle(taken, [])).toEqual([])
      expect((await after.counts())[0]).toMatchObject({ pending: 0, claimed: 0, done: 3, failed: 0 })
    },
    outcome: '',
  },
]

/** What claims come to where somebody, or something, works against them: for every shared backlog. */
export const claimAdversaries = (name: string, openSite: () => Promise<QueueSite>): void => {
  describe(`claims in ${name}, where`, () => {
    it.each(ADVERSARIES)('$name', async (adversary) => {
      const site = await openSite()
      try {
        const [holder, other] = [await site.open(), await site.open()]
        await holder.enqueue('import', items(1, 2, 3), 0)
        const scene = { site, holder, other, held: await holder.claim('import', 2) }
        expect(keysOf(scene.held)).toBe('1,2')
        await adversary.act(scene)
        if (adversary.outcome !== '') expect(await outcome(scene)).toBe(adversary.outcome)
      } finally {
        await site.close()
      }
    })
  })
}
