import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Claim } from '../../src/engine/backlog.ts'
import type { ClaimStore, StoredClaim } from '../../src/engine/claim-store.ts'
import { ArchiverError } from '../../src/errors.ts'
import { QueueBacklog } from '../../src/queue/queue-backlog.ts'

const LEASE = 60_000

/** A store that answers, is away, or takes its time, as a test says. */
class Store implements Pick<ClaimStore, 'claim' | 'renew' | 'settle' | 'release' | 'later'> {
  isAway = false
  gone = new Set<string>()
  answer: Promise<void> = Promise.resolve()
  settled: string[] = []
  released: string[] = []
  renewed: string[] = []
  renewals = 0
  #epoch = 0

  claim = (stage: string, most: number): Promise<StoredClaim[]> => {
    const one = (ordinal: number) => ({
      stage,
      key: String(ordinal),
      ordinal,
      epoch: ++this.#epoch,
      attempt: 1,
    })
    return Promise.resolve(Array.from({ length: most }, (_, at) => one(at + 1)))
  }
  renew = async (held: readonly StoredClaim[]): Promise<StoredClaim[]> => {
    this.renewals++
    this.renewed = held.map(({ key, epoch }) => `${key}:${epoch}`)
    await this.answer
    if (this.isAway) throw new ArchiverError('QUEUE_UNAVAILABLE', 'away')
    return held.filter(({ key }) => this.gone.has(key))
  }
  settle = (done: readonly StoredClaim[]): Promise<StoredClaim[]> => {
    if (this.isAway) return Promise.reject(new ArchiverError('QUEUE_UNAVAILABLE', 'away'))
    this.settled.push(...done.map(({ key }) => key))
    return Promise.resolve([])
  }
  release = (held: readonly StoredClaim[]): Promise<void> => {
    this.released.push(...held.map(({ key, epoch }) => `${key}:${epoch}`))
    return Promise.reject(new ArchiverError('QUEUE_UNAVAILABLE', 'away'))
  }
  later = (): Promise<void> => Promise.resolve()
}

describe('an instance with two items in hand', () => {
  let [store, time] = [new Store(), 0]
  let backlog: QueueBacklog<number>
  let claims: readonly Claim<number>[]
  beforeEach(async () => {
    vi.useFakeTimers()
    ;[store, time] = [new Store(), 0]
    backlog = new QueueBacklog<number>(store as unknown as ClaimStore, {
      stage: 'import',
      itemOf: Number,
      lease: LEASE,
      laterAfter: 1000,
      monotonic: () => time,
    })
    claims = await backlog.next(2)
  })
  afterEach(() => vi.useRealTimers())

  const lost = () => claims.map(({ lost }) => lost?.aborted)
  const pass = async (milliseconds: number): Promise<void> => {
    for (let left = milliseconds; left > 0; left -= 1000) {
      time += 1000
      await vi.advanceTimersByTimeAsync(1000)
    }
  }

  it('renews them four times a lease, for as long as it has them, and not after that', async () => {
    await pass(5 * LEASE)
    expect([store.renewals, lost()]).toEqual([20, [false, false]])
    await backlog.settle({ done: claims, failed: [] })
    await pass(LEASE)
    expect([store.renewals, store.settled]).toEqual([20, ['1', '2']])
  })
  it('goes on where the store was away for less than the lease', async () => {
    store.isAway = true
    await pass(LEASE / 2)
    store.isAway = false
    await pass(LEASE)
    expect(lost()).toEqual([false, false])
  })
  it('stops both before the lease ends where the store stays away, and records nothing after that', async () => {
    store.isAway = true
    await pass(0.7 * LEASE)
    expect(lost()).toEqual([false, false])
    await pass(0.15 * LEASE)
    expect(lost()).toEqual([true, true])
    expect(await backlog.settle({ done: claims, failed: [] })).toEqual(['1', '2'])
    expect(store.settled).toEqual([])
  })
  it('stops both in time where the store does not even say that it is away', async () => {
    store.answer = new Promise(() => undefined)
    await pass(0.85 * LEASE)
    expect(lost()).toEqual([true, true])
  })
  it('finds out by itself that it was frozen past the lease, and asks nobody', async () => {
    time += LEASE
    expect(await backlog.settle({ done: claims, failed: [] })).toEqual(['1', '2'])
    expect([lost(), store.settled]).toEqual([[true, true], []])
  })
  it('stops the one that another has, and that alone', async () => {
    store.gone.add('2')
    await pass(LEASE / 4)
    expect(lost()).toEqual([false, true])
    expect(await backlog.settle({ done: claims, failed: [] })).toEqual(['2'])
    expect(store.settled).toEqual(['1'])
  })
  it('does not stop an item that it was given again while the answer about the old claim was on its way', async () => {
    let arrive = (): void => undefined
    store.answer = new Promise((resolve) => (arrive = resolve))
    await pass(LEASE / 4)
    await backlog.later(claims[1]!, new Error('not ready'))
    claims = await backlog.next(2)
    store.gone.add('2')
    arrive()
    await vi.advanceTimersByTimeAsync(0)
    expect(lost()).toEqual([false, false])
  })
  it('gives them back without a word where the store is away: they expire', async () => {
    await expect(backlog.release(claims)).resolves.toBeUndefined()
    expect(await backlog.settle({ done: claims, failed: [] })).toEqual(['1', '2'])
  })
  it('gives back what it could not record, and does not keep it from the others for ever', async () => {
    store.isAway = true
    await expect(backlog.settle({ done: [claims[0]!], failed: [] })).rejects.toThrow('away')
    store.isAway = false
    await pass(LEASE)
    expect([store.released, store.renewed]).toEqual([['1:1'], ['2:2']])
  })
  it('believes in what it claims later, though the answer about the last one came after that was recorded', async () => {
    let arrive = (): void => undefined
    store.answer = new Promise((resolve) => (arrive = resolve))
    await pass(LEASE / 4)
    await backlog.settle({ done: claims, failed: [] })
    arrive()
    store.answer = Promise.resolve()
    await pass(2 * LEASE)
    claims = await backlog.next(1)
    expect(await backlog.settle({ done: claims, failed: [] })).toEqual([])
  })
  it('believes in what it claims after it was frozen past the lease', async () => {
    time += LEASE
    const later = await backlog.next(3)
    await pass(LEASE / 10)
    expect([lost(), later.map((one) => one.lost?.aborted)]).toEqual([
      [true, true],
      [false, false, false],
    ])
  })
  describe('that loses one and is given it again', () => {
    let again: readonly Claim<number>[]
    beforeEach(async () => {
      store.gone.add('1')
      await pass(LEASE / 4)
      store.gone.clear()
      again = await backlog.next(1)
    })
    it('takes no result of the first try for the second', async () => {
      expect(await backlog.settle({ done: [claims[0]!], failed: [] })).toEqual(['1'])
      expect(store.settled).toEqual([])
      expect(await backlog.settle({ done: again, failed: [] })).toEqual([])
    })
    it('does not give the second back with the first', async () => {
      await backlog.release([claims[0]!])
      await backlog.later(claims[0]!, new Error('not ready'))
      await pass(LEASE / 4)
      expect([store.released, store.renewed]).toEqual([[], ['2:2', '1:3']])
    })
  })
})
