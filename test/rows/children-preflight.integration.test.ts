import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ChildOptions } from '../../src/rows/preflight/children.ts'
import { CHILDREN, makeGroups, standing } from './group-site.ts'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

const one = (table: string, key: readonly string[], archiveTable?: string): ChildOptions => ({
  table,
  key,
  archiveTable,
  children: [],
})

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  const my = name === 'mysql'
  const dropKey = (table: string, key: string): string =>
    `ALTER TABLE ${table} DROP ${my ? 'FOREIGN KEY' : 'CONSTRAINT'} ${key}`
  const cases: readonly {
    what: string
    sql?: readonly string[]
    children?: readonly ChildOptions[]
    says: RegExp
    only?: string
  }[] = [
    {
      what: 'a child without a foreign key',
      sql: [dropKey('c', 'r_link')],
      says: /c has no foreign key to .*\.r: a row/,
    },
    {
      what: 'a key of other columns',
      children: [one('c', ['id'])],
      says: /r_link of .*\.c is \(rid\) to \(id\), and rows.children says \(id\)/,
    },
    {
      what: 'a key to another unique key than the primary one',
      sql: [
        dropKey('c', 'r_link'),
        'CREATE UNIQUE INDEX other ON r (n)',
        'ALTER TABLE c ADD COLUMN rn DECIMAL(12,2)',
        'ALTER TABLE ca ADD COLUMN rn DECIMAL(12,2)',
        'ALTER TABLE c ADD CONSTRAINT by_n FOREIGN KEY (rn) REFERENCES r (n)',
      ],
      children: [one('c', ['rn'])],
      says: /by_n of .*\.c is \(rn\) to \(n\)/,
    },
    {
      what: 'two keys to one parent',
      sql: [
        'ALTER TABLE c ADD COLUMN other BIGINT',
        'ALTER TABLE ca ADD COLUMN other BIGINT',
        'ALTER TABLE c ADD CONSTRAINT second FOREIGN KEY (other) REFERENCES r (id) ON DELETE CASCADE',
      ],
      says: /refers to .*\.r by 2 foreign keys/,
    },
    {
      what: 'a table that refers to itself',
      sql: [
        'ALTER TABLE g ADD COLUMN up INT',
        'ALTER TABLE g ADD COLUMN upc BIGINT',
        'ALTER TABLE ga ADD COLUMN up INT',
        'ALTER TABLE ga ADD COLUMN upc BIGINT',
        'ALTER TABLE g ADD CONSTRAINT own FOREIGN KEY (upc, up) REFERENCES g (cid, no)',
      ],
      says: /\.g refers to itself by own/,
    },
    {
      what: 'a missing child table',
      children: [one('x', ['rid'])],
      says: /there is no table x, which rows.children/,
    },
    { what: 'a missing archive of a child', sql: ['DROP TABLE ca'], says: /there is no table ca, which/ },
    {
      what: 'an archive that is the child itself',
      children: [one('c', ['rid'], 'c')],
      says: /c stands in the group twice/,
    },
    {
      what: 'an archive that is the parent',
      children: [one('c', ['rid'], 'r')],
      says: /r stands in the group twice/,
    },
    {
      what: 'one archive for two tables',
      children: [one('c', ['rid'], 'ra')],
      says: /ra stands in the group twice, as archive and as archive/,
    },
    {
      what: 'a narrower archive of a grandchild',
      sql: [my ? 'ALTER TABLE ga MODIFY t VARCHAR(39)' : 'ALTER TABLE ga ALTER t TYPE varchar(39)'],
      says: /ga\.t is .*39.*cannot keep/,
    },
    {
      what: 'a grandchild that is not named and goes by a cascade',
      children: [one('c', ['rid'])],
      says: /rows of .*g would go with their parents unarchived/,
    },
    {
      what: 'a trigger at the delete of a child',
      sql: my
        ? ['CREATE TRIGGER audit AFTER DELETE ON g FOR EACH ROW SET @gone = OLD.no']
        : [
            'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$',
            'CREATE TRIGGER audit AFTER DELETE ON g FOR EACH ROW EXECUTE FUNCTION f()',
          ],
      says: /trigger audit runs at each DELETE in .*\.g/,
    },
    {
      what: 'a foreign key whose checks are switched off',
      only: 'postgres',
      sql: ['ALTER TABLE c DISABLE TRIGGER ALL'],
      says: /does not enforce r_link/,
    },
    {
      what: 'an archive of another row that would go with the live ones',
      sql: ['ALTER TABLE ca ADD CONSTRAINT kept FOREIGN KEY (rid) REFERENCES r (id) ON DELETE CASCADE'],
      says: /archive's own rows would go with the live ones: .*kept/,
    },
  ]

  describe.skipIf(!isThere)(`the preflight of ${name} rows with children`, () => {
    let site: Site
    beforeEach(async () => {
      site = await makeGroups(name, 3, 'CASCADE')
      site.file('ids.csv', range(1, 3))
    })
    afterEach(async () => site.drop())

    it.each(cases.filter(({ only = name }) => only === name))(
      'refuses $what',
      async ({ sql = [], children = CHILDREN, says }) => {
        await site.sql(...sql)
        const before = await standing(site).catch(() => '')
        await expect(site.move({ children })).rejects.toThrow(says)
        expect(await standing(site).catch(() => '')).toBe(before)
      },
    )

    it('refuses archives that one transaction does not reach', async () => {
      const other = await Site.make(name)
      try {
        await other.fill(0)
        const at = { url: site.url, password: undefined, timeout: 10_000 }
        const places = { source: at, archive: { ...at, url: other.url }, log: undefined }
        const moving = site.move({ children: CHILDREN, places })
        // MariaDB reaches all databases of a server: there it is the archives that are missing.
        await expect(moving).rejects.toThrow(
          my ? /there is no table ca/ : /rows.children needs live tables and archives in one server/,
        )
      } finally {
        await other.drop()
      }
    })

    it('takes children that are not named where the server refuses the delete, and then nothing is moved', async () => {
      await site.sql(dropKey('g', 'c_link'), 'ALTER TABLE g ADD FOREIGN KEY (cid) REFERENCES c (id)')
      const outcome = await site.move({ children: [one('c', ['rid'])] })
      expect(outcome.error?.message).toMatch(/foreign key constraint/)
      expect(await standing(site)).toBe('3+0 6+0 12+0')
    })

    it('lets triggers of children run that are forced, and rolls back where one reaches an archive', async () => {
      await site.sql(
        ...(my
          ? ['CREATE TRIGGER late AFTER DELETE ON g FOR EACH ROW DELETE FROM ca WHERE id = OLD.cid']
          : [
              'CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM ca WHERE id = OLD.cid; RETURN NULL; END $$',
              'CREATE TRIGGER late AFTER DELETE ON g FOR EACH ROW EXECUTE FUNCTION late()',
            ]),
      )
      const outcome = await site.move({ children: CHILDREN, forced: new Set(['triggers']) })
      expect(outcome.status).toBe('FAILED')
      expect(await standing(site)).toBe('3+0 6+0 12+0')
    })
  })
}
