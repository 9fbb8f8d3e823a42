import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, range, serverAnswers, Site, runArchiver } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)

  describe.skipIf(!isThere)(`a ${name} table of partitions`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(0)
      await site.sql(
        'DROP TABLE r',
        ...(name === 'mysql'
          ? [
              'CREATE TABLE r LIKE ra',
              'ALTER TABLE r PARTITION BY RANGE (id) (PARTITION old VALUES LESS THAN (101), PARTITION mid VALUES LESS THAN (201), PARTITION fresh VALUES LESS THAN MAXVALUE)',
            ]
          : [
              'CREATE TABLE r (LIKE ra INCLUDING ALL) PARTITION BY RANGE (id)',
              'CREATE TABLE old PARTITION OF r FOR VALUES FROM (0) TO (101)',
              'CREATE TABLE mid PARTITION OF r FOR VALUES FROM (101) TO (201)',
              'CREATE TABLE fresh PARTITION OF r FOR VALUES FROM (201) TO (1000)',
            ]),
      )
      await site.insert(1, 300)
      site.config({ batch_size: 40 })
    })
    afterEach(async () => site.drop())
    const config = (): string => `${site.folder}/config.yaml`
    const way = name === 'mysql' ? /EXCHANGE PARTITION old WITH TABLE/ : /DETACH PARTITION old CONCURRENTLY/
    const plan = async (): Promise<readonly string[]> => {
      const { out, err, code } = await runArchiver(['rows', 'plan', config(), '--json'])
      expect(code, err).toBe(0)
      return (JSON.parse(out) as { wholePartitions: string[] }).wholePartitions
    }

    it('has the cheaper way named by rows plan and by a run, where the ids are a whole one', async () => {
      site.file('ids.csv', [...range(1, 100), ...range(120, 130)])
      expect(await plan()).toEqual(['old'])
      const planned = await runArchiver(['rows', 'plan', config()])
      expect(planned.out).toMatch(/the ids are all rows of whole partitions \(old\)/)
      expect(planned.out).toMatch(way)
      const run = await site.run()
      expect(run.code, run.err).toBe(0)
      expect(run.out).toMatch(/no row is left in whole partitions \(old\)/)
      expect(run.out).toMatch(way)
      expect([await site.count('r'), await site.count('ra')]).toEqual([189, 111])
    })

    it('has nothing said of it where one row is not among the ids', async () => {
      site.file('ids.csv', [...range(1, 99), ...range(99, 99), ...range(101, 199)])
      expect(await plan()).toEqual([])
      const run = await site.run()
      expect(run.out).not.toMatch(/partition/)
    })

    it('is seen to be moved whole by a condition, too', async () => {
      site.config({ files: undefined, where: 'id < 201 AND t IS NOT NULL' })
      expect(await plan()).toEqual(['old', 'mid'])
      await site.sql('UPDATE r SET t = NULL WHERE id = 150')
      expect(await plan()).toEqual(['old'])
      expect((await site.run()).out).toMatch(/no row is left in whole partitions \(old\)/)
    })

    it('loses and adds nothing on the way that is named', async () => {
      site.file('ids.csv', range(1, 100))
      const before = await site.rows('SELECT * FROM r WHERE id <= 100 ORDER BY id')
      const { out } = await runArchiver(['rows', 'plan', config()])
      const statements = [...out.matchAll(/^ {4}((?:CREATE|ALTER) .*);$/gm)].flatMap(([, line = '']) =>
        line.split('; '),
      )
      expect(statements.length).toBe(name === 'mysql' ? 3 : 1)
      await site.sql(...statements)
      expect(await site.count('r')).toBe(200)
      expect(await site.rows(`SELECT * FROM ${name === 'mysql' ? 'out_old' : 'old'} ORDER BY id`)).toEqual(
        before,
      )
    })
  })
}
