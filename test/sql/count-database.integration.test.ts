import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { networkCounters } from '../../src/platform/network-counters.ts'
import { openMysqlSession } from '../../src/sql/mysql-session.ts'
import { openPostgresSession } from '../../src/sql/postgres-session.ts'
import { openMysqlDatabase } from '../../src/records/sql/mysql-database.ts'
import { openPostgresDatabase } from '../../src/records/sql/postgres-database.ts'
import { Served } from '../web/served.ts'
import { Site } from '../site.ts'
import { engines, freshPlace, type Place } from '../tracking/ledger/engines.ts'

const LARGE = `SELECT repeat('x', 1000000) AS x`
const settle = () => new Promise((done) => setTimeout(done, 100))

const servers = (await engines()).flatMap((dialect) => (dialect === 'sqlite' ? [] : [dialect]))

describe.each(servers)('connections to %s', (dialect) => {
  let place: Place
  beforeAll(async () => {
    place = await freshPlace(dialect)
  })
  afterAll(() => place.drop())
  const isPostgres = dialect === 'postgres'
  const WAYS = {
    ledger: async () => {
      const database = await place.open()
      return { ask: () => sql.raw(LARGE).execute(database.kysely), close: () => database.close() }
    },
    session: async () => {
      const open = isPostgres ? openPostgresSession : openMysqlSession
      const session = await open({ url: place.url, password: undefined, timeout: 5000 })
      return { ask: () => session.run(LARGE), close: () => session.close() }
    },
    records: () => {
      const open = isPostgres ? openPostgresDatabase : openMysqlDatabase
      const at = { dialect, server: place.url }
      const database = open(place.url, { place: at, connections: 1, timeout: 5000, password: undefined })
      return Promise.resolve({
        ask: () => database.session.rows(LARGE),
        close: () => database.close(),
      })
    },
  }

  it.each(Object.keys(WAYS) as (keyof typeof WAYS)[])(
    'of the %s are counted while they are open, and their bytes for good',
    async (way) => {
      const before = networkCounters()
      const { ask, close } = await WAYS[way]()
      await ask()
      const during = networkCounters()
      expect(during.databases - before.databases).toBe(1)
      expect(during.receivedBytes - before.receivedBytes).toBeGreaterThan(1_000_000)
      expect(during.receivedBytes - before.receivedBytes).toBeLessThan(1_100_000)
      expect(during.sentBytes - before.sentBytes).toBeGreaterThan(LARGE.length)
      await close()
      await settle()
      const after = networkCounters()
      expect(after.databases).toBe(before.databases)
      expect(after.receivedBytes - before.receivedBytes).toBeGreaterThan(1_000_000)
    },
  )

  it('and bytes of a pass are in its ledger, and on its page', async () => {
    const site = new Site({ more: `ledger:\n  url: "${place.url}"` })
    const served = new Served(site.config)
    try {
      site.record(1)
      expect(site.archiver('--incremental').status).toBe(0)
      const database = await place.open()
      const from = isPostgres ? 'tasker.process_metrics' : 'process_metrics'
      const { rows } = await sql
        .raw<Record<string, unknown>>(`SELECT net_rx_bytes, net_tx_bytes, db_connections FROM ${from}`)
        .execute(database.kysely)
      const last = rows.at(-1) ?? {}
      expect(Number(last['net_rx_bytes'])).toBeGreaterThan(100)
      expect(Number(last['net_tx_bytes'])).toBeGreaterThan(100)
      expect(Number(last['db_connections'])).toBeGreaterThan(0)
      // A second measure, so that there is a rate.
      await sql
        .raw(
          `INSERT INTO ${from} (run_id, at, net_rx_bytes, net_tx_bytes, db_connections)
           SELECT run_id, '2037-01-01 00:00:00', 900000000000, 900000000000, 3 FROM ${from} ${isPostgres ? '' : 'm'} LIMIT 1`,
        )
        .execute(database.kysely)
      await database.close()
      await served.start()
      const page = (await served.send('GET', '/executions/1')).text
      expect(page).toContain('Received over HTTP and SQL, MB/s')
      expect(page).toContain('Connections to databases: 3')
      const { json } = await served.send('GET', '/api/v1/executions/1/metrics')
      expect(JSON.stringify(json)).toContain('"databaseConnections":3')
    } finally {
      await served.remove()
      site.remove()
    }
  }, 120_000)
})
