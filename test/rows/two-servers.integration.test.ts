import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { range, serverAnswers, Site } from './servers.ts'
import { startMariadb } from './mariadb.ts'

const second = await startMariadb()
const isThere = {
  mysql: second !== undefined && (await serverAnswers('mysql')),
  postgres: await serverAnswers('postgres'),
}

// PostgreSQL: two databases of one server, which no transaction spans, are as far from each other as two servers.
for (const name of ['mysql', 'postgres'] as const) {
  if (!isThere[name])
    console.warn(`SKIPPED: no second ${name} server: the move between servers is not tested there`)

  describe.skipIf(!isThere[name])(`rows of a ${name} table whose archive is on another server`, () => {
    let site: Site
    let other: Site
    beforeEach(async () => {
      site = await Site.make(name)
      other = await Site.make(name, name === 'mysql' ? second?.url : undefined)
      await site.fill(300)
      await other.fill(0)
      site.file('ids.csv', range(1, 310))
    })
    afterEach(async () => {
      await site.drop()
      await other.drop()
    })
    const move = (more: Parameters<Site['move']>[0] = {}) =>
      site.move({
        places: {
          source: { url: site.url, password: undefined, timeout: 10_000 },
          archive: { url: other.url, password: undefined, timeout: 10_000 },
          log: undefined,
        },
        ...more,
      })

    it('are moved, and every value arrives as it was', async () => {
      await site.sql(
        "UPDATE r SET d = -0.1e-300, t = 'ünï ''x'' \\\\ 😀' WHERE id = 1",
        'UPDATE r SET t = NULL, n = NULL WHERE id = 2',
      )
      const before = await site.rows('SELECT * FROM r ORDER BY id')
      expect(await move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 300, notFound: 10 } })
      expect(await other.rows('SELECT * FROM ra ORDER BY id')).toEqual(before)
      expect(await site.count('r')).toBe(0)
    })

    it('are finished where an earlier run copied and did not delete, and kept where the versions differ', async () => {
      expect(await move({ mode: 'copy' })).toMatchObject({ counts: { moved: 300 } })
      await other.sql("UPDATE ra SET t = 'other' WHERE id = 7")
      expect(await move()).toMatchObject({
        status: 'PARTIAL',
        counts: { moved: 0, alreadyArchivedLive: 299, conflicts: 1 },
      })
      expect(await site.rows('SELECT id FROM r')).toEqual([{ id: '7' }])
    })

    // A trigger of MySQL does not write to its own table.
    if (name === 'postgres')
      it.each(['move', 'copy'] as const)(
        'are not counted where a trigger of the archive takes one away again: %s',
        async (mode) => {
          const forced = new Set(['triggers'] as const)
          const takeAway = [
            "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM ra WHERE id = 5; RETURN NULL; END'",
            'CREATE TRIGGER gone AFTER INSERT ON ra FOR EACH ROW EXECUTE FUNCTION gone()',
          ]
          await other.sql(...takeAway)
          const outcome = await move({ mode, forced })
          expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'ROWS_FAILED' } })
          expect(outcome.error?.message).toContain('ra does not keep the row 5: it is gone after the copy')
          expect(await site.count('r', 'id = 5')).toBe(1)
          await other.sql('DROP TRIGGER gone ON ra')
          expect(await move({ mode, forced })).toMatchObject({ status: 'COMPLETED' })
          expect(await other.count('ra')).toBe(300)
          // The same on one server, of which all rows are live after a copy.
          await site.sql(...takeAway)
          await site.insert(mode === 'move' ? 1 : 301, 310)
          const files = [site.file('alone.csv', range(1, 309))]
          const alone = await site.move({ mode, forced, files })
          expect(alone).toMatchObject({
            status: 'FAILED',
            error: { code: 'ROWS_FAILED' },
            counts: { moved: 0 },
          })
          expect([await site.count('r'), await site.count('ra')]).toEqual([310, 0])
        },
      )

    it('stay where they are in a dry run', async () => {
      expect(await move({ mode: 'try' })).toMatchObject({ counts: { moved: 300 } })
      expect([await site.count('r'), await other.count('ra')]).toEqual([300, 0])
    })
  })
}
