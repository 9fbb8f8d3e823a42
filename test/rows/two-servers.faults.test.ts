import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BreakingProxy } from './breaking-proxy.ts'
import { startMariadb } from './mariadb.ts'
import { killOnceMoving, startBrokenMover } from './killing.ts'
import { range, serverAnswers, Site, startArchiver } from './servers.ts'

/** ARCHIVER_ROWS_KILLS=1000 ARCHIVER_ROWS_COUNT=2000000 is the long form. */
const KILLS = Number(process.env['ARCHIVER_ROWS_KILLS'] ?? 3)
const COUNT = Number(process.env['ARCHIVER_ROWS_COUNT'] ?? 10_000)

const second = await startMariadb()
const isThere = {
  mysql: second !== undefined && (await serverAnswers('mysql')),
  postgres: await serverAnswers('postgres'),
}

for (const name of ['mysql', 'postgres'] as const) {
  if (!isThere[name])
    console.warn(`SKIPPED: no second ${name} server: the move between servers is not killed`)

  describe.skipIf(!isThere[name])(`a move of ${name} rows to another server`, () => {
    let site: Site
    let other: Site
    beforeEach(async () => {
      site = await Site.make(name)
      other = await Site.make(name, name === 'mysql' ? second?.url : undefined)
      await site.fill(COUNT)
      await other.fill(0)
    })
    afterEach(async () => {
      await site.drop()
      await other.drop()
    })
    const archived = async (): Promise<number> =>
      Number((await other.rows('SELECT max(id) AS n FROM ra'))[0]!['n'] ?? 0)
    /** Rows that are live, archived, or both, once each: as many as there were, and the same. */
    const assertWhole = async (): Promise<void> => {
      const all = `SELECT id, t, n, d FROM r WHERE id <= ${COUNT} ORDER BY id`
      const live = await site.rows(all)
      const kept = await other.rows(all.replace('FROM r', 'FROM ra'))
      const versions = new Map<string, string>()
      for (const row of [...live, ...kept]) {
        const text = JSON.stringify(row)
        expect(versions.get(row['id']!) ?? text).toBe(text)
        versions.set(row['id']!, text)
      }
      expect(versions.size).toBe(COUNT)
    }

    it(`that is killed ${KILLS} times at any moment loses no row`, async () => {
      site.file('ids.csv', range(1, COUNT))
      const config = site.config({
        batch_size: 250,
        archive_table: '',
        archive: { url: other.url, table: 'ra' },
      })
      for (let kill = 0; kill < KILLS; kill++) {
        await killOnceMoving(startArchiver(['rows', 'run', config]), archived)
        await assertWhole()
      }
      const last = await site.run()
      expect(last.code, last.err + last.out).toBe(0)
      await assertWhole()
      expect([await site.count('r'), await other.count('ra')]).toEqual([0, COUNT])
    }, 3_600_000)

    it('that deletes before its copy is committed loses rows when it is killed, which this test finds', async () => {
      let lost: unknown
      for (let kill = 0; kill < 30 && lost === undefined; kill++) {
        await killOnceMoving(startBrokenMover(site.url, other.url), archived)
        lost = await assertWhole().then(
          () => undefined,
          (error: unknown) => error,
        )
      }
      expect(String(lost)).toMatch(new RegExp(`expected \\d+ to be ${COUNT}`))
    }, 120_000)

    it.each(['source', 'archive'] as const)(
      'whose answer to a COMMIT of the %s is lost loses no row',
      async (side) => {
        site.file('ids.csv', range(1, COUNT))
        const urls = { source: new URL(site.url), archive: new URL(other.url) }
        const proxy = await BreakingProxy.before(Number(urls[side].port), /COMMIT\0?$/, 2, true, 10_000)
        urls[side].port = String(proxy.port)
        const place = (url: URL) => ({ url: url.href, password: undefined, timeout: 10_000 })
        const outcome = await site.move({
          places: { source: place(urls.source), archive: place(urls.archive), log: undefined },
          batchSize: Math.ceil(COUNT / 5),
        })
        await proxy.close()
        expect(proxy.broken).toBe(1)
        expect(outcome).toMatchObject({ status: 'COMPLETED' })
        await assertWhole()
        expect([await site.count('r'), await other.count('ra')]).toEqual([0, COUNT])
      },
    )
  })
}
