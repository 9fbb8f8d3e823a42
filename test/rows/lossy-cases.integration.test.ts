import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ArchiverError } from '../../src/errors.ts'
import { openSession } from '../../src/sql/open-session.ts'
import type { Session } from '../../src/sql/session.ts'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

const hintOf = (error: unknown): string | undefined =>
  error instanceof ArchiverError ? error.hint : undefined

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: lossy cases are not tried there`)

  // E1 to E9 are the cases in which pt-archiver 3.2.1 and 3.5.7 lose rows, or never finish.
  describe.skipIf(!isThere)(`nothing is lost from ${name}`, () => {
    let site: Site
    let app: Session
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(100)
      app = await openSession({ url: site.url, password: undefined, timeout: 20_000 })
    })
    afterEach(async () => {
      await app.close()
      await site.drop()
    })
    const begin = () => app.run(name === 'mysql' ? 'START TRANSACTION' : 'BEGIN')
    const isBlocked = () => site.untilBlocked()

    it('E1 to E4: where the archive holds an id with other values, both versions stay', async () => {
      await site.sql(
        'INSERT INTO ra SELECT * FROM r WHERE id = 50',
        "UPDATE ra SET t = 'older' WHERE id = 50",
      )
      site.file('ids.csv', range(1, 100))
      for (let run = 0; run < 2; run++) expect(await site.move()).toMatchObject({ status: 'PARTIAL' })
      expect(await site.rows('SELECT id, t FROM r')).toEqual([{ id: '50', t: 'row 50' }])
      expect(await site.rows('SELECT t FROM ra WHERE id = 50')).toEqual([{ t: 'older' }])
      expect(await site.count('ra')).toBe(100)
    })

    it('E5: where the archive is narrower, nothing is cut: it is refused', async () => {
      await site.sql(
        name === 'mysql'
          ? 'ALTER TABLE ra MODIFY t VARCHAR(3) CHARACTER SET utf8mb4'
          : 'ALTER TABLE ra ALTER t TYPE varchar(3)',
      )
      site.file('ids.csv', range(1, 100))
      await expect(site.move()).rejects.toThrow(/cannot keep/)
      expect([await site.count('r'), await site.count('ra')]).toEqual([100, 0])
    })

    it('E6: where the application updates a row meanwhile, its new version is archived', async () => {
      await begin()
      await app.run("UPDATE r SET t = 'new' WHERE id = 50")
      site.file('ids.csv', range(1, 100))
      const moved = site.move()
      await isBlocked()
      await app.run('COMMIT')
      expect(await moved).toMatchObject({ status: 'COMPLETED' })
      expect(await site.rows('SELECT t FROM ra WHERE id = 50')).toEqual([{ t: 'new' }])
      expect([await site.count('r'), await site.count('ra')]).toEqual([0, 100])
    })

    it('E7: where the application inserts a row between the ids, it stays live', async () => {
      await site.sql('DELETE FROM r WHERE id = 50')
      await begin()
      await app.run("INSERT INTO r (id, t) VALUES (50, 'new'), (101, 'new')")
      site.file('ids.csv', [...range(1, 49), ...range(51, 100)])
      const moved = site.move()
      await new Promise((resolve) => setTimeout(resolve, 50))
      await app.run('COMMIT')
      expect(await moved).toMatchObject({ status: 'COMPLETED', counts: { moved: 99 } })
      expect(await site.rows('SELECT id, t FROM r ORDER BY id')).toEqual([
        { id: '50', t: 'new' },
        { id: '101', t: 'new' },
      ])
    })

    it('E8: where a crash left rows in both tables, the next run finishes them', async () => {
      await site.sql('INSERT INTO ra SELECT * FROM r WHERE id <= 60')
      site.file('ids.csv', range(1, 100))
      expect(await site.move()).toMatchObject({
        status: 'COMPLETED',
        counts: { moved: 40, alreadyArchivedLive: 60, conflicts: 0 },
      })
      expect([await site.count('r'), await site.count('ra')]).toEqual([0, 100])
    })

    it('E9: where children go with their parents, it is refused, and forced it says so', async () => {
      await site.sql(
        'CREATE TABLE child (id INT PRIMARY KEY, parent BIGINT, FOREIGN KEY (parent) REFERENCES r (id) ON DELETE CASCADE)',
        'INSERT INTO child SELECT id, id FROM r',
      )
      site.file('ids.csv', range(1, 50))
      await expect(site.move()).rejects.toThrow(/would go with their parents/)
      expect([await site.count('r'), await site.count('child')]).toEqual([100, 100])
      const warnings: string[] = []
      await site.move({ forced: new Set(['cascades']), warn: (message) => warnings.push(message) })
      expect(warnings.join('\n')).toMatch(/overruled: .*would go with their parents/)
    })

    const forced = (batchSize?: number) =>
      site.move({ forced: new Set(['cascades']), ...(batchSize === undefined ? {} : { batchSize }) })

    it('E9: forced, the rows of the list are archived and the children of no other row go', async () => {
      await site.sql(
        'CREATE TABLE child (id INT PRIMARY KEY, parent BIGINT, FOREIGN KEY (parent) REFERENCES r (id) ON DELETE CASCADE)',
        'CREATE TABLE loose (id INT PRIMARY KEY, parent BIGINT, FOREIGN KEY (parent) REFERENCES r (id) ON DELETE SET NULL)',
        'INSERT INTO child SELECT id, id FROM r',
        'INSERT INTO loose SELECT id, id FROM r',
      )
      const before = await site.rows('SELECT * FROM r ORDER BY id')
      site.file('ids.csv', range(1, 50))
      expect(await forced()).toMatchObject({ status: 'COMPLETED', counts: { moved: 50, conflicts: 0 } })
      expect(await site.rows('SELECT * FROM ra ORDER BY id')).toEqual(before.slice(0, 50))
      expect(await site.rows('SELECT * FROM r ORDER BY id')).toEqual(before.slice(50))
      expect(await site.rows('SELECT min(parent) AS low, count(*) AS n FROM child')).toEqual([
        { low: '51', n: '50' },
      ])
      expect(await site.rows('SELECT count(*) AS n, count(parent) AS tied FROM loose')).toEqual([
        { n: '100', tied: '50' },
      ])
    })

    it('E9: forced, where a cascade reaches the archive by a trigger, nothing of the batch is moved', async () => {
      if (name === 'mysql') return // its cascades set off no trigger
      await site.sql(
        'CREATE TABLE child (id INT PRIMARY KEY, parent BIGINT, FOREIGN KEY (parent) REFERENCES r (id) ON DELETE CASCADE)',
        'INSERT INTO child SELECT id, id FROM r WHERE id = 7',
        "CREATE FUNCTION reach() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM ra WHERE id = OLD.parent; RETURN OLD; END'",
        'CREATE TRIGGER reaches AFTER DELETE ON child FOR EACH ROW EXECUTE FUNCTION reach()',
      )
      site.file('ids.csv', range(1, 50))
      const { status, error } = await forced()
      expect({ status, hint: hintOf(error) }).toMatchObject({
        status: 'FAILED',
        hint: expect.stringContaining('reaches the archive') as string,
      })
      expect([await site.count('r'), await site.count('ra'), await site.count('child')]).toEqual([100, 0, 1])
    })

    it.each([100, 1])(
      'E9: forced, rows that refer to rows of their own table, %i a batch',
      async (batchSize) => {
        await site.sql(
          'ALTER TABLE r ADD COLUMN parent BIGINT NULL',
          'ALTER TABLE ra ADD COLUMN parent BIGINT NULL',
          'UPDATE r SET parent = id - 1 WHERE id IN (2, 3, 52)',
          'ALTER TABLE r ADD FOREIGN KEY (parent) REFERENCES r (id) ON DELETE CASCADE',
        )
        site.file('ids.csv', range(1, 51))
        const { status, counts, error } = await forced(batchSize)
        // Only what the archive holds counts as moved, whatever the server took along.
        expect(await site.count('ra')).toBe(counts.moved)
        if (batchSize === 1) {
          expect({ status, counts }).toMatchObject({
            status: 'COMPLETED',
            counts: { moved: 49, notFound: 2 },
          })
        } else if (name === 'postgres') {
          expect({ status, counts }).toMatchObject({
            status: 'COMPLETED',
            counts: { moved: 51, notFound: 0 },
          })
        } else {
          // MariaDB does not count what goes by a cascade.
          expect({ status, counts }).toMatchObject({ status: 'FAILED', counts: { moved: 0 } })
          expect(hintOf(error)).toContain('a cascade of the delete took other rows of the batch along')
          expect(await site.count('r')).toBe(100)
        }
      },
    )
  })
}
