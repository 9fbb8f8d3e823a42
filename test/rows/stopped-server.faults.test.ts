import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import type { RowsEvent } from '../../src/rows/events.ts'
import type { RowsOutcome } from '../../src/rows/options.ts'
import { randomFrom, seed } from '../crash/random.ts'
import { OwnPostgres } from '../postgres.ts'
import { startMariadb } from './mariadb.ts'
import { DIALECTS, range, Site } from './servers.ts'

const TIMEOUT = 1000
const COUNT = 40_000
const BATCH = 5000
/** Moments at which a server is stopped. ARCHIVER_ROWS_STOPS=20 is the long form. */
const STOPS = Number(process.env['ARCHIVER_ROWS_STOPS'] ?? 3)

const ownPostgres = await OwnPostgres.start()
if (ownPostgres) afterAll(() => ownPostgres.stop())
const servers = { mysql: await startMariadb(), postgres: ownPostgres }

const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000))

for (const name of DIALECTS) {
  const server = servers[name]
  if (!server) console.warn(`SKIPPED: no ${name} server could be started: none is stopped`)

  describe.skipIf(!server)(`a ${name} server whose process is stopped in the middle of a batch`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name, server?.url)
      await site.fill(COUNT)
      site.file('ids.csv', range(1, COUNT))
    })
    afterEach(async () => {
      server?.signal('SIGCONT')
      await site.drop()
    })
    const random = randomFrom(seed())

    /** Moves the rows, and stops the server some milliseconds after a batch began. */
    const moveAndStop = async (delay: number, listener: (event: RowsEvent) => void): Promise<RowsOutcome> => {
      let stopping: NodeJS.Timeout | undefined
      let isStopped = false
      const outcome = await site.move({
        places: {
          source: { url: site.url, password: undefined, timeout: TIMEOUT },
          archive: undefined,
          log: undefined,
        },
        batchSize: BATCH,
        listener: (event) => {
          if (event.type === 'batch-started' && event.batch === 2)
            stopping = setTimeout(() => {
              server?.signal('SIGSTOP')
              isStopped = true
            }, delay)
          listener(event)
        },
      })
      clearTimeout(stopping)
      expect(isStopped).toBe(true)
      return outcome
    }
    const assertMoved = async (before: object): Promise<void> => {
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      expect([await site.count('r'), await site.count('ra')]).toEqual([0, COUNT])
      const [batches] = await site.rows(
        "SELECT count(*) AS n, sum(rows_deleted) AS d FROM batch_processing_logs WHERE status LIKE 'COMPLETED%'",
      )
      expect(batches).toEqual({ n: String(COUNT / BATCH), d: String(COUNT) })
    }

    it.each(Array.from({ length: STOPS }, () => Math.floor(random() * 80)))(
      'and goes on after the timeout does each batch once (%i ms)',
      async (delay) => {
        const before = await site.whole()
        let retries = 0
        const outcome = await moveAndStop(delay, (event) => {
          // The connection was given up; whatever was sent over it is done, or not, when the server goes on.
          if (event.type === 'batch-retry' && ++retries === 1)
            setTimeout(() => server?.signal('SIGCONT'), 500)
        })
        expect(retries).toBeGreaterThan(0)
        expect(outcome, outcome.error?.message).toMatchObject({
          status: 'COMPLETED',
          counts: { moved: COUNT },
        })
        await assertMoved(before)
      },
      120_000,
    )

    it('and stays stopped ends the run, and the next one moves the rest once', async () => {
      const before = await site.whole()
      const outcome = await moveAndStop(20, () => undefined)
      expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'DATABASE_UNAVAILABLE' } })
      server?.signal('SIGCONT')
      const next = await site.move({ batchSize: BATCH })
      expect(next, next.error?.message).toMatchObject({ status: 'COMPLETED' })
      await assertMoved(before)
    }, 240_000)

    it('control: holds up the driver alone for as long as it stands', async () => {
      const url = server?.url ?? ''
      const one = name === 'mysql' ? await createConnection(url) : new pg.Client(url)
      if (one instanceof pg.Client) await one.connect()
      server?.signal('SIGSTOP')
      await seconds(0.5) // its threads stop one by one: one may still answer
      let isOver = false
      const asked = (one instanceof pg.Client ? one.query('SELECT 1') : one.query('SELECT 1')).then(
        () => (isOver = true),
      )
      await seconds(8)
      expect(isOver).toBe(false)
      server?.signal('SIGCONT')
      await asked
      await one.end()
    })
  })
}
