import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FORCEABLE, type Forceable } from '../../src/rows/preflight/problem.ts'
import { DIALECTS, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  const my = name === 'mysql'
  const cases: readonly {
    what: string
    sql: readonly string[]
    says: RegExp
    more?: { archiveTable: string }
    force?: Forceable
    only?: string
  }[] = [
    {
      what: 'a narrower text',
      sql: [
        my
          ? 'ALTER TABLE ra MODIFY t VARCHAR(39) CHARACTER SET utf8mb4'
          : 'ALTER TABLE ra ALTER t TYPE varchar(39)',
      ],
      says: /ra\.t is .*39.*cannot keep/,
    },
    {
      what: 'a narrower number',
      sql: [my ? 'ALTER TABLE ra MODIFY n DECIMAL(11,2)' : 'ALTER TABLE ra ALTER n TYPE numeric(11,2)'],
      says: /ra\.n is .*11,2/,
    },
    { what: 'a missing column', sql: ['ALTER TABLE ra DROP COLUMN d'], says: /ra has no column d/ },
    {
      what: 'a column without a default',
      sql: ['ALTER TABLE ra ADD COLUMN x INT NOT NULL'],
      says: /ra\.x has no default/,
    },
    {
      what: 'another key',
      sql: [my ? 'ALTER TABLE ra DROP PRIMARY KEY' : 'ALTER TABLE ra DROP CONSTRAINT ra_pkey'],
      says: /primary key of ra is \(\)/,
    },
    { what: 'the same table', sql: [], more: { archiveTable: 'r' }, says: /is the source itself/ },
    {
      what: 'a view of the same table',
      sql: ['CREATE VIEW v AS SELECT * FROM r', 'CREATE VIEW w AS SELECT * FROM v'],
      more: { archiveTable: 'w' },
      says: /is the source itself/,
    },
    {
      what: 'a cascade',
      sql: [
        'CREATE TABLE child (id INT PRIMARY KEY, parent BIGINT, FOREIGN KEY (parent) REFERENCES r (id) ON DELETE CASCADE)',
      ],
      says: /rows of .*child would go with their parents/,
      force: 'cascades',
    },
    {
      what: 'a trigger at the delete',
      sql: my
        ? ['CREATE TRIGGER audit AFTER DELETE ON r FOR EACH ROW SET @gone = OLD.id']
        : [
            'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$',
            'CREATE TRIGGER audit AFTER DELETE ON r FOR EACH ROW EXECUTE FUNCTION f()',
          ],
      says: /trigger audit runs at each DELETE/,
      force: 'triggers',
    },
    {
      what: 'an engine without transactions',
      only: 'mysql',
      sql: ['ALTER TABLE ra ENGINE=MyISAM'],
      says: /engine MyISAM: a batch could not be rolled back/,
    },
    {
      what: 'a table that a crash empties',
      only: 'postgres',
      sql: ['ALTER TABLE ra SET UNLOGGED'],
      says: /is unlogged: a crash/,
    },
    {
      what: 'a charset that lacks characters',
      only: 'mysql',
      sql: ['ALTER TABLE ra MODIFY t VARCHAR(40) CHARACTER SET latin1'],
      says: /ra\.t is varchar\(40\) \(latin1\)/,
    },
    {
      what: 'log tables under names of views',
      sql: ['CREATE VIEW process_logs AS SELECT 1 AS id'],
      says: /the ledger's views have the names of the log tables/,
    },
    {
      what: 'a child table that inherits',
      only: 'postgres',
      sql: ['CREATE TABLE heir (extra int) INHERITS (r)'],
      says: /has the child table heir/,
    },
  ]

  describe.skipIf(!isThere)(`the preflight on ${name}`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(3)
      site.file('ids.csv', [1, 2, 3])
    })
    afterEach(async () => site.drop())

    it.each(cases.filter(({ only = name }) => only === name))(
      'refuses $what, and touches nothing',
      async ({ sql, says, more, force }) => {
        await site.sql(...sql)
        const others = FORCEABLE.filter((flag) => flag !== force)
        await expect(site.move({ forced: new Set(others), ...more })).rejects.toThrow(says)
        expect([await site.count('r'), await site.count('ra')]).toEqual([3, 0])
        if (force === undefined) return
        expect(await site.move({ forced: new Set([force]) })).toMatchObject({ status: 'COMPLETED' })
        expect(await site.count('ra')).toBe(3)
      },
    )

    it('lists all that is wrong at once', async () => {
      await site.sql('ALTER TABLE ra DROP COLUMN d', 'ALTER TABLE ra ADD COLUMN x INT NOT NULL')
      await expect(site.move()).rejects.toThrow(/2 reasons:/)
    })

    it('sees the same table behind another host name', async () => {
      site.config({ archive: { url: site.url.replace('127.0.0.1', 'localhost'), table: 'r' } })
      const { code, err } = await site.run()
      expect(err).toMatch(/is the source itself/)
      expect(code).toBe(78)
    })
  })
}
