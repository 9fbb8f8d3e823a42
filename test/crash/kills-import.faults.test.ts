import { describe, expect, it } from 'vitest'
import { KILLS, killLoop } from './kill-loop.ts'
import { randomFrom, seed } from './random.ts'

describe('passes of the import stage that are killed at random moments', () => {
  it(
    'lose no run, call none archived that is not, and leave a state that can be read',
    { timeout: 3_600_000 },
    async () => {
      const start = seed()
      const { kills, midway, ended, trouble } = await killLoop('import', KILLS, randomFrom(start))
      console.log(
        `import: ${kills} kills, ${midway} of them midway, ${ended} passes that ended before, SEED=${start}`,
      )
      expect(trouble, `SEED=${start}`).toEqual([])
      expect(kills).toBeGreaterThanOrEqual(KILLS)
      expect(midway).toBeGreaterThan(KILLS / 20)
    },
  )
})
