import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { randomFrom, seed } from '../crash/random.ts'
import { killOnceMoving, lossWatch, startBrokenMover } from './killing.ts'
import { DIALECTS, range, serverAnswers, Site, startArchiver } from './servers.ts'
import { BreakingProxy } from './breaking-proxy.ts'

/** ARCHIVER_ROWS_KILLS=1000 ARCHIVER_ROWS_COUNT=2000000 is the long form. */
const KILLS = Number(process.env['ARCHIVER_ROWS_KILLS'] ?? 3)
const COUNT = Number(process.env['ARCHIVER_ROWS_COUNT'] ?? 20_000)
/** Ids of one file. */
const FILE = 100_000

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: rows are not killed there`)

  describe.skipIf(!isThere)(`a move of ${name} rows`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(COUNT)
    })
    afterEach(async () => site.drop())
    const archived = async (): Promise<number> =>
      Number((await site.rows('SELECT max(id) AS n FROM ra'))[0]!['n'] ?? 0)

    /** Kills movers until the kills are done or all rows are moved; after each, no row is lost and none in both tables. */
    const killAll = async (config: string): Promise<void> => {
      const start = seed()
      const random = randomFrom(start)
      const assertWhole = await lossWatch(site, COUNT)
      let kills = 0
      let isMoving = true
      while (kills < KILLS && isMoving) {
        isMoving = await killOnceMoving(startArchiver(['rows', 'run', config]), archived, random)
        await assertWhole(await archived())
        if (isMoving) kills += 1
      }
      console.log(`${name}: ${kills} kills, ${await archived()} of ${COUNT} ids passed, SEED=${start}`)
    }

    it(`that is killed ${KILLS} times at any moment loses no row and leaves none in both tables`, async () => {
      const before = await site.whole()
      for (let from = 1; from <= COUNT; from += FILE)
        site.file(`ids-${String(from).padStart(8, '0')}.csv`, range(from, Math.min(COUNT, from + FILE - 1)))
      await killAll(site.config({ batch_size: 500 }))
      const last = await site.run()
      expect(last.code, last.err + last.out).toBe(0)
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      expect(await site.count('r')).toBe(0)
      const { 0: sum } = await site.rows(
        "SELECT sum(rows_deleted) AS n FROM batch_processing_logs WHERE status LIKE 'COMPLETED%'",
      )
      expect(Number(sum!['n'])).toBe(COUNT)
    }, 10_800_000)

    it(`by a condition that is killed ${KILLS} times loses no row, takes no other one, and leaves none in both tables`, async () => {
      const before = await site.whole()
      const others = await site.count('r', 'id % 4 = 0')
      await killAll(site.config({ batch_size: 500, files: undefined, where: 'id % 4 > 0' }))
      const last = await site.run()
      expect(last.code, last.err + last.out).toBe(0)
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      expect([await site.count('r'), await site.count('r', 'id % 4 = 0')]).toEqual([others, others])
    }, 10_800_000)

    it('that deletes before its copy is committed loses rows when it is killed, which this test finds', async () => {
      const before = await site.whole()
      for (let kill = 0; kill < 30 && (await site.whole()).rows === before.rows; kill++)
        await killOnceMoving(startBrokenMover(site.url, site.url), archived)
      expect((await site.whole()).rows).toBeLessThan(before.rows)
    }, 120_000)

    it('whose answer to a COMMIT is lost counts the batch once', async () => {
      const before = await site.whole()
      site.file('ids.csv', range(1, 2000))
      const address = new URL(site.url)
      const proxy = await BreakingProxy.before(Number(address.port), /COMMIT\0?$/, 2, true, 10_000)
      address.port = String(proxy.port)
      const outcome = await site.move({
        places: {
          source: { url: address.href, password: undefined, timeout: 10_000 },
          archive: undefined,
          log: undefined,
        },
        batchSize: 400,
      })
      await proxy.close()
      expect(proxy.broken).toBe(1)
      expect(outcome).toMatchObject({ status: 'COMPLETED', counts: { requested: 2000, moved: 2000 } })
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      const { 0: sum } = await site.rows(
        'SELECT sum(rows_deleted) AS n, count(*) AS b FROM batch_processing_logs',
      )
      expect(sum).toEqual({ n: '2000', b: '5' })
    })

    it('while others insert, update and delete the same rows loses no version that was live', async () => {
      site.file('ids.csv', range(1, 3000))
      const writers = Array.from({ length: 2 }, async (_, at) => {
        for (let turn = 0; turn < 60; turn++) {
          const id = 1 + ((turn * 97 + at * 1511) % 3000)
          await site.side(`UPDATE r SET t = 'by writer ${at} ${turn}', n = ${turn} WHERE id = ${id}`)
        }
      })
      const [outcome] = await Promise.all([site.move({ batchSize: 200 }), ...writers])
      expect(outcome.status).toBe('COMPLETED')
      expect(await site.count('ra', 'id <= 3000')).toBe(3000)
      expect(await site.count('r', 'id <= 3000')).toBe(0)
      // Every update that found its row live is in the archive, or was followed by another.
      const last = site.seen
      for (const [id, text] of last)
        expect((await site.rows(`SELECT t FROM ra WHERE id = ${id}`))[0]!['t']).toBe(text)
    })
  })
}
