import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { coalesce } from '../../../src/runs/daemon/coalesce.ts'

/** A pass that ends when it is told to, and counts. */
const slowPass = () => {
  const ends: (() => void)[] = []
  let running = 0
  let most = 0
  let passes = 0
  return {
    pass: () => {
      passes++
      most = Math.max(most, ++running)
      return new Promise<void>((resolve) => ends.push(resolve)).finally(() => running--)
    },
    end: async () => {
      ends.shift()?.()
      await turn()
    },
    count: () => ({ passes, most, running }),
  }
}

describe('wake-ups', () => {
  it('during a pass give one more pass after it, however many they are', async () => {
    const { pass, end, count } = slowPass()
    const wake = coalesce(pass)
    const first = wake()
    const others = [wake(), wake(), wake()]
    expect(count().passes).toBe(1)
    await end()
    await first
    expect(count()).toEqual({ passes: 2, most: 1, running: 1 })
    await end()
    await Promise.all(others)
    expect(count().passes).toBe(2)
  })
  it('are answered when a pass that began later has ended', async () => {
    const { pass, end } = slowPass()
    const wake = coalesce(pass)
    void wake()
    let answered = false
    void wake().then(() => (answered = true))
    await end()
    expect(answered).toBe(false)
    await end()
    expect(answered).toBe(true)
  })
  it('hear of the error of their own pass, and the next pass comes all the same', async () => {
    let passes = 0
    const wake = coalesce(() => (++passes === 1 ? Promise.reject(new Error('first')) : Promise.resolve()))
    const first = wake()
    const second = wake()
    await expect(first).rejects.toThrow('first')
    await expect(second).resolves.toBeUndefined()
  })
  it('never make two passes at once, and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('wake', 'end'), { maxLength: 40 }), async (steps) => {
        const { pass, end, count } = slowPass()
        const wake = coalesce(pass)
        let answered = 0
        let asked = 0
        for (const step of steps) {
          if (step === 'end') await end()
          else {
            asked++
            void wake().then(() => answered++)
          }
        }
        while (count().running > 0) await end()
        await turn()
        expect(count().most).toBeLessThanOrEqual(1)
        expect(answered).toBe(asked)
      }),
    )
  })
})
