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
      what: 'log tables that do not roll back, or that a crash empties',
      sql: [
        my
          ? 'CREATE TABLE batch_processing_logs (id INT PRIMARY KEY) ENGINE=MyISAM'
          : 'CREATE UNLOGGED TABLE batch_processing_logs (id INT PRIMARY KEY)',
      ],
      says: my ? /has an engine without transactions/ : /is unlogged: a crash/,
    },
    {
      what: 'a column that the archive computes in another way',
      sql: ['r', 'ra'].map(
        (table, at) =>
          `ALTER TABLE ${table} ADD COLUMN g BIGINT GENERATED ALWAYS AS (id + ${at}) ${my ? 'PERSISTENT' : 'STORED'}`,
      ),
      says: /ra\.g is computed as .*1.*, and r\.g as .*0/,
    },
    {
      what: 'a number that is rounded',
      only: 'mysql',
      sql: ['ALTER TABLE r ADD COLUMN f FLOAT', 'ALTER TABLE ra ADD COLUMN f DOUBLE(5,1)'],
      says: /ra\.f is double\(5,1\): it cannot keep every value of float/,
    },
    {
      what: 'an ENUM in another order',
      only: 'mysql',
      sql: ["ALTER TABLE r ADD COLUMN e ENUM('a','b')", "ALTER TABLE ra ADD COLUMN e ENUM('b','a')"],
      says: /ra\.e is enum\('b','a'\)/,
    },
    {
      what: 'a time of less precision',
      sql: my
        ? ['ALTER TABLE r ADD COLUMN at DATETIME(3)', 'ALTER TABLE ra ADD COLUMN at DATETIME']
        : ['ALTER TABLE r ADD COLUMN at timestamp(3)', 'ALTER TABLE ra ADD COLUMN at timestamp(0)'],
      says: /ra\.at is .*cannot keep every value/,
    },
    {
      what: 'a time with another idea of zones',
      sql: my
        ? ['ALTER TABLE r ADD COLUMN at TIMESTAMP NULL', 'ALTER TABLE ra ADD COLUMN at DATETIME']
        : ['ALTER TABLE r ADD COLUMN at timestamptz', 'ALTER TABLE ra ADD COLUMN at timestamp'],
      says: /ra\.at is .*cannot keep every value/,
    },
    {
      what: 'unique keys that are looked at late',
      only: 'postgres',
      sql: ['ALTER TABLE ra ADD CONSTRAINT late UNIQUE (t) DEFERRABLE INITIALLY DEFERRED'],
      says: /the constraint late of public\.ra is DEFERRABLE/,
    },
    {
      what: 'a source of which a crash empties a partition',
      only: 'postgres',
      sql: [
        'DROP TABLE r',
        'CREATE TABLE r (LIKE ra INCLUDING ALL) PARTITION BY RANGE (id)',
        'CREATE UNLOGGED TABLE r_all PARTITION OF r DEFAULT',
        'INSERT INTO r (id) VALUES (1), (2), (3)',
      ],
      says: /r_all is unlogged: a crash of the server may empty this partition of r/,
    },
    {
      what: 'a view with triggers of its own',
      sql: my
        ? ['CREATE TABLE base LIKE ra', 'CREATE VIEW seen AS SELECT * FROM base']
        : [
            'CREATE TABLE base (LIKE ra INCLUDING ALL)',
            'CREATE VIEW seen AS SELECT * FROM base',
            'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
            'CREATE TRIGGER instead INSTEAD OF INSERT ON seen FOR EACH ROW EXECUTE FUNCTION f()',
          ],
      more: { archiveTable: 'seen' },
      says: /seen is a view, not a table/,
    },
    {
      what: 'a table that keeps its old versions',
      only: 'mysql',
      sql: ['ALTER TABLE r ADD SYSTEM VERSIONING'],
      says: /r keeps old versions of its rows \(WITH SYSTEM VERSIONING\)[\s\S]*cannot be moved by this program/,
    },
    {
      what: 'a rule that reaches the archive',
      only: 'postgres',
      sql: ['CREATE RULE also AS ON DELETE TO r DO ALSO DELETE FROM ra WHERE id = OLD.id'],
      says: /the rule also changes what DELETE does in public\.r/,
    },
    {
      what: 'a rule that swallows the copy',
      only: 'postgres',
      sql: ['CREATE RULE nothing AS ON INSERT TO ra DO INSTEAD NOTHING'],
      says: /the rule nothing changes what INSERT does in public\.ra/,
    },
    {
      what: 'keys of two collations that have one name',
      only: 'postgres',
      sql: [
        'CREATE SCHEMA other',
        "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "CREATE COLLATION other.ci (provider = icu, locale = 'en')",
        'ALTER TABLE r ALTER id TYPE text COLLATE ci',
        'ALTER TABLE ra ALTER id TYPE text COLLATE other.ci',
      ],
      says: /is compared by public\.ci in the source and by other\.ci in the archive/,
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
