import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FORCEABLE } from '../../src/rows/preflight/problem.ts'
import { startMariadb } from './mariadb.ts'
import { range, serverAnswers, Site } from './servers.ts'

const isThere = await serverAnswers('mysql')
const ALL = new Set(FORCEABLE)

// Each case was a way to lose or change rows that no statement of a batch saw, or is one that must never be.
describe.skipIf(!isThere)('a MariaDB table that hides something', () => {
  let site: Site
  beforeEach(async () => {
    site = await Site.make('mysql')
    site.file('ids.csv', range(1, 20))
  })
  afterEach(async () => site.drop())

  const placesOf = (user: string) => {
    const url = new URL(site.url)
    url.username = user
    return {
      source: { url: url.href, password: undefined, timeout: 10_000 },
      archive: undefined,
      log: undefined,
    }
  }

  it('refuses, however forced, an archive whose rows go with the live ones', async () => {
    await site.fill(20)
    await site.sql('ALTER TABLE ra ADD FOREIGN KEY (id) REFERENCES r (id) ON DELETE CASCADE')
    await expect(site.move({ forced: ALL })).rejects.toThrow(/the archive's own rows would go/)
    expect([await site.count('r'), await site.count('ra')]).toEqual([20, 0])
  })

  it('keeps its live rows, when forced, where a cascade reaches the archive through another table', async () => {
    await site.fill(20)
    await site.sql(
      'CREATE TABLE middle (id BIGINT PRIMARY KEY, FOREIGN KEY (id) REFERENCES r (id) ON DELETE CASCADE)',
      'INSERT INTO middle SELECT id FROM r',
      'ALTER TABLE ra ADD FOREIGN KEY (id) REFERENCES middle (id) ON DELETE CASCADE',
    )
    const before = await site.whole()
    const { error } = await site.move({ forced: ALL })
    expect(error?.message).toMatch(/after the delete/)
    expect(await site.whole()).toEqual({ ...before, both: 0 })
  })

  it.each([
    { what: 'deletes the copy', body: 'DELETE FROM ra WHERE id = OLD.id' },
    { what: 'changes the copy', body: "UPDATE ra SET t = 'changed' WHERE id = OLD.id" },
  ])('keeps its live rows, when forced, where a trigger of the delete $what', async ({ body }) => {
    await site.fill(20)
    await site.sql(`CREATE TRIGGER gone AFTER DELETE ON r FOR EACH ROW ${body}`)
    const before = await site.whole()
    expect(await site.move({ forced: ALL })).toMatchObject({ status: 'FAILED' })
    expect(await site.whole()).toEqual({ ...before, both: 0 })
  })

  it('keeps its live rows, when forced, where a trigger changes the copy', async () => {
    await site.fill(20)
    await site.sql('CREATE TRIGGER cut BEFORE INSERT ON ra FOR EACH ROW SET NEW.t = UPPER(NEW.t)')
    const before = await site.whole()
    expect(await site.move({ forced: ALL })).toMatchObject({ status: 'FAILED' })
    expect(await site.whole()).toEqual({ ...before, both: 0 })
  })

  describe('from a user with few rights', () => {
    const user = `rows_user_${process.pid}`
    const grant = (...rights: readonly string[]) =>
      site.sql(...rights.map((right) => `GRANT ${right} TO '${user}'@'127.0.0.1'`))
    beforeEach(async () => {
      await site.fill(20)
      await site.sql(`CREATE USER '${user}'@'127.0.0.1'`)
      for (const table of ['r', 'ra'])
        await grant(`SELECT, INSERT, DELETE, UPDATE ON ${site.database}.${table}`)
      await grant(`CREATE, ALTER, INDEX, REFERENCES ON ${site.database}.*`)
      for (const table of ['process_logs', 'file_processing_logs', 'batch_processing_logs', 'row_conflicts'])
        await grant(`CREATE, SELECT, INSERT, DELETE, UPDATE ON ${site.database}.${table}`)
    })
    afterEach(() => site.sql(`DROP USER '${user}'@'127.0.0.1'`))
    const places = () => placesOf(user)

    it('is refused where its triggers cannot be seen', async () => {
      await grant('PROCESS ON *.*')
      await site.sql('CREATE TRIGGER audit AFTER DELETE ON r FOR EACH ROW SET @gone = OLD.id')
      await expect(site.move({ places: places() })).rejects.toThrow(
        /the user may not see triggers of .*\.r\b/,
      )
      for (const table of ['r', 'ra']) await grant(`TRIGGER ON ${site.database}.${table}`)
      await expect(site.move({ places: places() })).rejects.toThrow(/the trigger audit runs at each DELETE/)
      await site.sql('DROP TRIGGER audit')
      expect(await site.move({ places: places() })).toMatchObject({ status: 'COMPLETED' })
    })

    it('is refused where children cannot be seen, wherever they are', async () => {
      for (const table of ['r', 'ra']) await grant(`TRIGGER ON ${site.database}.${table}`)
      const other = `${site.database}_other`
      await site.sql(
        `CREATE DATABASE ${other}`,
        `CREATE TABLE ${other}.child (parent BIGINT, FOREIGN KEY (parent) REFERENCES ${site.database}.r (id) ON DELETE CASCADE)`,
        `INSERT INTO ${other}.child SELECT id FROM r`,
      )
      try {
        await expect(site.move({ places: places() })).rejects.toThrow(
          /the user may not see which tables refer to/,
        )
        await grant('PROCESS ON *.*')
        await expect(site.move({ places: places() })).rejects.toThrow(
          /rows of .*child would go with their parents/,
        )
        expect(await site.count(`${other}.child`)).toBe(20)
      } finally {
        await site.sql(`DROP DATABASE ${other}`)
      }
      expect(await site.move({ places: places() })).toMatchObject({ status: 'COMPLETED' })
    })

    it('loses no column that the user may not see', async () => {
      await grant('PROCESS ON *.*')
      for (const table of ['r', 'ra']) await grant(`TRIGGER ON ${site.database}.${table}`)
      await site.sql(
        `REVOKE SELECT, INSERT, UPDATE ON ${site.database}.r FROM '${user}'@'127.0.0.1'`,
        `REVOKE SELECT, INSERT, UPDATE, DELETE ON ${site.database}.ra FROM '${user}'@'127.0.0.1'`,
      )
      await grant(`SELECT (id, t), UPDATE (id) ON ${site.database}.r`)
      await grant(`SELECT (id, t), INSERT (id, t), UPDATE (id) ON ${site.database}.ra`)
      const before = await site.whole()
      await site.move({ places: places(), forced: ALL }).catch(() => undefined)
      expect(await site.whole()).toEqual({ ...before, both: 0 })
    })
  })

  it('tells texts of a key apart that its collation calls equal', async () => {
    for (const table of ['r', 'ra'])
      await site.sql(
        `CREATE TABLE ${table} (id VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, t INT)`,
      )
    await site.sql(
      "INSERT INTO r VALUES ('ABC', 1), ('def', 2), ('x', 3)",
      "INSERT INTO ra VALUES ('abc', 1)",
    )
    site.file('ids.csv', ['ABC', 'def', 'X'])
    expect(await site.move()).toMatchObject({
      status: 'PARTIAL',
      counts: { requested: 3, moved: 1, conflicts: 1, notFound: 1 },
    })
    expect(await site.rows('SELECT id FROM r ORDER BY id')).toEqual([{ id: 'ABC' }, { id: 'x' }])
    expect(await site.rows('SELECT id FROM ra ORDER BY id')).toEqual([{ id: 'abc' }, { id: 'def' }])
  })

  it('keeps what a zero date, an invisible column and a system of versions hold', async () => {
    const columns = 'id BIGINT PRIMARY KEY, d DATE, dt DATETIME(3), hidden INT INVISIBLE DEFAULT 7'
    await site.sql(`CREATE TABLE r (${columns})`, `CREATE TABLE ra (${columns})`)
    await site.sql(
      "INSERT INTO r (id, d, dt, hidden) VALUES (1, '0000-00-00', '2024-02-31 00:00:00', 42), (2, NULL, '0000-00-00', NULL)",
    )
    expect(await site.move()).toMatchObject({ status: 'COMPLETED', counts: { moved: 2 } })
    expect(await site.rows('SELECT CONCAT(d) AS d, CONCAT(dt) AS dt, hidden FROM ra ORDER BY id')).toEqual([
      { d: '0000-00-00', dt: '2024-02-31 00:00:00.000', hidden: '42' },
      { d: null, dt: '0000-00-00 00:00:00.000', hidden: null },
    ])
    await site.sql('ALTER TABLE ra ADD SYSTEM VERSIONING')
    await expect(site.move({ forced: ALL })).rejects.toThrow(
      /keeps old versions of its rows \(WITH SYSTEM VERSIONING\)/,
    )
  })
})

/** Defaults that another server may have, each of them meant to harm. */
const odd = await startMariadb(
  '--completion-type=CHAIN',
  '--autocommit=0',
  '--sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH',
  '--max-statement-time=0.5',
  '--init-connect=SET sql_select_limit = 7, sql_auto_is_null = 1, sql_big_selects = 0, foreign_key_checks = 0, tx_read_only = 1',
  '--skip-name-resolve',
)

describe.skipIf(odd === undefined)('a MariaDB server with odd defaults', () => {
  it('moves every row and finishes its log all the same', async () => {
    const site = await Site.make('mysql', odd?.url)
    try {
      await site.fill(2000)
      await site.sql(
        'INSERT INTO ra SELECT * FROM r WHERE id % 2 = 0',
        "UPDATE ra SET t = 'other' WHERE id > 1990",
        "CREATE USER app@'%'",
        "GRANT ALL ON *.* TO app@'%'",
        "REVOKE SUPER, CONNECTION ADMIN ON *.* FROM app@'%'",
        'COMMIT',
      )
      site.file('ids.csv', range(1, 2000))
      const url = site.url.replace('root@', 'app@')
      const places = {
        source: { url, password: undefined, timeout: 10_000 },
        archive: undefined,
        log: undefined,
      }
      const outcome = await site.move({ places, batchSize: 500 })
      expect(outcome).toMatchObject({
        status: 'PARTIAL',
        counts: { requested: 2000, moved: 1000, alreadyArchivedLive: 995, conflicts: 5 },
      })
      expect(await site.count('r')).toBe(5)
      expect(await site.count('ra')).toBe(2000)
      expect(await site.rows('SELECT status FROM process_logs')).toEqual([{ status: 'PARTIAL' }])
    } finally {
      await site.drop()
    }
  })
})
