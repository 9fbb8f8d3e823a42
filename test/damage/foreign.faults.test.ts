import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomFrom } from '../crash/random.ts'
import type { Mode } from '../original.ts'
import { functions } from './commands.ts'
import { DamagedSite } from './damaged-site.ts'
import { Trial } from './try-damages.ts'

const COUNT = Math.ceil(Number(process.env['ARCHIVER_DAMAGES'] ?? 20) / 4)
const SEED = Number(process.env['ARCHIVER_SEED'] ?? 20261129)

describe.each<Mode>(['conftoolp', 'tools'])('damage of what the original stored in its mode %s', (mode) => {
  let site: DamagedSite
  let trial: Trial
  beforeAll(async () => {
    site = new DamagedSite({ original: mode })
    await site.prepare(functions(site.site))
    trial = await Trial.on(site, functions(site.site))
  }, 300_000)
  afterAll(() => site.site.remove())

  it(
    `is found by another copy wherever a reader is given something else, ${COUNT} damages`,
    async () => {
      const all: string[] = []
      for (let n = 0; n < COUNT; n++) {
        const seed = (Math.imul(SEED, 0x9e3779b1) + n) >>> 0
        const wrong = await trial.tryForeign(randomFrom(seed))
        for (const text of wrong) process.stderr.write(`WRONG (${mode}, seed ${seed}) ${text}\n`)
        all.push(...wrong)
      }
      expect(all).toEqual([])
    },
    60_000 + COUNT * 10_000,
  )
})
