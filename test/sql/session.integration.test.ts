import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, serverAnswers, Site } from '../rows/servers.ts'

const ODD = ["it's", 'a\\b', 'a"b', '$1', '?', '{x,y}', 'é', '', "\\'; DROP TABLE t; --", 'line\nend']

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: its sessions are not tested`)
  const mark = name === 'mysql' ? '`' : '"'
  const table = `${mark}odd $1 ${name === 'mysql' ? '' : '$2 '}name${mark}`
  const one = name === 'mysql' ? '?' : '$1'

  describe.skipIf(!isThere)(`statements that a ${name} session sends together`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.sql(`CREATE TABLE ${table} (t VARCHAR(100) PRIMARY KEY)`)
    })
    afterEach(async () => site.drop())
    const insert = (value: string) => ({ sql: `INSERT INTO ${table} VALUES (${one})`, parameters: [value] })

    it('give each its result, and keep every character of their values', async () => {
      const results = await site.session.runAll([
        ...ODD.map(insert),
        { sql: `SELECT t FROM ${table}` },
        { sql: `DELETE FROM ${table} WHERE t <> ${one}`, parameters: ['é'] },
      ])
      expect(results.map(({ affected }) => affected).slice(0, ODD.length)).toEqual(ODD.map(() => 1))
      expect(
        results
          .at(-2)
          ?.rows.map(({ t }) => t)
          .sort(),
      ).toEqual(ODD.toSorted())
      expect(results.at(-1)?.affected).toBe(ODD.length - 1)
    })

    it('stop at the first that fails, so that a COMMIT at their end is not done', async () => {
      const begin = name === 'mysql' ? 'START TRANSACTION' : 'BEGIN'
      const sent = [{ sql: begin }, insert('a'), insert('a'), insert('b'), { sql: 'COMMIT' }]
      await expect(site.session.runAll(sent)).rejects.toThrow(/duplicate/i)
      await site.sql('ROLLBACK')
      expect(await site.count(table)).toBe(0)
    })

    it('take more than one journey where they are large', async () => {
      const long = Array.from({ length: 40 }, (_, at) => ({
        sql: `INSERT INTO ${table} SELECT ${one}${name === 'mysql' ? '' : '::text'} /* ${'x'.repeat(60_000)} */`,
        parameters: [String(at)],
      }))
      expect((await site.session.runAll(long)).map(({ affected }) => affected)).toEqual(long.map(() => 1))
      expect(await site.count(table)).toBe(40)
    })

    if (name === 'postgres')
      it.each([
        "'$1'",
        "E'it\\'s $1'",
        "e'a'\n 'b\\'$1'",
        '$$a $1 b$$',
        "$$it's $1$$",
        '$x$a $$1$$ $1$x$',
        '$é$ $1 $é$',
        "'a' -- $1 it's\n",
        "'a' /* $1 /* it's */ $1 */",
        "U&'$1'",
        "B'1'::text",
        '$1 || $$ $1 $$ || $1',
        '(SELECT "a$1".x$1 FROM (SELECT \'b\' AS x$1) AS "a$1")',
        "(SELECT a$1$ FROM (SELECT 'c' AS a$1$) t)",
      ])('take a parameter only where the server itself does: %s', async (form) => {
        const statement = { sql: `SELECT ${form} AS t, $1::text AS p`, parameters: ["v's $1"] }
        const byServer = await site.session.run(statement.sql, statement.parameters)
        expect((await site.session.runAll([statement]))[0]?.rows).toEqual(byServer.rows)
      })
    if (name === 'postgres')
      it('take lists', async () => {
        const [found] = await site.session.runAll([
          { sql: 'SELECT unnest($1::text[]) AS t, $2::text AS n', parameters: [ODD, null] },
        ])
        expect(found?.rows).toEqual(ODD.map((t) => ({ t, n: null })))
      })
  })
}
