import { performance } from 'node:perf_hooks'
import { createConnection } from 'mysql2/promise'
import type { Socket } from 'node:net'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSession } from '../../src/sql/open-session.ts'
import type { Session } from '../../src/sql/session.ts'
import { SilenceWatch } from '../../src/sql/silence-watch.ts'
import { FaultProxy } from '../fakes/fault-proxy.ts'
import { failed, freeze, holdUp } from '../fakes/frozen-server.ts'
import { BreakingProxy } from './breaking-proxy.ts'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

const TIMEOUT = 1000
/** Silence, a question over another connection, and the time of an answer that is on its way, each with time to spare. */
const MOST = 4 * TIMEOUT + 6000

/** The controls: a connection of the driver alone. */
const driverAlone = async (name: string, url: string) => {
  if (name === 'mysql') {
    const connection = await createConnection(url)
    connection.on('error', () => undefined)
    const { stream } = (connection as unknown as { connection: { stream: Socket } }).connection
    return { run: (sql: string): Promise<unknown> => connection.query(sql), stream }
  }
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  await client.connect()
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  return { run: (sql: string): Promise<unknown> => client.query(sql), stream }
}

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: none goes silent`)
  const sleep = (seconds: number) => `SELECT ${name === 'mysql' ? 'SLEEP' : 'pg_sleep'}(${seconds}) AS s`

  describe.skipIf(!isThere)(`a ${name} server that goes silent`, () => {
    let site: Site
    let proxy: FaultProxy
    let session: Session
    const place = (port: number) => {
      const address = new URL(site.url)
      address.port = String(port)
      return { url: address.href, password: undefined, timeout: TIMEOUT }
    }
    beforeEach(async () => {
      site = await Site.make(name)
      proxy = await FaultProxy.before({ port: Number(new URL(site.url).port) })
      session = await openSession(place(proxy.port))
    })
    afterEach(async () => {
      session.destroy()
      await proxy.close()
      await site.drop()
    })
    it('fails the statement in hand, and those behind it', async () => {
      freeze(proxy)
      const both = [session.run('SELECT 1'), session.runAll([{ sql: 'SELECT 1' }, { sql: 'SELECT 2' }])]
      for (const { error, took } of await Promise.all(both.map(failed))) {
        expect(error).toMatchObject({ code: 'ETIMEDOUT', message: 'the server has not answered for 3 s' })
        expect(took).toBeGreaterThan(TIMEOUT)
        expect(took).toBeLessThan(MOST)
      }
      await expect(session.run('SELECT 1')).rejects.toThrow()
    })

    it('opens no session, and lets the old one be closed and dropped', async () => {
      freeze(proxy)
      expect((await failed(openSession(place(proxy.port)))).took).toBeLessThan(MOST)
      const inHand = failed(session.run('SELECT 1'))
      session.destroy()
      expect((await inHand).error).toBeInstanceOf(Error)
      expect((await inHand).took).toBeLessThan(TIMEOUT)
      expect((await failed(session.close())).took).toBeLessThan(MOST)
    })

    it('but still works on a statement is waited for', async () => {
      const { rows } = await session.run(sleep(9))
      expect(rows).toHaveLength(1)
      expect((await session.run('SELECT 1 AS one')).rows).toEqual([{ one: '1' }])
    })

    it('but was not asked anything takes the next statement', async () => {
      await new Promise((resolve) => setTimeout(resolve, TIMEOUT + 3000))
      expect((await session.run('SELECT 1 AS one')).rows).toEqual([{ one: '1' }])
    })

    it('but had answered while this process stood still is heard', async () => {
      const inHand = session.run(sleep(0.1))
      await new Promise((resolve) => setTimeout(resolve, 20))
      holdUp(TIMEOUT + 2500)
      expect((await inHand).rows).toHaveLength(1)
    })

    it('control: holds the driver alone up for longer than that', async () => {
      const { run, stream } = await driverAlone(name, place(proxy.port).url)
      freeze(proxy)
      let isOver = false
      void run('SELECT 1').then(
        () => (isOver = true),
        () => (isOver = true),
      )
      await new Promise((resolve) => setTimeout(resolve, MOST))
      expect(isOver).toBe(false)
      stream.destroy()
    })

    it('control: and is not asked what it does, loses a statement that takes long', async () => {
      const { run, stream } = await driverAlone(name, site.url)
      const watch = new SilenceWatch(stream, TIMEOUT)
      await expect(watch.during(() => run(sleep(9)))).rejects.toThrow(/has not answered for 3 s/)
    })

    it('over one connection alone, and has no work in hand for it, is noticed', async () => {
      const quiet = await BreakingProxy.before(
        Number(new URL(site.url).port),
        /SELECT 7/,
        1,
        true,
        1000,
        true,
      )
      const one = await openSession(place(quiet.port))
      const { error, took } = await failed(one.run('SELECT 7'))
      expect(error).toMatchObject({ code: 'ETIMEDOUT' })
      expect(took).toBeLessThan(MOST)
      await quiet.close()
    })

    it.each([
      { what: 'its answer to a COMMIT', word: /COMMIT\0?$/, arrives: true },
      { what: 'a COMMIT', word: /COMMIT\0?$/, arrives: false },
      { what: 'its answer to a copy with its delete', word: /INSERT INTO [^ ]*\.[`"]ra[`"]/, arrives: true },
    ])('and swallows $what does each batch once', async ({ word, arrives }) => {
      await site.fill(600)
      site.file('ids.csv', range(1, 300))
      const before = await site.whole()
      const port = Number(new URL(site.url).port)
      const quiet = await BreakingProxy.before(port, word, 2, arrives, 1_000_000, true)
      const places = { source: place(quiet.port), archive: undefined, log: undefined }
      const outcome = await site.move({ places })
      expect(quiet.broken).toBe(1)
      await quiet.close()
      expect(outcome, outcome.error?.message).toMatchObject({ status: 'COMPLETED', counts: { moved: 300 } })
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      const [batches] = await site.rows(
        'SELECT count(*) AS n, sum(rows_deleted) AS d FROM batch_processing_logs',
      )
      expect(batches).toEqual({ n: '3', d: '300' })
    })

    it('or waits for another session ends with the grace of a signal', async () => {
      await site.fill(300)
      site.file('ids.csv', range(1, 300))
      const before = await site.whole()
      const other = await openSession({ url: site.url, password: undefined, timeout: 30_000 })
      const stop = new AbortController()
      let passes = 0
      const gate = {
        ready: () => Promise.resolve(),
        pass: async () => {
          if (++passes === 2) {
            if (name === 'postgres') await other.run('BEGIN')
            await other.run(
              name === 'mysql' ? 'LOCK TABLES r WRITE' : 'LOCK TABLE r IN ACCESS EXCLUSIVE MODE',
            )
            setTimeout(() => stop.abort('SIGTERM'), 500)
          }
          return {
            ...{ lag: 0, hll: 0, throttledMs: 0 },
            ...{ reason: undefined, cause: undefined, end: undefined },
          }
        },
        rest: () => 0,
        lags: new Map(),
        close: () => Promise.resolve(),
      }
      const began = performance.now()
      const source = { url: site.url, password: undefined, timeout: 50_000 }
      const places = { source, archive: undefined, log: undefined }
      const outcome = await site.move({ places, gate, signal: stop.signal, graceMs: 300 })
      expect(outcome).toMatchObject({ status: 'KILLED', counts: { moved: 100 } })
      expect(performance.now() - began).toBeLessThan(25_000)
      expect(await site.rows('SELECT status FROM process_logs')).toEqual([{ status: 'KILLED' }])
      other.destroy()
      expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 200 } })
      expect(await site.whole()).toEqual({ ...before, both: 0 })
    })

    it('ends a run that cannot connect any more, and leaves the rest to the next', async () => {
      await site.fill(600)
      site.file('ids.csv', range(1, 300))
      const before = await site.whole()
      let passes = 0
      const places = { source: place(proxy.port), archive: undefined, log: undefined }
      const gate = {
        ready: () => Promise.resolve(),
        pass: () => {
          if (++passes === 2) freeze(proxy)
          return Promise.resolve({
            ...{ lag: 0, hll: 0, throttledMs: 0 },
            ...{ reason: undefined, cause: undefined, end: undefined },
          })
        },
        rest: () => 0,
        lags: new Map(),
        close: () => Promise.resolve(),
      }
      const outcome = await site.move({ places, gate })
      expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'DATABASE_UNAVAILABLE' } })
      await proxy.close()
      expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 200 } })
      expect(await site.whole()).toEqual({ ...before, both: 0 })
    })
  })
}
