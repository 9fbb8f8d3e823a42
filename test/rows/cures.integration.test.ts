import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no cure is tried there`)
  const mark = name === 'mysql' ? '`' : '"'

  describe.skipIf(!isThere)(`a refusal of the preflight on ${name}`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      site.file('ids.csv', range(1, 10))
      site.config()
    })
    afterEach(async () => site.drop())

    it.each(['kept', 'kept a-b'])('names the statement that drops the foreign key %s', async (key) => {
      await site.fill(10)
      await site.sql(
        `ALTER TABLE ra ADD CONSTRAINT ${mark}${key}${mark} FOREIGN KEY (id) REFERENCES r (id) ON DELETE CASCADE`,
      )
      const { code, err } = await site.run()
      expect({ code, err }).toMatchObject({
        code: 78,
        err: expect.stringContaining(`: ${key} is ON`) as string,
      })
      await site.sql(/→ (ALTER TABLE .* DROP .*?)(?: \[|$)/m.exec(err)?.[1] ?? 'no cure')
      expect(await site.run()).toMatchObject({ code: 0 })
      expect(await site.count('ra')).toBe(10)
    })

    it('of a table that refers to itself does not advise to make it its own child', async () => {
      const columns = 'id BIGINT PRIMARY KEY, up BIGINT'
      await site.sql(
        `CREATE TABLE r (${columns}, CONSTRAINT self FOREIGN KEY (up) REFERENCES r (id) ON DELETE CASCADE)`,
        `CREATE TABLE ra (${columns})`,
        'INSERT INTO r VALUES (1, NULL), (2, 1), (3, 2)',
      )
      const { code, err } = await site.run()
      expect({ code, err }).toMatchObject({
        code: 78,
        err: expect.stringMatching(/earlier batches/) as string,
      })
      expect(err).not.toContain('rows.children')
      // As it advises: each row comes before the one that it refers to.
      await site.sql(
        `ALTER TABLE r DROP ${name === 'mysql' ? 'FOREIGN KEY' : 'CONSTRAINT'} self`,
        'ALTER TABLE r ADD CONSTRAINT self2 FOREIGN KEY (up) REFERENCES r (id)',
      )
      site.file('ids.csv', [3, 2, 1])
      expect(await site.run('--batch-size', '1')).toMatchObject({ code: 0 })
      expect(await site.count('ra')).toBe(3)
    })

    it('of a view and of a table without a key says that alone', async () => {
      await site.sql('CREATE TABLE b (id BIGINT PRIMARY KEY)', 'CREATE TABLE ra (id BIGINT PRIMARY KEY)')
      await site.sql('CREATE VIEW r AS SELECT * FROM b')
      expect((await site.run()).err).toMatch(/1 reason:\n.*r is a view, not a table\n/)
      await site.sql('DROP VIEW r', 'CREATE TABLE r (id BIGINT NOT NULL)')
      expect((await site.run()).err).toMatch(/1 reason:\n.*r has no primary key/)
    })
  })
}
