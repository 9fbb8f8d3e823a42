import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogDatabase } from '../../src/rows/log/log-database.ts'
import { rowsOverview } from '../../src/rows/log/log-reads.ts'
import { rowsPage } from '../../src/web/pages/rows.tsx'
import type { PageSources } from '../../src/web/sources.ts'
import { DIALECTS, range, runArchiver, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no log tables are kept elsewhere`)

  describe.skipIf(!isThere)(`log tables of ${name} in a database of their own`, () => {
    const sites: Site[] = []
    beforeEach(async () => {
      for (const count of [100, 100, 0]) {
        const site = await Site.make(name)
        if (count > 0) {
          await site.fill(count)
          site.file('ids.csv', range(1, count))
        }
        sites.push(site)
      }
    })
    afterEach(async () => {
      for (const site of sites.splice(0)) await site.drop()
    })
    const place = ({ url }: Site) => ({ url, password: undefined, timeout: 10_000 })
    const moved = (site: Site, log: Site, more: Parameters<Site['move']>[0] = {}) =>
      site.move({ places: { source: place(site), archive: undefined, log: place(log) }, ...more })

    it('have a finished batch with all of its conflicts, or neither', async () => {
      const [site, , log] = sites as [Site, Site, Site]
      await site.sql("INSERT INTO ra (id, t) VALUES (5, 'other')")
      await moved(site, log, { files: [] })
      await log.sql(...refusing)
      const first = await moved(site, log)
      expect(first).toMatchObject({ status: 'FAILED', error: { code: 'ROWS_FAILED' } })
      expect(first.error?.message).toMatch(/its rows are done, and rows\.log does not take its row/)
      expect(await log.count('batch_processing_logs', "status LIKE 'COMPLETED%'")).toBe(0)
      await log.sql(name === 'mysql' ? 'DROP TRIGGER refusing' : 'DROP TRIGGER refusing ON row_conflicts')
      expect(await moved(site, log)).toMatchObject({ status: 'PARTIAL', openConflicts: 1 })
      expect(await log.count('row_conflicts')).toBe(1)
    })

    // Two databases of one PostgreSQL server have tables of one name; so have two servers of MariaDB.
    if (name === 'postgres')
      it('say nothing of another source with a table and a list of the same name', async () => {
        const [one, other, log] = sites as [Site, Site, Site]
        await other.sql("INSERT INTO ra (id, t) VALUES (5, 'other')")
        expect(await moved(one, log)).toMatchObject({ status: 'COMPLETED', counts: { moved: 100 } })
        await log.sql("UPDATE process_logs SET status = 'RUNNING', end_time = NULL")
        const found = { status: 'PARTIAL', counts: { moved: 99, conflicts: 1 }, openConflicts: 1 }
        expect(await moved(other, log)).toMatchObject(found)
        // The first may be at work: only the lock of its own source says that it is dead.
        expect(await log.count('process_logs', "status = 'RUNNING'")).toBe(1)
        const again = { status: 'COMPLETED', counts: { requested: 0 }, openConflicts: 0 }
        expect(await moved(one, log)).toMatchObject(again)
        expect(await log.count('process_logs', "status = 'TERMINATED'")).toBe(1)
      })
    it('name the source of each execution and conflict to the page', async () => {
      const [one, other, log] = sites as [Site, Site, Site]
      const sourceOf = ({ url, database }: Site): string => `${new URL(url).host}/${database}`
      for (const site of [one, other]) {
        await site.sql("INSERT INTO ra (id, t) VALUES (5, 'other')")
        await moved(site, log)
      }
      const seen = await rowsOverview(new LogDatabase(log.session, log.schema, sourceOf(other)))
      expect(seen.processes.map(({ source }) => source)).toEqual([sourceOf(other), sourceOf(one)])
      expect(seen.conflicts.map(({ source }) => source)).toEqual([sourceOf(other), sourceOf(one)])
      expect(seen).toMatchObject({ openConflicts: 2, conflictsOfOthers: 1 })
      const facts = { ...seen, maxLag: undefined, maxHistoryList: undefined }
      const sources = { rows: () => Promise.resolve(facts) } as unknown as PageSources
      const ask = { sources, query: new URLSearchParams(), now: Date.now(), mayAct: false, hasToken: false }
      const { blocks, say } = await rowsPage(ask)
      const page = [say, ...blocks.map(({ body }) => body)].map(String).join('')
      expect(page).toContain(` of ${sourceOf(other)}`)
      expect(page).toContain(`<div class="sub">${sourceOf(one)}</div>`)
      expect(page).toContain('1 conflict is of other sources')
    })
    if (name === 'postgres')
      it('name the source of each execution and of each day, and the server of an archive', async () => {
        const [one, other, log] = sites as [Site, Site, Site]
        const placeOf = ({ url, database }: Site): string => `${new URL(url).host}/${database}`
        const read = (word: string, ...more: string[]) =>
          runArchiver(['rows', word, '--config', one.config({ log: log.url }), ...more])
        await moved(one, log)
        await other.sql('DROP TABLE r')
        await one.insert(1, 100)
        await moved(one, log, {
          places: { source: place(one), archive: place(other), log: place(log) },
        })
        const from = { source_name: placeOf(one), archive_name: 'public.ra' }
        expect(JSON.parse((await read('status', '--json')).out)).toMatchObject({
          executions: [
            { id: 2, ...from, archive_server: placeOf(other) },
            { id: 1, ...from, archive_server: '' },
          ],
        })
        const { out } = await read('status')
        expect(out).toContain(`\n    of ${placeOf(one)}, to the archive at ${placeOf(other)}\n`)
        expect(out).toContain(`\n    of ${placeOf(one)}\n`)
        await log.sql("UPDATE process_logs SET source_name = 'elsewhere/shop' WHERE id = 2")
        expect(JSON.parse((await read('stats', '--json')).out)).toMatchObject({
          days: [
            { source_name: placeOf(one), ids: 100, batches: 1, executions: 1 },
            { source_name: 'elsewhere/shop', ids: 100, batches: 1, executions: 1 },
          ],
        })
        expect((await read('stats')).out).toMatch(/ a second, of .*\n.* a second, of elsewhere\/shop\n/)
      })
    it('are not taken for those of the original script, which lack most columns', async () => {
      const [site, , log] = sites as [Site, Site, Site]
      await log.sql(
        'CREATE TABLE process_logs (id INT PRIMARY KEY, status VARCHAR(20))',
        'CREATE TABLE file_processing_logs (id INT PRIMARY KEY, process_log_id INT)',
        'CREATE TABLE batch_processing_logs (id INT PRIMARY KEY, process_log_id INT, status VARCHAR(40))',
      )
      for (const word of ['status', 'stats', 'conflicts', 'cleanup'])
        expect(
          await runArchiver(['rows', word, '--config', site.config({ log: log.url }), '--json']),
        ).toMatchObject({ code: 1, out: expect.stringContaining('"NOT_FOUND"') as string })
    })
    it('are read as an earlier version made them', async () => {
      const [site, , log] = sites as [Site, Site, Site]
      await moved(site, log)
      for (const column of ['source_name', 'archive_server'])
        await log.sql(`ALTER TABLE process_logs DROP COLUMN ${column}`)
      const read = (word: string) =>
        runArchiver(['rows', word, '--config', site.config({ log: log.url }), '--json'])
      expect(JSON.parse((await read('status')).out)).toMatchObject({
        executions: [{ id: 1, source_name: null, archive_server: null, files: [{ status: 'COMPLETED' }] }],
      })
      expect(JSON.parse((await read('stats')).out)).toMatchObject({ days: [{ ids: 100, source_name: null }] })
    })
    if (name === 'postgres')
      it('list and settle only the conflicts of the own source, and name the others', async () => {
        const [one, other, log] = sites as [Site, Site, Site]
        // The same two versions on both sides: nothing but the source tells them apart.
        for (const site of [one, other]) {
          await site.sql("INSERT INTO ra (id, t) VALUES (5, 'other')")
          expect(await moved(site, log)).toMatchObject({ status: 'PARTIAL', openConflicts: 1 })
        }
        const conflicts = (site: Site, ...more: string[]) =>
          runArchiver(['rows', 'conflicts', '--config', site.config({ log: log.url }), ...more])
        const { out, err, code } = await conflicts(one)
        expect(out).toMatch(/^5 .*\n.*\n.*\n1 open conflict\n$/)
        expect(err).toContain(
          `1 open conflict of another source, ${new URL(other.url).host}/${other.database}`,
        )
        expect(code).toBe(1)
        expect(JSON.parse((await conflicts(one, '--json')).out)).toMatchObject({
          conflicts: [{ row_key: '5' }],
        })
        expect(await conflicts(one, '--keep', 'archive')).toMatchObject({
          code: 0,
          out: '1 conflict settled, 0 left\n',
        })
        expect([await one.count('r'), await other.count('r')]).toEqual([0, 1])
        const open = await log.rows(
          'SELECT p.source_name AS name FROM row_conflicts c JOIN process_logs p ON p.id = c.process_log_id WHERE resolution IS NULL',
        )
        expect(open).toEqual([{ name: expect.stringContaining(other.database) as string }])
        // An execution that goes takes nobody's conflict along, nor the name of its source.
        await log.sql("UPDATE process_logs SET end_time = end_time - INTERVAL '3 days'")
        await runArchiver(['rows', 'cleanup', '--older-than', '1', '--config', one.config({ log: log.url })])
        expect(await conflicts(one)).toMatchObject({ code: 0, out: '0 open conflicts\n' })
        expect(await conflicts(other, '--keep', 'archive')).toMatchObject({ code: 0 })
        expect(await other.count('r')).toBe(0)
      })
    const refusing =
      name === 'mysql'
        ? [
            "CREATE TRIGGER refusing BEFORE INSERT ON row_conflicts FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'",
          ]
        : [
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
            'CREATE TRIGGER refusing BEFORE INSERT ON row_conflicts FOR EACH ROW EXECUTE FUNCTION refuse()',
          ]
  })
}
