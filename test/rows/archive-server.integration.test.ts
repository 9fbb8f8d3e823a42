import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startMariadb } from './mariadb.ts'
import { range, serverAnswers, Site } from './servers.ts'

// Its tables have 28 MB, all together.
const second = await startMariadb(
  '--server-id=9',
  '--log-bin=bin',
  '--sync-binlog=0',
  '--skip-innodb-file-per-table',
  '--innodb-data-file-path=ibdata1:12M;ibdata2:16M',
)
const isThere = second !== undefined && (await serverAnswers('mysql'))
if (!isThere) console.warn('SKIPPED: no second MariaDB: an archive whose server fails is not tried')

describe.skipIf(!isThere)("an archive's own MariaDB server", () => {
  let site: Site
  let other: Site
  beforeEach(async () => {
    site = await Site.make('mysql')
    other = await Site.make('mysql', second?.url)
    await other.fill(0)
    await other.sql('SET GLOBAL sync_binlog = 1')
  })
  afterEach(async () => {
    await other.sql('SET GLOBAL sync_binlog = 0, GLOBAL read_only = 0')
    await site.drop()
    await other.drop()
  })
  /** Moves all rows; `before` each batch something happens to the server. */
  const move = (url = other.url, before: (batch: number) => Promise<void> = () => Promise.resolve()) => {
    let batch = 0
    return site.move({
      batchSize: 1000,
      places: {
        source: { url: site.url, password: undefined, timeout: 10_000 },
        archive: { url, password: undefined, timeout: 10_000 },
        log: undefined,
      },
      gate: {
        ready: () => Promise.resolve(),
        pass: async () => {
          await before(++batch)
          return { lag: 0, hll: 0, throttledMs: 0, reason: undefined, cause: undefined, end: undefined }
        },
        rest: () => 0,
        lags: new Map(),
        close: () => Promise.resolve(),
      },
    })
  }
  /** The room that is left in the tablespace of all tables. */
  const freeBytes = async (): Promise<number> => {
    const free =
      "SELECT DATA_FREE AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ra'"
    return Number((await other.rows(free))[0]?.['n'])
  }
  /** Every id is in one table or in both, as it was. */
  const assertWhole = async (count: number): Promise<void> => {
    const all = 'SELECT id, t, n, d FROM r ORDER BY id'
    const [live, kept] = [await site.rows(all), await other.rows(all.replace('FROM r ', 'FROM ra '))]
    const rows = new Map([...kept, ...live].map((row) => [Number(row['id']), row['t']]))
    expect(rows.size).toBe(count)
    expect([...rows].every(([id, text]) => text === `row ${id}`)).toBe(true)
  }

  it('is refused where a power cut could undo what it committed: its binary log is not synced', async () => {
    await site.fill(20)
    site.file('ids.csv', range(1, 20))
    await other.sql('SET GLOBAL sync_binlog = 0')
    await expect(move()).rejects.toThrow(/sync_binlog is 0/)
    expect(await site.count('r')).toBe(20)
    await other.sql('SET GLOBAL sync_binlog = 1')
    expect(await move()).toMatchObject({ status: 'COMPLETED' })
  })

  it('that becomes read-only in the middle ends the run and loses nothing; the next run goes on', async () => {
    await site.fill(4000)
    site.file('ids.csv', range(1, 4000))
    await other.sql(
      "CREATE OR REPLACE USER app@'127.0.0.1' IDENTIFIED BY 'x'",
      `GRANT ALL ON ${other.database}.* TO app@'127.0.0.1'`,
      "GRANT REPLICA MONITOR ON *.* TO app@'127.0.0.1'",
    )
    const url = other.url.replace('root@', 'app:x@')
    const outcome = await move(url, async (batch) => {
      if (batch === 3) await other.sql('SET GLOBAL read_only = 1')
    })
    expect([outcome.status, outcome.error?.message]).toEqual(['FAILED', expect.stringMatching(/read-only/)])
    expect([await site.count('r'), await other.count('ra')]).toEqual([2000, 2000])
    await assertWhole(4000)
    await other.sql('SET GLOBAL read_only = 0')
    const next = await move(url)
    expect([next.status, next.error?.message]).toEqual(['COMPLETED', undefined])
    expect([await site.count('r'), await other.count('ra')]).toEqual([0, 4000])
  })

  it('whose disk is full ends the run and loses nothing; with room, the next run goes on', async () => {
    await other.sql('CREATE TABLE ballast (id INT AUTO_INCREMENT PRIMARY KEY, t LONGTEXT)')
    while ((await freeBytes()) > 3_500_000)
      await other.sql("INSERT INTO ballast (t) VALUES (REPEAT('x', 300000))")
    await site.fill(40_000)
    site.file('ids.csv', range(1, 40_000))
    const outcome = await move()
    expect([outcome.status, outcome.error?.message]).toEqual(['FAILED', expect.stringMatching(/is full/)])
    expect(await site.count('r')).toBeGreaterThan(0)
    await assertWhole(40_000)
    await other.sql('DROP TABLE ballast')
    // The server gives the room back in the background.
    await vi.waitFor(async () => expect(await freeBytes()).toBeGreaterThan(8_000_000), 30_000)
    const next = await move()
    expect([next.status, next.error?.message]).toEqual(['COMPLETED', undefined])
    expect([await site.count('r'), await other.count('ra')]).toEqual([0, 40_000])
    await assertWhole(40_000)
  })
})
