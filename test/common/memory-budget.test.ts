import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryBudget } from '../../src/common/memory-budget.ts'

const never = new AbortController().signal
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a memory budget', () => {
  it('never gives out more than it has, whatever is asked for, and leaves nobody waiting', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(sizes, async (asked) => {
        const budget = new MemoryBudget(100)
        let [out, done] = [0, 0]
        await Promise.all(
          asked.map(async (bytes) => {
            const release = await budget.take(bytes, never)
            const taken = Math.min(bytes, 100)
            out += taken
            expect(out).toBeLessThanOrEqual(100)
            await soon()
            out -= taken
            done++
            release()
            release()
          }),
        )
        expect(done).toBe(asked.length)
        expect(
          await Promise.race([budget.take(100, never).then(() => 'all'), soon().then(() => 'less')]),
        ).toBe('all')
      }),
    )
  })

  it('admits in the order of asking, so that what is large has its turn', async () => {
    const budget = new MemoryBudget(100)
    const order: string[] = []
    const first = await budget.take(60, never)
    const large = budget.take(1000, never).then((release) => (order.push('large'), release))
    const small = budget.take(10, never).then((release) => (order.push('small'), release))
    await soon()
    expect(order).toEqual([])
    first()
    ;(await large)()
    ;(await small)()
    expect(order).toEqual(['large', 'small'])
  })

  it('lets one that was told to stop go, and the next one in', async () => {
    const budget = new MemoryBudget(100)
    const stop = new AbortController()
    const first = await budget.take(60, never)
    const large = budget.take(100, stop.signal)
    const small = budget.take(10, never)
    stop.abort(new Error('stopped'))
    await expect(large).rejects.toThrow('stopped')
    ;(await small)()
    first()
    await expect(budget.take(1, stop.signal)).rejects.toThrow('stopped')
  })
})

describe('waiting for memory when the program is told to stop', () => {
  it.each(['before it asks', 'while it waits'])('ends at once, and nothing was begun: %s', async (when) => {
    const budget = new MemoryBudget(100)
    const release = await budget.take(100, new AbortController().signal)
    const stop = new AbortController()
    if (when === 'before it asks') stop.abort('SIGTERM')
    const waiting = budget.take(50, stop.signal)
    stop.abort('SIGTERM')
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' })
    release()
    await budget.take(100, new AbortController().signal)
  })
})
