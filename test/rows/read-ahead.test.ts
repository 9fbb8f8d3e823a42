import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { readAhead } from '../../src/rows/read-ahead.ts'

describe('items that are read ahead', () => {
  async function* numbers(read: string[], last: number): AsyncGenerator<number> {
    try {
      for (let number = 1; number <= last; number++) {
        await setImmediate()
        read.push(`read ${number}`)
        yield number
      }
      throw new Error('the file is damaged')
    } finally {
      read.push('closed')
    }
  }

  it('come in their order, the next one while one is worked on, and an error in its place', async () => {
    const seen: string[] = []
    const work = async (): Promise<void> => {
      for await (const number of readAhead(numbers(seen, 2))) {
        await setImmediate()
        await setImmediate()
        await setImmediate()
        seen.push(`done ${number}`)
      }
    }
    await expect(work()).rejects.toThrow('the file is damaged')
    expect(seen).toEqual(['read 1', 'read 2', 'done 1', 'closed', 'done 2'])
  })

  it('are closed where the caller leaves early', async () => {
    const seen: string[] = []
    for await (const number of readAhead(numbers(seen, 9))) if (number === 2) break
    expect(seen.at(-1)).toBe('closed')
    expect(seen).not.toContain('read 4')
  })
})
