import { describe, expect, it } from 'vitest'
import { ReaderQueue } from '../../src/web/reader-queue.ts'

/** A queue of at most 100 characters, and a reader that takes when it is asked to. */
const queueOf = () => {
  const waiting: { text: string; take: () => void }[] = []
  let caughtUp = 0
  const queue = new ReaderQueue({
    write: (text) => new Promise<void>((take) => waiting.push({ text, take })),
    caughtUp: () => (caughtUp += 1),
    waitingAtMost: 100,
  })
  const take = async (count: number): Promise<void> => {
    for (const one of waiting.splice(0, count)) one.take()
    await new Promise((done) => setImmediate(done))
  }
  return { queue, waiting, take, times: () => caughtUp }
}
const TEN = '0123456789'

describe('a reader of events that takes nothing', () => {
  it('has no more waiting than what may wait, and one message', () => {
    const { queue, waiting } = queueOf()
    for (let i = 0; i < 1000; i++) queue.send(TEN)
    expect(waiting).toHaveLength(11)
    expect(queue.isBehind).toBe(true)
  })
  it('is seen to take nothing', async () => {
    const { queue, take } = queueOf()
    queue.send(TEN)
    expect([queue.isTaking(), queue.isTaking(), queue.isTaking()]).toEqual([true, false, false])
    await take(1)
    expect([queue.isTaking(), queue.isTaking()]).toEqual([true, true])
  })
})

describe('a reader of events that was behind', () => {
  it('is sent everything anew once it has taken all that waited, and not before', async () => {
    const { queue, waiting, take, times } = queueOf()
    for (let i = 0; i < 20; i++) queue.send(TEN)
    await take(10)
    queue.send(TEN)
    expect([waiting.length, times()]).toEqual([1, 0])
    await take(1)
    expect(times()).toBe(1)
    queue.send(TEN)
    expect(waiting).toHaveLength(1)
  })
  it('is not sent anything anew where nothing was left out', async () => {
    const { queue, take, times } = queueOf()
    for (let i = 0; i < 10; i++) queue.send(TEN)
    await take(10)
    expect(times()).toBe(0)
  })
})
