import { describe, expect, it } from 'vitest'
import type { Backlog, Claim } from '../../src/engine/backlog.ts'
import { ClaimBuffer } from '../../src/engine/claim-buffer.ts'

/** A backlog of numbers that answers when the test says so. */
const slowBacklog = (ahead: number) => {
  const asked: number[] = []
  const answers: ((count: number | Error) => void)[] = []
  let next = 0
  const backlog: Backlog<number> = {
    total: undefined,
    ahead,
    next: (most) => {
      asked.push(most)
      return new Promise((resolve, reject) =>
        answers.push((answer) => {
          if (answer instanceof Error) reject(answer)
          else resolve(Array.from({ length: answer }, () => claimOf(++next)))
        }),
      )
    },
    settle: () => Promise.resolve([]),
    later: () => Promise.resolve(),
    release: () => Promise.resolve(),
  }
  return { backlog, asked, answer: (answer: number | Error) => answers.shift()?.(answer) }
}

const claimOf = (item: number): Claim<number> => ({ item, key: String(item), attempt: 1 })
const soon = () => new Promise((resolve) => setImmediate(resolve))

/** Two workers; three claims for each may be in hand. Five of them have come. */
const filled = async () => {
  const site = slowBacklog(3)
  const buffer = new ClaimBuffer(site.backlog, 2)
  const first = buffer.take()
  site.answer(5)
  expect((await first)?.item).toBe(1)
  return { ...site, buffer }
}

describe('claims that are taken ahead', () => {
  it('are asked for before the last one is taken, and never more than may be in hand', async () => {
    const { buffer, asked, answer } = await filled()
    await buffer.take()
    await buffer.take()
    expect(asked).toEqual([6])
    expect((await buffer.take())?.item).toBe(4) // one is left for the other worker
    expect(asked).toEqual([6, 5])
    // The answer is not waited for as long as there is something to do.
    expect((await buffer.take())?.item).toBe(5)
    expect(asked).toEqual([6, 5])
    const next = buffer.take()
    answer(5)
    expect((await next)?.item).toBe(6)
  })

  it('are drained with those that are on their way', async () => {
    const { buffer, answer } = await filled()
    for (let i = 0; i < 3; i++) await buffer.take()
    const drained = buffer.drain()
    answer(2)
    expect((await drained).map(({ item }) => item)).toEqual([5, 6, 7])
  })

  it('end where nothing is due', async () => {
    const { buffer, answer } = await filled()
    for (let i = 0; i < 4; i++) await buffer.take()
    answer(0)
    await soon()
    const last = buffer.take()
    answer(0)
    expect(await last).toBeUndefined()
  })

  it('asked for in vain stop nobody who has one, and whoever needs the next hears why', async () => {
    const { buffer, answer } = await filled()
    for (let i = 0; i < 3; i++) await buffer.take()
    answer(new Error('away'))
    await soon()
    expect((await buffer.take())?.item).toBe(5)
    answer(new Error('away'))
    await soon()
    const next = buffer.take()
    answer(new Error('still away'))
    await expect(next).rejects.toThrow('still away')
  })
})
