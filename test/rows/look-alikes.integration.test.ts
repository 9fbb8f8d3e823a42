import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FORCEABLE } from '../../src/rows/preflight/problem.ts'
import { startMariadb } from './mariadb.ts'
import { range, serverAnswers, Site } from './servers.ts'

const ALL = new Set(FORCEABLE)
const own = await startMariadb()

describe.skipIf(own === undefined || !(await serverAnswers('mysql')))(
  'an ENUM of MariaDB that is invalid',
  () => {
    let site: Site
    let other: Site
    beforeEach(async () => {
      site = await Site.make('mysql')
      other = await Site.make('mysql', own?.url)
      const columns = "(id INT PRIMARY KEY, e ENUM('a', '', 'b'), s SET('x', 'y')) CHARACTER SET utf8mb4"
      await site.sql(`CREATE TABLE r ${columns}`, `CREATE TABLE ra ${columns}`)
      await other.sql(`CREATE TABLE ra ${columns}`)
      // Without the strict mode a value that is none is stored as 0, whose text is that of the empty member.
      await site.sql(
        "SET sql_mode = ''",
        "INSERT IGNORE INTO r VALUES (1, 'none', 'x,y'), (2, '', ''), (3, NULL, NULL)",
      )
      site.file('ids.csv', range(1, 3))
    })
    afterEach(async () => {
      await site.drop()
      await other.drop()
    })
    const live = () => site.rows('SELECT id, CAST(e AS UNSIGNED) AS e FROM r ORDER BY id')

    it('is archived as it is', async () => {
      expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 3 } })
      expect(await site.rows('SELECT CAST(e AS UNSIGNED) AS e, s FROM ra ORDER BY id')).toEqual([
        { e: '0', s: 'x,y' },
        { e: '2', s: '' },
        { e: null, s: null },
      ])
    })

    it('is not taken for an empty member', async () => {
      await site.sql("INSERT INTO ra VALUES (1, '', 'x,y')")
      expect(await site.move()).toMatchObject({ status: 'PARTIAL', counts: { moved: 2, conflicts: 1 } })
      expect(await live()).toEqual([{ id: '1', e: '0' }])
      const [conflict] = await site.rows('SELECT differing_columns AS d, src_row, dst_row FROM row_conflicts')
      expect(conflict).toMatchObject({ d: 'e', dst_row: '{"id":"1","e":"","s":"x,y"}' })
    })

    it.each([
      { what: 'fails, and stays live', twin: '', says: { status: 'FAILED' } },
      {
        what: 'is not taken for an empty member',
        twin: "(1, '', 'x,y')",
        says: { status: 'PARTIAL', counts: { moved: 2, conflicts: 1 } },
      },
    ])('$what, on another server', async ({ twin, says }) => {
      if (twin !== '') await other.sql(`INSERT INTO ra VALUES ${twin}`)
      const at = (url: string) => ({ url, password: undefined, timeout: 10_000 })
      const places = { source: at(site.url), archive: at(other.url), log: undefined }
      expect(await site.move({ places })).toMatchObject(says)
      expect((await live())[0]).toEqual({ id: '1', e: '0' })
    })
  },
)

describe.skipIf(own === undefined)('an archive that only this connection sees', () => {
  it('is refused: it is gone with the connection, and the rows with it', async () => {
    const site = await Site.make('mysql', own?.url)
    try {
      await site.fill(20)
      await site.sql(
        "CREATE USER app@'%'",
        "GRANT ALL ON *.* TO app@'%'",
        "REVOKE SUPER, CONNECTION ADMIN ON *.* FROM app@'%'",
        `SET GLOBAL init_connect = 'CREATE TEMPORARY TABLE ${site.database}.ra SELECT * FROM ${site.database}.r WHERE 1 = 0'`,
      )
      site.file('ids.csv', range(1, 20))
      const source = { url: site.url.replace('root@', 'app@'), password: undefined, timeout: 10_000 }
      const places = { source, archive: undefined, log: undefined }
      await expect(site.move({ places, forced: ALL })).rejects.toThrow(/ra is a temporary table, not a table/)
      expect(await site.count('r')).toBe(20)
    } finally {
      await site.sql("SET GLOBAL init_connect = ''")
      await site.drop()
    }
  })
})

describe.skipIf(!(await serverAnswers('postgres')))('a PostgreSQL archive', () => {
  let site: Site
  beforeEach(async () => {
    site = await Site.make('postgres')
  })
  afterEach(async () => site.drop())

  it('that excludes rows like its own keeps them as conflicts, and the others are moved', async () => {
    for (const table of ['r', 'ra']) await site.sql(`CREATE TABLE ${table} (id INT PRIMARY KEY, v int4range)`)
    await site.sql(
      'ALTER TABLE ra ADD EXCLUDE USING gist (v WITH &&)',
      "INSERT INTO r VALUES (1, '[1,5)'), (2, '[3,8)'), (3, '[10,11)'), (4, '[20,30)')",
      "INSERT INTO ra VALUES (9, '[25,26)')",
    )
    site.file('ids.csv', range(1, 4))
    expect(await site.move()).toMatchObject({ status: 'PARTIAL', counts: { moved: 2, conflicts: 2 } })
    expect(await site.rows('SELECT id FROM r ORDER BY id')).toEqual([{ id: '2' }, { id: '4' }])
  })

  it('of which a subscription fills a partition is refused', async () => {
    await site.fill(20)
    const name = `rows_${site.database}`
    await site.sql(
      'DROP TABLE ra',
      'CREATE TABLE ra (LIKE r INCLUDING ALL) PARTITION BY RANGE (id)',
      'CREATE TABLE ra_all PARTITION OF ra DEFAULT',
      `CREATE SUBSCRIPTION ${name} CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false, slot_name = NONE)`,
      `INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, 'ra_all'::regclass, 'r' FROM pg_subscription WHERE subname = '${name}'`,
    )
    try {
      site.file('ids.csv', range(1, 20))
      await expect(site.move({ forced: ALL })).rejects.toThrow(/ra is replicated into from another server/)
    } finally {
      await site.sql(`DROP SUBSCRIPTION ${name}`)
    }
    expect(await site.count('r')).toBe(20)
  })
})
