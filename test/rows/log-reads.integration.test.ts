import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogDatabase } from '../../src/rows/log/log-database.ts'
import { rowsOverview } from '../../src/rows/log/log-reads.ts'
import { openSession } from '../../src/sql/open-session.ts'
import type { Session } from '../../src/sql/session.ts'
import { startMariadb } from './mariadb.ts'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

/** A server whose clock shows another time than UTC. */
const zoned = await startMariadb('--default-time-zone=+05:45')
const SERVERS = [
  ...(await Promise.all(
    DIALECTS.map(async (name) => ({ name, what: name, isThere: await serverAnswers(name), url: undefined })),
  )),
  { name: 'mysql' as const, what: 'mysql in another zone', isThere: zoned !== undefined, url: zoned?.url },
]

for (const { name, what, isThere, url } of SERVERS) {
  describe.skipIf(!isThere)(`the log tables on ${what} as a page shows them`, () => {
    let site: Site
    let session: Session
    beforeEach(async () => {
      site = await Site.make(name, url)
      session = await openSession({ url: site.url, password: undefined, timeout: 10_000 })
      await site.fill(250)
      await site.sql("INSERT INTO ra (id, t) VALUES (120, 'another')")
      site.file('a.csv', range(1, 100))
      site.file('b.csv', range(101, 250))
      await site.move()
    })
    afterEach(async () => {
      await session.close()
      await site.drop()
    })
    const overview = () => rowsOverview(new LogDatabase(session, site.schema))

    it('hold processes, files, batches and conflicts of the newest execution', async () => {
      const seen = await overview()
      expect(seen.processes).toMatchObject([
        {
          id: 1,
          table: `${site.schema}.r`,
          archive: `${site.schema}.ra`,
          status: 'PARTIAL',
          standing: 'partial',
          files: 2,
          filesDone: 2,
          records: 250,
          conflicts: 1,
        },
      ])
      expect(seen.files).toMatchObject([
        {
          name: 'a.csv',
          standing: 'ok',
          batches: 1,
          batchesDone: 1,
          records: 100,
          duplicates: [],
          failed: [],
        },
        {
          name: 'b.csv',
          standing: 'ok',
          batches: 2,
          batchesDone: 2,
          records: 150,
          duplicates: [1],
          failed: [],
        },
      ])
      expect(seen.batches.map(({ ids }) => ids)).toEqual([100, 100, 50])
      expect(seen.openConflicts).toBe(1)
      expect(seen.conflicts).toMatchObject([
        { table: `${site.schema}.r`, key: '120', file: 'b.csv', batch: 1 },
      ])
      expect(seen.conflicts[0]?.differs.map(({ column }) => column)).toEqual(['t', 'n', 'd'])
    })

    it('give times by the clock of this moment, whatever the zone of the server and of the session is', async () => {
      const zones =
        name === 'mysql'
          ? ["SET SESSION time_zone = '+00:00'", "SET SESSION time_zone = '-09:30'"]
          : ["SET timezone = 'UTC'", "SET timezone = 'Pacific/Marquesas'"]
      for (const zone of zones) {
        await session.run(zone)
        const seen = await overview()
        const now = Date.now()
        const [newest] = seen.processes
        const times = [
          seen.now,
          newest?.startedAt,
          newest?.endedAt,
          seen.conflicts[0]?.foundAt,
          ...seen.batches.map(({ at }) => at),
        ]
        for (const time of times) expect(Math.abs(now - (time ?? 0))).toBeLessThan(120_000)
      }
    })

    it('name what holds a running process back, and batches that failed', async () => {
      await site.sql(
        "UPDATE process_logs SET status = 'RUNNING', end_time = NULL, throttle_reason = 'replica_lag 3.8s > 2s', replica_lag = 4",
        "UPDATE batch_processing_logs SET status = 'FAILED' WHERE file_name = 'b.csv' AND batch_number = 2",
      )
      const seen = await overview()
      expect(seen.processes).toMatchObject([
        { standing: 'throttled', heldBack: 'replica_lag 3.8s > 2s', lag: 4, endedAt: undefined },
      ])
      expect(seen.files[1]).toMatchObject({ failed: [2] })
    })

    it('leave batches of hours ago out, and are empty before the first move', async () => {
      await site.sql(
        name === 'mysql'
          ? "UPDATE batch_processing_logs SET created_at = DATE_SUB(NOW(), INTERVAL 4 HOUR) WHERE file_name = 'a.csv'"
          : "UPDATE batch_processing_logs SET created_at = now() - INTERVAL '4 hours' WHERE file_name = 'a.csv'",
      )
      expect((await overview()).batches.map(({ ids }) => ids)).toEqual([100, 50])
      for (const table of ['row_conflicts', 'batch_processing_logs', 'file_processing_logs', 'process_logs'])
        await site.sql(`DELETE FROM ${table}`)
      expect(await overview()).toMatchObject({
        processes: [],
        files: [],
        batches: [],
        conflicts: [],
        openConflicts: 0,
      })
    })
  })
}
