import { describe, expect, it } from 'vitest'
import { KeptReading } from '../../src/common/kept-reading.ts'

/** A reading whose values are counted: 1 for the first. */
const counting = () => {
  const reading = new KeptReading<number>()
  let read = 0
  return {
    reading,
    ask: (key: string) => reading.of(key, () => Promise.resolve(++read)),
    count: () => read,
  }
}

describe('what is read', () => {
  it('is read once for all who ask at once, and for who asks later', async () => {
    const { ask, count } = counting()
    expect(await Promise.all([ask('a'), ask('a'), ask('a')])).toEqual([1, 1, 1])
    expect(await ask('a')).toBe(1)
    expect(count()).toBe(1)
  })
  it('is read again under another key, and the newer one is kept', async () => {
    const { ask, reading } = counting()
    expect(await Promise.all([ask('a'), ask('b'), ask('b')])).toEqual([1, 2, 2])
    expect(reading.kept).toEqual({ key: 'b', value: 2 })
  })
  it('is read again after it was let go of', async () => {
    const { ask, reading } = counting()
    await ask('a')
    reading.forget()
    expect(reading.kept).toBeUndefined()
    expect(await ask('a')).toBe(2)
  })
  it('is kept where it was asked for when it was let go of', async () => {
    const { ask, reading, count } = counting()
    const asked = ask('a')
    reading.forget()
    await asked
    await ask('a')
    expect(count()).toBe(1)
  })
  it('does not take the place of what was kept meanwhile', async () => {
    const { ask, reading } = counting()
    const asked = ask('a')
    reading.keep('b', 7)
    expect(await asked).toBe(1)
    expect(reading.kept).toEqual({ key: 'b', value: 7 })
  })
  it('is asked for again where it failed', async () => {
    const reading = new KeptReading<number>()
    const failing = () => reading.of('a', () => Promise.reject(new Error('away')))
    await Promise.all([expect(failing()).rejects.toThrow('away'), expect(failing()).rejects.toThrow('away')])
    expect(await reading.of('a', () => Promise.resolve(3))).toBe(3)
  })
})
