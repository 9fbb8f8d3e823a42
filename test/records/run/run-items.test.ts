import { describe, expect, it } from 'vitest'
import type { ItemSource, Taken } from '../../../src/records/run/item-source.ts'
import type { ItemOutcome } from '../../../src/records/run/process-item.ts'
import { runItems } from '../../../src/records/run/run-items.ts'

const source = (count: number, suspect: (key: string) => boolean = () => false): ItemSource => {
  let next = 0
  return {
    next: () =>
      Promise.resolve(
        next < count ? { key: String(next), suspect: suspect(String(next++)), poison: false } : undefined,
      ),
    finished: () => undefined,
    release: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

/** Runs items whose commit comes when nothing else can go on, and gives the most that were in hand at once. */
const mostInHand = async (waiting: number, bytes: number, items: ItemSource): Promise<number> => {
  const commits: (() => void)[] = []
  let most = 0
  const process = async ({ key }: Taken, mapped: (bytes: number) => void): Promise<ItemOutcome> => {
    const stored = new Promise<void>((resolve) => commits.push(resolve))
    most = Math.max(most, commits.length)
    if (commits.length === 1)
      setImmediate(() => {
        for (const commit of commits.splice(0)) commit()
      })
    mapped(bytes)
    await stored
    return { key, status: 'success' } as ItemOutcome
  }
  let ended = 0
  const listener = (): void => {
    ended += 1
  }
  const stop = new AbortController().signal
  await runItems({ items, workers: 2, waiting, stop, process, listener })
  expect(ended).toBe(100)
  return most
}

describe('items that wait for a commit that they share', () => {
  it('hold up no worker while there is room for them', async () => {
    expect(await mostInHand(5, 1000, source(100))).toBe(7)
  })
  it('hold up their worker where each commits by itself', async () => {
    expect(await mostInHand(0, 1000, source(100))).toBe(2)
  })
  it('hold up their worker where their payloads are large', async () => {
    expect(await mostInHand(5, 4_000_000, source(100))).toBe(3)
  })
  it('are waited for by an item with which a process has died, which is then alone', async () => {
    expect(
      await mostInHand(
        5,
        1000,
        source(100, () => true),
      ),
    ).toBe(1)
  })
})
