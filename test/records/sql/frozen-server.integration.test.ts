import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { classOf } from '../../../src/records/sql/classify-error.ts'
import { CommitUnknownError, type RecordsDatabase } from '../../../src/records/sql/database.ts'
import { openRecordsDatabase } from '../../../src/records/sql/open-database.ts'
import { databasePlace } from '../../../src/sql/database-url.ts'
import { openDatabase } from '../../../src/sql/open-database.ts'
import { FaultProxy } from '../../fakes/fault-proxy.ts'
import { failed, freeze, holdUp } from '../../fakes/frozen-server.ts'
import { answers, openSite, type Site } from '../databases.ts'

const there = await Promise.all(
  (['postgres', 'mysql'] as const).map(async (dialect) => [dialect, await answers(dialect)] as const),
)
const TIMEOUT = 1000

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'a frozen server of %s',
  (dialect) => {
    let site: Site
    let proxy: FaultProxy
    let database: RecordsDatabase
    const place = () => {
      const { port } = new URL(site.url)
      return databasePlace(site.url.replace(`:${port}/`, `:${proxy.port}/`), site.folder)!
    }
    beforeEach(async () => {
      site = await openSite(dialect)
      proxy = await FaultProxy.before({ port: Number(new URL(site.url).port) })
      database = await openRecordsDatabase({
        place: place(),
        password: undefined,
        connections: 2,
        timeout: TIMEOUT,
      })
    })
    afterEach(async () => {
      await proxy.close()
      await database.close()
      await site.close()
    })
    const inTime = { least: TIMEOUT - 100, most: TIMEOUT + 5000 }

    it('holds a statement and a transaction up for no longer than the timeout', async () => {
      await database.session.rows('SELECT 1 AS one')
      freeze(proxy)
      for (const work of [
        () => database.session.rows('SELECT 1 AS one'),
        // Over a new connection, since the first one is broken.
        () => database.session.rows('SELECT 1 AS one'),
        () => database.transaction((session) => session.rows('SELECT 1 AS one')),
      ]) {
        const { error, took } = await failed(work())
        expect(classOf(error)).toBe('transient')
        expect(took).toBeGreaterThan(inTime.least)
        expect(took).toBeLessThan(inTime.most)
      }
    })
    it('in the middle of a transaction ends it, and in its COMMIT leaves it unknown', async () => {
      const inWork = await failed(
        database.transaction(async (session) => {
          await session.change("INSERT INTO customers (code) VALUES ('c1')")
          freeze(proxy)
          await session.rows('SELECT 1 AS one')
        }),
      )
      expect(classOf(inWork.error)).toBe('transient')
      expect(inWork.took).toBeLessThan(2 * inTime.most)
      proxy.always({ kind: 'none' })
      const inCommit = await failed(
        database.transaction(async (session) => {
          await session.change("INSERT INTO customers (code) VALUES ('c2')")
          freeze(proxy)
        }),
      )
      expect(inCommit.error).toBeInstanceOf(CommitUnknownError)
      expect(inCommit.took).toBeLessThan(inTime.most)
      expect(await site.count("SELECT COUNT(*) FROM customers WHERE code = 'c1'")).toBe(0)
    })
    it('in one trip leaves it unknown', async () => {
      await database.session.rows('SELECT 1 AS one')
      freeze(proxy)
      const insert = { sql: 'INSERT INTO customers (code) VALUES (?)', values: ['c3'] }
      const { error, took } = await failed(database.inOneTrip!([insert]))
      expect(error).toBeInstanceOf(CommitUnknownError)
      expect(took).toBeLessThan(inTime.most)
    })
    it('is noticed by the connections of ledger and queue as well', async () => {
      const ledger = await openDatabase({
        place: place(),
        schema: undefined,
        password: undefined,
        timeout: TIMEOUT,
      })
      await sql`SELECT 1`.execute(ledger.kysely)
      freeze(proxy)
      const { error, took } = await failed(sql`SELECT 1`.execute(ledger.kysely))
      expect(error).toBeInstanceOf(Error)
      expect(took).toBeLessThan(inTime.most)
      await ledger.close()
    })
    it('that had answered while this process stood still is heard', async () => {
      await database.session.rows('SELECT 1 AS one')
      const sleep = dialect === 'mysql' ? 'SELECT SLEEP(0.1) AS one' : 'SELECT pg_sleep(0.1) AS one'
      const inHand = database.session.rows(sleep)
      await new Promise((resolve) => setTimeout(resolve, 20))
      holdUp(TIMEOUT + 2500)
      expect(await inHand).toHaveLength(1)
    })
    it('that slept while nothing was asked of it takes the next statement', async () => {
      await database.session.rows('SELECT 1 AS one')
      await new Promise((resolve) => setTimeout(resolve, TIMEOUT + 2500))
      expect(await database.session.rows('SELECT 1 AS one')).toHaveLength(1)
      freeze(proxy)
      expect((await failed(database.session.rows('SELECT 1 AS one'))).took).toBeLessThan(inTime.most)
    })
    // PostgreSQL itself ends a transaction in which nothing comes.
    if (dialect === 'mysql')
      it('that slept in the middle of a transaction while nothing was asked of it goes on', async () => {
        await database.transaction(async (session) => {
          await session.change("INSERT INTO customers (code) VALUES ('c4')")
          await new Promise((resolve) => setTimeout(resolve, TIMEOUT + 2500))
          await session.change("INSERT INTO customers (code) VALUES ('c5')")
        })
        expect(await site.count("SELECT COUNT(*) FROM customers WHERE code IN ('c4', 'c5')")).toBe(2)
      })
  },
)
