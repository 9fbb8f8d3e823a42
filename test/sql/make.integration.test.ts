import { afterAll, describe, expect, it } from 'vitest'
import { ensureLog } from '../../src/records/sql/log-table.ts'
import { openRecordsDatabase } from '../../src/records/sql/open-database.ts'
import { LogDatabase } from '../../src/rows/log/log-database.ts'
import { makeOnce } from '../../src/sql/make.ts'
import { openSession } from '../../src/sql/open-session.ts'
import { databasePlace } from '../../src/sql/database-url.ts'
import type { Session } from '../../src/sql/session.ts'
import { DIALECTS, serverAnswers, Site } from '../rows/servers.ts'

const PROGRAMS = 8
const ROUNDS = 10

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`skipped: no ${name} answers`)

  describe.skipIf(!isThere)(`programs that make the same tables at once, on ${name}`, async () => {
    if (!isThere) return
    const site = await Site.make(name)
    const sessions = await Promise.all(
      Array.from({ length: PROGRAMS }, () =>
        openSession({ url: site.url, password: undefined, timeout: 10_000 }),
      ),
    )
    afterAll(async () => {
      await Promise.all(sessions.map((session) => session.close()))
      await site.drop()
    })
    const atOnce = (make: (session: Session, index: number) => Promise<void>) =>
      Promise.allSettled(sessions.map((session, index) => make(session, index)))
    const refused = (results: readonly PromiseSettledResult<void>[]): unknown[] =>
      results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))

    it('all find the log of rows made', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const table of [
          'batch_processing_logs',
          'file_processing_logs',
          'row_conflicts',
          'process_logs',
        ])
          await site.session.run(`DROP TABLE IF EXISTS ${table}`)
        const results = await atOnce((session) => new LogDatabase(session, site.schema).prepare())
        expect(refused(results)).toEqual([])
      }
    })

    it('all find the log of records made', async () => {
      const place = databasePlace(site.url, '/')!
      const databases = await Promise.all(
        sessions.map(() =>
          openRecordsDatabase({ place, password: undefined, connections: 1, timeout: 10_000 }),
        ),
      )
      for (let round = 0; round < ROUNDS; round++) {
        await site.session.run('DROP TABLE IF EXISTS processing_log')
        expect(
          refused(await Promise.allSettled(databases.map((database) => ensureLog(database, 'bigint')))),
        ).toEqual([])
      }
      await Promise.all(databases.map((database) => database.close()))
    })

    if (name !== 'postgres') return // MariaDB takes a lock on the name first, so there is nothing to be refused.
    it('are refused without the second look (broken control)', async () => {
      const failures: unknown[] = []
      for (let round = 0; round < 50 && failures.length === 0; round++) {
        await site.session.run('DROP TABLE IF EXISTS control')
        const make = (session: Session) => async () => {
          await session.run('CREATE TABLE IF NOT EXISTS control (id int PRIMARY KEY)')
        }
        failures.push(...refused(await atOnce((session) => make(session)())))
        await site.session.run('DROP TABLE IF EXISTS control')
        expect(refused(await atOnce((session) => makeOnce(make(session))))).toEqual([])
      }
      expect(failures.length).toBeGreaterThan(0)
    })
  })
}
