import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, range, runArchiver, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no conflict is settled there`)

  describe.skipIf(!isThere)(`conflicts of ${name} rows that are settled together`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(10)
      site.file('ids.csv', range(1, 10))
    })
    afterEach(async () => site.drop())

    it('are settled but for the one that the archive refuses, which stays open', async () => {
      await site.sql(
        'CREATE UNIQUE INDEX ra_t ON ra (t)',
        "INSERT INTO ra (id, t) VALUES (100, 'row 3'), (5, 'other')",
      )
      const config = site.config()
      expect(await runArchiver(['rows', 'run', config])).toMatchObject({ code: 1 })
      const settled = await runArchiver(['rows', 'conflicts', '--keep', 'live', '--config', config])
      expect(settled).toMatchObject({ code: 1, out: '1 conflict settled, 1 left\n' })
      expect(settled.err).toMatch(/the conflict of 3 stays: .*[Dd]uplicate/)
      expect(await site.rows('SELECT id FROM r')).toEqual([{ id: '3' }])
      expect(await site.rows("SELECT id FROM ra WHERE t IN ('row 3', 'row 5') ORDER BY id")).toEqual([
        { id: '5' },
        { id: '100' },
      ])
    })
  })
}
