import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FORCEABLE } from '../../src/rows/preflight/problem.ts'
import { openSession } from '../../src/sql/open-session.ts'
import type { Session } from '../../src/sql/session.ts'
import { startMariadb } from './mariadb.ts'
import { range, Site, startArchiver } from './servers.ts'

const primary = await startMariadb('--server-id=1', '--log-bin=bin', '--binlog-format=ROW')
const second = await startMariadb('--server-id=2', '--log-bin=bin', '--binlog-format=ROW', '--sync-binlog=1')
if (!primary || !second) console.warn('SKIPPED: MariaDB is not installed: no replica is watched')

const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000))

const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 600; tries++) {
    if (await holds().catch(() => false)) return
    await seconds(0.05)
  }
  throw new Error(`it never came to that: ${what}`)
}

describe.skipIf(!primary || !second)('a move whose server has a replica', () => {
  let replica: Session
  let site: Site
  beforeAll(async () => {
    replica = await openSession({ url: second?.url ?? '', password: undefined, timeout: 10_000 })
    const port = new URL(primary?.url ?? '').port
    await replica.run(
      `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port}, MASTER_USER = 'root', MASTER_CONNECT_RETRY = 1`,
    )
    await replica.run('START SLAVE')
  })
  afterAll(async () => replica.close())
  beforeEach(async () => {
    site = await Site.make('mysql', primary?.url)
    await site.fill(600)
    site.file('ids.csv', range(1, 600))
    await until('the replica follows', async () => (await copied('r')) === 600)
  })
  afterEach(async () => {
    await replica.run('START SLAVE SQL_THREAD')
    await site.drop()
  })
  const copied = async (table: string): Promise<number> =>
    Number((await replica.run(`SELECT count(*) AS n FROM ${site.database}.${table}`)).rows[0]?.['n'])
  const config = (more: object, url = `${second?.url.replace(/[^/]*$/, site.database)}`): string =>
    site.config({
      batch_size: 20,
      sleep: '50ms',
      throttle: { replicas: [url], max_replica_lag: '1s', check_interval: '100ms', ...more },
    })
  /** Stops the replica in the middle of a move; gives how many rows were moved while it stood, after it had time to lag, and the end. */
  const stopInTheMiddle = async (path: string) => {
    const { ended } = startArchiver(['rows', 'run', path])
    await until('rows are moved', async () => (await site.count('ra')) > 60)
    await replica.run('STOP SLAVE SQL_THREAD')
    await seconds(2)
    const from = await site.count('ra')
    await seconds(1)
    const moved = (await site.count('ra')) - from
    await replica.run('START SLAVE SQL_THREAD')
    return { moved, ...(await ended) }
  }

  it('is held back while the replica stands still, says why, and goes on by itself', async () => {
    const before = await site.whole()
    const { moved, code, out } = await stopInTheMiddle(config({}))
    expect({ moved, code }).toEqual({ moved: 0, code: 0 })
    expect(out).toMatch(/THROTTLED: replica_lag \d+\.\ds > 1s \(paused \d+s\)/)
    expect(await site.whole()).toEqual({ ...before, both: 0 })
    const held = await site.rows(
      "SELECT throttled_ms AS ms, throttle_reason AS why FROM batch_processing_logs WHERE throttle_reason LIKE 'replica_lag%'",
    )
    expect(held.length).toBeGreaterThan(0)
    expect(Number(held[0]?.['ms'])).toBeGreaterThan(500)
    await until(
      'the replica has it all',
      async () => (await copied('ra')) === 600 && (await copied('r')) === 0,
    )
  })

  it('is not held back without a limit, so that it is the limit that holds it', async () => {
    const { moved } = await stopInTheMiddle(site.config({ batch_size: 10, sleep: '100ms' }))
    expect(moved).toBeGreaterThan(0)
  })

  it('ends early and moves nothing where the replica does not answer', async () => {
    config({ max_pause: '1s' }, 'mysql://root@127.0.0.1:1/none')
    const { code, out } = await site.run()
    expect(code).toBe(1)
    expect(out).toMatch(/held back for too long: replica_lag unknown/)
    expect([await site.count('r'), await site.count('ra')]).toEqual([600, 0])
  })

  it('is refused where the archive is what the replica copies', async () => {
    const archive = { url: `${second?.url.replace(/[^/]*$/, site.database)}`, table: 'ra' }
    site.config({ archive_table: '', archive })
    const { code, err } = await site.run()
    expect(err).toMatch(/the archive's server is a replica/)
    expect({ code, left: await site.count('r') }).toEqual({ code: 78, left: 600 })
  })

  describe('and whose archive is on the replica', () => {
    const kept = (): string => `${site.database}_kept`
    const move = async (table: string, user = 'root', database = kept()) => {
      const url = `${second?.url.replace('root', user).replace(/[^/]*$/, database)}`
      const at = (address: string) => ({ url: address, password: undefined, timeout: 10_000 })
      const places = { source: at(site.url), archive: at(url), log: undefined }
      return site.move({ places, archiveTable: table, forced: new Set(FORCEABLE) })
    }
    beforeEach(async () => {
      await replica.run(`CREATE DATABASE ${kept()}`)
      await replica.run(`CREATE TABLE ${kept()}.ra LIKE ${site.database}.ra`)
    })
    afterEach(async () => {
      await replica.run(`DROP DATABASE ${kept()}`)
      expect(await site.count('r')).toBe(600)
    })

    it('is refused where archived rows would go with replicated deletes', async () => {
      await replica.run(
        `ALTER TABLE ${kept()}.ra ADD FOREIGN KEY (id) REFERENCES ${site.database}.r (id) ON DELETE CASCADE`,
      )
      await expect(move('ra')).rejects.toThrow(/archived rows would go with replicated deletes from r/)
    })

    it('is refused where the replica gives a database another name', async () => {
      await replica.run(`CREATE TABLE ${kept()}.r LIKE ${site.database}.r`)
      await replica.run('STOP SLAVE')
      await replica.run(`SET GLOBAL replicate_rewrite_db = '${site.database}->${kept()}'`)
      try {
        await expect(move('r')).rejects.toThrow(/the archive's server is a replica, and .*\.r as well/)
      } finally {
        await replica.run("SET GLOBAL replicate_rewrite_db = ''")
        await replica.run('START SLAVE')
      }
    })

    it('is refused where the user may not see that it is a replica', async () => {
      await replica.run("CREATE USER app@'%'")
      await replica.run("GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON *.* TO app@'%'")
      try {
        await expect(move('r', 'app', site.database)).rejects.toThrow(
          /may be a replica, which the user may not see, and .*\.r as well/,
        )
      } finally {
        await replica.run("DROP USER app@'%'")
      }
    })
  })

  it('is refused where the binary log has the format STATEMENT, and forced writes rows into it', async () => {
    const before = await site.whole()
    await site.sql("SET GLOBAL binlog_format = 'STATEMENT'")
    try {
      await expect(site.move()).rejects.toThrow(/; 1 reason:\n.*format STATEMENT/)
      const { status } = await site.move({ forced: new Set(['binlog'] as const) })
      expect(status).toBe('COMPLETED')
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      await until('the replica has the same', async () => (await copied('ra')) === 600)
    } finally {
      await site.sql("SET GLOBAL binlog_format = 'ROW'")
    }
  })

  it('is refused where a batch is larger than max_allowed_packet, and forced moves what fits', async () => {
    const before = await site.whole()
    await site.sql('SET GLOBAL max_allowed_packet = 16384')
    try {
      await expect(site.move({ batchSize: 2200 })).rejects.toThrow(/max_allowed_packet is 16384/)
      const { status } = await site.move({ batchSize: 2200, forced: new Set(['packet-size'] as const) })
      expect(status).toBe('COMPLETED')
      expect(await site.whole()).toEqual({ ...before, both: 0 })
      expect(await site.count('r')).toBe(0)
    } finally {
      await site.sql('SET GLOBAL max_allowed_packet = 16777216')
    }
  })
})
