import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../../src/commands/records/run.ts'
import { CommitUnknownError } from '../../src/records/sql/database.ts'
import { openRecordsDatabase } from '../../src/records/sql/open-database.ts'
import { databasePlace } from '../../src/sql/database-url.ts'
import { BreakingProxy } from '../rows/breaking-proxy.ts'
import { answers, openSite, payload, printing, type Site } from './databases.ts'

const SERVERS = ['postgres', 'mysql'] as const
/** The statement alone: READ COMMITTED is asked for as well. */
const COMMIT = /COMMIT(?!TED)/
const there = await Promise.all(SERVERS.map(async (dialect) => [dialect, await answers(dialect)] as const))
for (const [dialect, isThere] of there) if (!isThere) console.warn(`skipped: no ${dialect} answers`)

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'a COMMIT to %s whose answer is lost',
  (dialect) => {
    let site: Site
    let proxy: BreakingProxy
    beforeEach(async () => {
      site = await openSite(dialect)
    })
    afterEach(async () => {
      await proxy.close()
      await site.close()
    })

    /** Runs with every connection through a proxy that breaks at the nth COMMIT, or other statement. */
    const runThrough = async (nth: number, arrives: boolean, statement = COMMIT) => {
      const { port } = new URL(site.url)
      proxy = await BreakingProxy.before(Number(port), statement, nth, arrives, 10_000)
      const through = site.url.replace(`:${port}/`, `:${proxy.port}/`)
      writeFileSync(site.config, readFileSync(site.config, 'utf8').replace(site.url, through))
      const { context, printed } = printing()
      const code = await runCommand(
        { task: 'orders', config: site.config, workers: '1', json: true },
        context,
      )
      expect(proxy.broken).toBe(1)
      return { code, metrics: JSON.parse(printed()) as Record<string, unknown> }
    }

    it.each([
      { what: 'that happened', arrives: true },
      { what: 'that never arrived', arrives: false },
    ])('$what: the item is stored once, and the run goes on', async ({ arrives }) => {
      await site.fill({ 1: payload(1), 2: payload(2), 3: payload(3) })
      const { code, metrics } = await runThrough(2, arrives)
      expect(code).toBe(0)
      expect(metrics).toMatchObject({
        total_applications_successful: 3,
        total_applications_failed: 0,
        total_database_inserts: 3 * 3 + 1,
        present: 0,
      })
      expect(
        await site.count("SELECT COUNT(*) FROM processing_log WHERE status = 'success' AND retry_count = 0"),
      ).toBe(3)
      expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(3)
    })

    it.each([{ arrives: true }, { arrives: false }])(
      'of an item that goes in one trip (arrives: $arrives) leaves it stored once',
      async ({ arrives }) => {
        const own = [1, 2, 3].map((id) => [id, payload(id, { customer: `c${id}` })] as const)
        await site.fill(Object.fromEntries(own))
        const { code, metrics } = await runThrough(2, arrives, /INSERT INTO .processing_log/)
        expect(code).toBe(0)
        expect(metrics).toMatchObject({ total_applications_successful: 3, total_database_inserts: 3 * 4 })
        expect(await site.count('SELECT COUNT(*) FROM processing_log WHERE retry_count = 0')).toBe(3)
        expect(await site.count('SELECT COUNT(*) FROM customers')).toBe(3)
      },
    )

    it.each([{ arrives: true }, { arrives: false }])(
      'of a failure (arrives: $arrives) is logged once',
      async ({ arrives }) => {
        await site.fill({ 1: payload(1), 2: '<order', 3: payload(3) })
        const { code, metrics } = await runThrough(2, arrives)
        expect(code).toBe(1)
        expect(metrics).toMatchObject({ total_applications_successful: 2, total_applications_failed: 1 })
        expect(
          await site.database.session.rows('SELECT status, retry_count FROM processing_log WHERE app_id = 2'),
        ).toEqual([{ status: 'failed', retry_count: 0 }])
      },
    )

    it.each([
      { arrives: true, rows: 1 },
      { arrives: false, rows: 0 },
    ])(
      'is really lost: a writer that does not ask is left without knowing (arrives: $arrives)',
      async ({ arrives, rows }) => {
        const { port } = new URL(site.url)
        proxy = await BreakingProxy.before(Number(port), COMMIT, 1, arrives)
        const database = await openRecordsDatabase({
          place: databasePlace(site.url.replace(`:${port}/`, `:${proxy.port}/`), site.folder)!,
          password: undefined,
          connections: 1,
          timeout: 20_000,
        })
        const insert = database.transaction((session) =>
          session.change('INSERT INTO customers (code) VALUES (?)', ['c9']),
        )
        await expect(insert).rejects.toBeInstanceOf(CommitUnknownError)
        expect(await site.count('SELECT COUNT(*) FROM customers')).toBe(rows)
        await database.close()
      },
    )
  },
)
