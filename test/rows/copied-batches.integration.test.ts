import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FilesSite } from './files-site.ts'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'
import { startMariadb } from './mariadb.ts'

const second = await startMariadb()

for (const name of DIALECTS) {
  const isThere = (await serverAnswers(name)) && (name === 'postgres' || second !== undefined)
  if (!isThere) console.warn(`SKIPPED: no two servers of ${name}: copies to another archive are not tried`)

  describe.skipIf(!isThere)(`a list of ${name} ids that was copied`, () => {
    let site: Site
    let other: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(300)
      site.file('ids.csv', range(1, 310))
      // The archive has the same schema and table there.
      other = await Site.make(name, name === 'mysql' ? second?.url : undefined, site.database)
      await other.fill(0)
    })
    afterEach(async () => {
      await site.drop()
      await other.drop()
    })
    const place = ({ url }: Site) => ({ url, password: undefined, timeout: 10_000 })
    const to = (archive: Site | undefined, more: Parameters<Site['move']>[0] = {}) =>
      site.move({
        mode: 'copy',
        places: { source: place(site), archive: archive && place(archive), log: undefined },
        ...more,
      })
    const asLive = async (kept: Site): Promise<void> =>
      expect(await kept.rows('SELECT * FROM ra ORDER BY id')).toEqual(
        await site.rows('SELECT * FROM r ORDER BY id'),
      )
    const skipped = { status: 'COMPLETED', counts: { requested: 0 } }

    it('is copied to another server whose table has the same name', async () => {
      expect(await to(undefined)).toMatchObject({ counts: { moved: 300, notFound: 10 } })
      expect(await to(undefined)).toMatchObject(skipped)
      expect(await to(other)).toMatchObject({ status: 'COMPLETED', counts: { moved: 300, notFound: 10 } })
      await asLive(other)
      expect(await to(other)).toMatchObject(skipped)
      expect(await to(undefined)).toMatchObject(skipped)
    })

    it('is copied there by a log of an earlier version, which does not know the server', async () => {
      await to(undefined)
      await site.sql('ALTER TABLE process_logs DROP COLUMN archive_server')
      expect(await to(undefined)).toMatchObject(skipped)
      expect(await to(other)).toMatchObject({ status: 'COMPLETED', counts: { moved: 300 } })
      await asLive(other)
    })

    it('is copied again, and only what is gone, where the archive lost rows', async () => {
      const warnings: string[] = []
      await to(other)
      await other.sql('DELETE FROM ra WHERE id = 150')
      const again = await to(other, { warn: (message) => warnings.push(message) })
      expect(again).toMatchObject({ status: 'COMPLETED', counts: { requested: 100, moved: 1 } })
      expect(warnings).toEqual([
        'ids.csv: 1 finished batch is copied again: the archive does not have all of its rows',
      ])
      await asLive(other)
      await other.sql('DELETE FROM ra')
      expect(await to(other)).toMatchObject({ counts: { requested: 300, moved: 300 } })
      await asLive(other)
      warnings.length = 0
      expect(await to(other, { warn: (message) => warnings.push(message) })).toMatchObject(skipped)
      expect(warnings).toEqual([])
      // In other batches than before, which overlap the old ones.
      await other.sql('DELETE FROM ra WHERE id > 40')
      expect(await to(other, { batchSize: 70 })).toMatchObject({ counts: { requested: 300, moved: 260 } })
      await other.sql('DELETE FROM ra WHERE id = 45')
      expect(await to(other, { batchSize: 30 })).toMatchObject({ counts: { moved: 1 } })
      await asLive(other)
      expect(await to(other, { warn: (message) => warnings.push(message) })).toMatchObject(skipped)
      expect(warnings).toEqual([])
    })

    it('is not asked about again for a row that was in conflict, nor for one that the archive refused', async () => {
      const unique = 'CREATE UNIQUE INDEX once ON ra (t)'
      await site.sql("INSERT INTO ra (id, t) VALUES (5, 'other'), (999, 'row 250')", unique)
      expect(await to(undefined)).toMatchObject({ status: 'PARTIAL', counts: { moved: 298, conflicts: 2 } })
      expect(await to(undefined)).toMatchObject({
        status: 'PARTIAL',
        counts: { requested: 0 },
        openConflicts: 2,
      })
      await site.sql('DELETE FROM ra WHERE id = 6')
      expect(await to(undefined)).toMatchObject({ counts: { requested: 100, moved: 1, conflicts: 1 } })
    })

    it('counts as finished for a move only to the same server', async () => {
      expect(await to(other, { mode: 'move', limitBatches: 2 })).toMatchObject({ counts: { moved: 200 } })
      expect(await to(undefined, { mode: 'move' })).toMatchObject({
        counts: { requested: 310, moved: 100, notFound: 210 },
      })
      expect(await to(other, { mode: 'move' })).toMatchObject({ counts: { requested: 110, notFound: 110 } })
      await site.sql('ALTER TABLE process_logs DROP COLUMN archive_server')
      expect(await to(other, { mode: 'move' })).toMatchObject(skipped)
    })

    it('to files is written again where a file is gone', async () => {
      const files = new FilesSite(site)
      const copy = () => site.move({ ...files.options(), mode: 'copy' })
      expect(await copy()).toMatchObject({ counts: { moved: 300 } })
      expect(await copy()).toMatchObject(skipped)
      rmSync(files.files('placed')[1]!)
      expect(await copy()).toMatchObject({ counts: { requested: 100 } })
      rmSync(files.folder, { recursive: true })
      const anew = new FilesSite(site)
      expect(await copy()).toMatchObject({ counts: { requested: 300, moved: 300 } })
      expect(await copy()).toMatchObject(skipped)
      expect(anew.archived('placed').size).toBe(300)
    })
  })

  describe.skipIf(!(await serverAnswers(name)))(`a list of ${name} parents that was copied`, () => {
    it('is copied again where a child is not archived, or has another archive now', async () => {
      const site = await Site.make(name)
      try {
        const child = 'id INT PRIMARY KEY, p BIGINT NOT NULL'
        await site.fill(20)
        await site.sql(
          `CREATE TABLE c (${child}, FOREIGN KEY (p) REFERENCES r (id))`,
          `CREATE TABLE ca (${child})`,
          `CREATE TABLE cb (${child})`,
          'INSERT INTO c SELECT id * 10, id FROM r',
        )
        site.file('ids.csv', range(1, 20))
        const copy = (archiveTable = 'ca') =>
          site.move({ mode: 'copy', children: [{ table: 'c', key: ['p'], archiveTable, children: [] }] })
        expect(await copy()).toMatchObject({ counts: { moved: 20, childrenInserted: 20 } })
        expect(await copy()).toMatchObject({ counts: { requested: 0 } })
        await site.sql('DELETE FROM ca WHERE id = 70')
        expect(await copy()).toMatchObject({ counts: { requested: 20, childrenInserted: 1 } })
        expect(await copy('cb')).toMatchObject({ counts: { requested: 20, childrenInserted: 20 } })
        expect([await site.count('ca'), await site.count('cb')]).toEqual([20, 20])
      } finally {
        await site.drop()
      }
    })
  })
}
