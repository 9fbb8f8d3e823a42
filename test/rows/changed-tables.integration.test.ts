import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)

  describe.skipIf(!isThere)(`a ${name} table that is changed while its rows are moved`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(300)
      site.file('ids.csv', range(1, 300))
    })
    afterEach(async () => site.drop())

    /** A gate that changes the table before the second batch. */
    const changing = (...statements: readonly string[]) => {
      let passes = 0
      const free = { lag: 0, hll: 0, throttledMs: 0, reason: undefined, cause: undefined, end: undefined }
      return {
        pass: async () => {
          passes += 1
          if (passes === 2) await site.sql(...statements)
          return free
        },
        rest: () => 0,
        lags: new Map<string, number | undefined>(),
        close: () => Promise.resolve(),
      }
    }
    const ADDED = ['ALTER TABLE r ADD COLUMN x INT', 'UPDATE r SET x = id']

    it.each([{ conflicts: 'no conflict' }, { conflicts: 'a conflict' }])(
      'stops before it loses the values of a new column, where its batches have $conflicts',
      async ({ conflicts }) => {
        if (conflicts === 'a conflict')
          await site.sql("INSERT INTO ra (id, t) VALUES (50, 'other'), (150, 'other'), (250, 'other')")
        const outcome = await site.move({ gate: changing(...ADDED) })
        expect(outcome.status).toBe('FAILED')
        expect(outcome.error?.message).toMatch(/the columns of .*r have changed/)
        expect(await site.count('r', 'x IS NOT NULL')).toBe(conflicts === 'a conflict' ? 201 : 200)
        await site.sql('ALTER TABLE ra ADD COLUMN x INT')
        await site.move()
        expect(await site.count('ra', 'x = id')).toBe(conflicts === 'a conflict' ? 198 : 200)
      },
    )

    it('stops as well where two connections move the rows', async () => {
      const at = { url: site.url, password: undefined, timeout: 10_000 }
      const other = await Site.make(name)
      try {
        await other.fill(0)
        const outcome = await site.move({
          places: { source: at, archive: { ...at, url: other.url }, log: undefined },
          archiveTable: name === 'mysql' ? `${other.database}.ra` : 'ra',
          gate: changing(...ADDED),
        })
        expect(outcome.error?.message).toMatch(/the columns of .*r have changed/)
        expect(await site.count('r', 'x = id')).toBe(200)
      } finally {
        await other.drop()
      }
    })

    it('stops where another table has taken its name', async () => {
      const outcome = await site.move({
        gate: changing(
          'CREATE TABLE fresh (id BIGINT PRIMARY KEY, t VARCHAR(40), n DECIMAL(12,2), d DOUBLE PRECISION, more INT)',
          'INSERT INTO fresh SELECT id, t, n, d, 7 FROM r',
          'ALTER TABLE r RENAME TO old',
          'ALTER TABLE fresh RENAME TO r',
        ),
      })
      expect(outcome.status).toBe('FAILED')
      expect(await site.count('r', 'more = 7')).toBe(200)
    })
  })
}
