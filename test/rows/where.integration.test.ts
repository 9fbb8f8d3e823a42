import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSession } from '../../src/sql/open-session.ts'
import { DIALECTS, serverAnswers, Site, runArchiver } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)

  describe.skipIf(!isThere)(`rows of ${name} that a condition names`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(1000)
    })
    afterEach(async () => site.drop())
    const THIRDS = 'id % 3 = 0 -- every third'

    it('are moved along the key, and no other row', async () => {
      const before = await site.whole()
      const outcome = await site.move({ where: THIRDS })
      expect(outcome).toMatchObject({ status: 'COMPLETED', counts: { requested: 333, moved: 333 } })
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      expect([await site.count('r', 'id % 3 = 0'), await site.count('ra', 'id % 3 = 0')]).toEqual([0, 333])
      expect([await site.count('r'), await site.count('ra')]).toEqual([667, 333])
      const batches = await site.rows(
        'SELECT file_name, batch_number, first_line, last_line, ids_requested FROM batch_processing_logs ORDER BY id',
      )
      expect(batches.map((row) => row['ids_requested'])).toEqual(['100', '100', '100', '33'])
      expect(batches[3]).toMatchObject({ file_name: `where ${THIRDS}`, first_line: '301', last_line: '333' })
    })

    it('are counted by a dry run and by a plan, which change nothing', async () => {
      site.config({ files: undefined, where: THIRDS })
      const dry = await site.run('--dry-run', '--json')
      expect(JSON.parse(dry.out)).toMatchObject({ mode: 'try', counts: { requested: 333, moved: 333 } })
      const plan = await runArchiver(['rows', 'plan', '--config', `${site.folder}/config.yaml`, '--json'])
      expect(JSON.parse(plan.out)).toMatchObject({ where: THIRDS, matching: 333 })
      expect([await site.count('r'), await site.count('ra')]).toEqual([1000, 0])
    })

    it('go on where the last run ended, and end when there are none', async () => {
      expect(await site.move({ where: THIRDS, limitBatches: 2 })).toMatchObject({
        status: 'PARTIAL',
        counts: { moved: 200 },
      })
      expect(await site.move({ where: THIRDS })).toMatchObject({ counts: { requested: 133, moved: 133 } })
      expect(await site.move({ where: THIRDS })).toMatchObject({
        status: 'COMPLETED',
        counts: { requested: 0 },
      })
      await site.insert(1001, 1006)
      expect(await site.move({ where: THIRDS })).toMatchObject({ counts: { moved: 2 } })
    })

    it('end with what the server says where the condition fails at a row', async () => {
      const outcome = await site.move({ where: 'exp(id) > 0' }) // too large a number from 710 on
      expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'ROWS_FAILED' } })
      expect(outcome.error?.message).toMatch(/out of range/)
      expect((await site.whole()).rows).toBe(1000)
    })

    it('may be named by a condition of any length', async () => {
      const where = `${Array.from({ length: 200 }, (_, at) => `id <> ${at}`).join('\n AND ')} AND id < 300`
      expect(await site.move({ where })).toMatchObject({ status: 'COMPLETED', counts: { moved: 100 } })
    })

    it('stay where they differ from the archive, and the walk goes past them', async () => {
      await site.sql("INSERT INTO ra (id, t) VALUES (300, 'other')")
      expect(await site.move({ where: THIRDS })).toMatchObject({
        status: 'PARTIAL',
        counts: { moved: 332, conflicts: 1 },
        openConflicts: 1,
      })
      expect(await site.count('r', 'id = 300')).toBe(1)
    })

    it('stay where the condition ceases to hold before their batch has its locks', async () => {
      const app = await openSession({ url: site.url, password: undefined, timeout: 20_000 })
      try {
        await app.run(name === 'mysql' ? 'START TRANSACTION' : 'BEGIN')
        await app.run("UPDATE r SET t = 'in use' WHERE id IN (30, 60)")
        const moved = site.move({ where: "t LIKE 'row %' AND id <= 90" })
        await site.untilBlocked()
        await app.run('COMMIT')
        expect(await moved).toMatchObject({ status: 'COMPLETED', counts: { moved: 88, notFound: 2 } })
      } finally {
        await app.close()
      }
      expect(await site.rows('SELECT id, t FROM r WHERE id <= 90 ORDER BY id')).toEqual([
        { id: '30', t: 'in use' },
        { id: '60', t: 'in use' },
      ])
    })

    it.each([
      { key: 'a, b', columns: 'a INT, b BIGINT', values: 's % 7, s' },
      {
        key: 'k',
        columns: name === 'mysql' ? 'k VARCHAR(40)' : 'k text',
        values: name === 'mysql' ? "CONCAT('K', MD5(s))" : "'K' || md5(s::text)",
      },
      {
        key: 'at',
        columns: name === 'mysql' ? 'at DATETIME(3)' : 'at timestamp(3)',
        values:
          name === 'mysql'
            ? "TIMESTAMP('2024-01-01') + INTERVAL s * 1000 MICROSECOND"
            : "timestamp '2024-01-01' + s * interval '1 ms'",
      },
    ])('are walked by the key ($key)', async ({ key, columns, values }) => {
      await site.sql('DROP TABLE r', 'DROP TABLE ra')
      for (const table of ['r', 'ra'])
        await site.sql(`CREATE TABLE ${table} (${columns}, v INT, PRIMARY KEY (${key}))`)
      const numbers =
        name === 'mysql' ? '(SELECT seq AS s FROM seq_1_to_500) n' : 'generate_series(1, 500) AS n(s)'
      await site.sql(`INSERT INTO r SELECT ${values}, s FROM ${numbers}`)
      expect(await site.move({ where: 'v > 100', batchSize: 33 })).toMatchObject({
        status: 'COMPLETED',
        counts: { requested: 400, moved: 400 },
      })
      expect([await site.count('r', 'v <= 100'), await site.count('ra')]).toEqual([100, 400])
    })

    it.each(['1 = 1) OR (1 = 1', 'no_column = 1', '1 = 1; DELETE FROM r', 'id ='])(
      'are refused where "%s" is no condition',
      async (where) => {
        await expect(site.move({ where })).rejects.toThrow(/rows\.where is no condition on rows of r/)
        expect([await site.count('r'), await site.count('ra')]).toEqual([1000, 0])
      },
    )

    it('are moved to another database by the same rules', async () => {
      const other = await Site.make(name)
      try {
        await other.fill(0)
        const at = { url: site.url, password: undefined, timeout: 10_000 }
        const outcome = await site.move({
          places: { source: at, archive: { ...at, url: other.url }, log: undefined },
          archiveTable: name === 'mysql' ? `${other.database}.ra` : 'ra',
          where: THIRDS,
        })
        expect(outcome).toMatchObject({ status: 'COMPLETED', counts: { moved: 333 } })
        expect([await site.count('r'), await other.count('ra')]).toEqual([667, 333])
      } finally {
        await other.drop()
      }
    })

    it('and files exclude each other', async () => {
      site.file('ids.csv', [1])
      site.config({ where: THIRDS })
      const { code, err } = await site.run()
      expect(err).toMatch(/rows\.where and files of ids exclude each other/)
      expect(code).toBe(78)
    })
  })
}
