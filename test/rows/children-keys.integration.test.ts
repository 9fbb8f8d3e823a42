import { describe, expect, it } from 'vitest'
import { CHILDREN, makeGroups, standing } from './group-site.ts'
import { DIALECTS, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: keys of children are not tested there`)

  describe.skipIf(!isThere)(`${name} rows whose key has several columns, one of them a text`, () => {
    it('go with the children that the server takes for theirs', async () => {
      const site = await Site.make(name)
      try {
        const text =
          name === 'mysql' ? 'VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci' : 'varchar(20)'
        for (const table of ['p', 'pa'])
          await site.sql(`CREATE TABLE ${table} (a ${text}, b INT, v INT, PRIMARY KEY (b, a))`)
        const child = `w ${text} PRIMARY KEY, xa ${text}, xb INT`
        await site.sql(
          `CREATE TABLE k (${child}, CONSTRAINT up FOREIGN KEY (xb, xa) REFERENCES p (b, a) ON DELETE CASCADE)`,
          `CREATE TABLE ka (${child})`,
          "INSERT INTO p VALUES ('abc', 1, 1), ('abc', 2, 2), ('Zü', 1, 3)",
          // By the collation of MariaDB this is a child of ('abc', 1).
          `INSERT INTO k VALUES ('one', '${name === 'mysql' ? 'ABC' : 'abc'}', 1), ('two', 'abc', 2), ('Zwei', 'Zü', 1), ('none', NULL, 1)`,
        )
        site.file('ids.csv', ['b,a', '1,abc', '1,Zü'])
        const children = [{ table: 'k', key: ['xb', 'xa'], archiveTable: undefined, children: [] }]
        const outcome = await site.move({ table: 'p', archiveTable: 'pa', children })
        expect(outcome.error).toBeUndefined()
        expect(outcome.counts).toMatchObject({ moved: 2, childrenDeleted: 2 })
        expect((await site.rows('SELECT w FROM k')).map(({ w }) => w).toSorted()).toEqual(['none', 'two'])
        expect((await site.rows('SELECT w FROM ka')).map(({ w }) => w).toSorted()).toEqual(['Zwei', 'one'])
      } finally {
        await site.drop()
      }
    })
  })

  describe.skipIf(!isThere)(`${name} rows with very many children`, () => {
    it('go in parts of a statement, and in one transaction', async () => {
      const site = await makeGroups(name, 3)
      try {
        await site.sql(
          name === 'mysql'
            ? "INSERT INTO c SELECT 1000 + seq, 2, 'many' FROM seq_1_to_5000"
            : "INSERT INTO c SELECT 1000 + i, 2, 'many' FROM generate_series(1, 5000) i",
        )
        site.file('ids.csv', [1, 2, 3])
        expect((await site.move({ children: CHILDREN })).counts).toMatchObject({
          moved: 3,
          childrenInserted: 5018,
          childrenDeleted: 5018,
        })
        expect(await standing(site)).toBe('0+3 0+5006 0+12')
      } finally {
        await site.drop()
      }
    })
  })
}
