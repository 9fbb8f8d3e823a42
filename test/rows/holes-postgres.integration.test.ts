import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FORCEABLE } from '../../src/rows/preflight/problem.ts'
import { openSession } from '../../src/sql/open-session.ts'
import { range, serverAnswers, Site } from './servers.ts'

const isThere = await serverAnswers('postgres')
const ALL = new Set(FORCEABLE)

// Each case was a way to lose or change rows that no statement of a batch saw.
describe.skipIf(!isThere)('a PostgreSQL table that hides something', () => {
  let site: Site
  beforeEach(async () => {
    site = await Site.make('postgres')
    site.file('ids.csv', range(1, 20))
  })
  afterEach(async () => site.drop())

  const placesOf = (user: string, archive?: string) => {
    const at = (url: string) => ({ url, password: undefined, timeout: 10_000 })
    const url = new URL(site.url)
    url.username = user
    return { source: at(url.href), archive: archive === undefined ? undefined : at(archive), log: undefined }
  }

  describe('such as an archive with heirs', () => {
    it('is refused: an heir may be a foreign table over the source, and each row its own twin', async () => {
      await site.fill(20)
      await site.sql('CREATE EXTENSION postgres_fdw')
      const { hostname, port, username, password } = new URL(site.url)
      await site.sql(
        `CREATE SERVER mirror FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${hostname}', port '${port}', dbname '${site.database}')`,
        `CREATE USER MAPPING FOR CURRENT_USER SERVER mirror OPTIONS (user '${username}', password '${password}', password_required 'false')`,
        "CREATE FOREIGN TABLE heir () INHERITS (ra) SERVER mirror OPTIONS (table_name 'r')",
      )
      await expect(site.move({ forced: ALL })).rejects.toThrow(/ra has the child table heir/)
      expect([await site.count('r'), await site.count('ONLY ra')]).toEqual([20, 0])
    })
  })

  describe('such as triggers of a partition', () => {
    beforeEach(async () => {
      await site.fill(20)
      await site.sql(
        'DROP TABLE ra',
        'CREATE TABLE ra (LIKE r INCLUDING ALL) PARTITION BY RANGE (id)',
        'CREATE TABLE ra_all PARTITION OF ra DEFAULT',
        'CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE ra SET t = NULL WHERE id = NEW.id; RETURN NULL; END $$',
        'CREATE TRIGGER cut AFTER INSERT ON ra_all FOR EACH ROW EXECUTE FUNCTION cut()',
      )
    })

    it('is refused like one whose own triggers run', async () => {
      await expect(site.move()).rejects.toThrow(/the trigger cut runs at each INSERT in public\.ra_all/)
    })

    it('keeps its live rows, when forced, where a trigger changes the copy after it was compared', async () => {
      const before = await site.whole()
      const { error } = await site.move({ forced: ALL })
      expect(error?.message).toMatch(/does not keep the row/)
      expect(await site.whole()).toEqual({ ...before, both: 0 })
    })
  })

  it.each([
    { what: 'deletes the copy', body: 'DELETE FROM ra WHERE id = OLD.id', when: '' },
    { what: 'changes the copy', body: "UPDATE ra SET t = 'changed' WHERE id = OLD.id", when: '' },
    { what: 'deletes the copy at the commit', body: 'DELETE FROM ra WHERE id = OLD.id', when: 'DEFERRED' },
  ])('keeps its live rows, when forced, where a trigger of the delete $what', async ({ body, when }) => {
    await site.fill(20)
    await site.sql(
      `CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NULL; END $$`,
      when === ''
        ? 'CREATE TRIGGER gone AFTER DELETE ON r FOR EACH ROW EXECUTE FUNCTION gone()'
        : 'CREATE CONSTRAINT TRIGGER gone AFTER DELETE ON r DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gone()',
    )
    const before = await site.whole()
    const { error } = await site.move({ forced: ALL })
    expect(error?.message).toMatch(/after the delete/)
    expect(await site.whole()).toEqual({ ...before, both: 0 })
  })

  it('refuses, however forced, an archive whose rows go with the live ones', async () => {
    await site.fill(20)
    await site.sql('ALTER TABLE ra ADD FOREIGN KEY (id) REFERENCES r (id) ON DELETE CASCADE')
    await expect(site.move({ forced: ALL })).rejects.toThrow(/the archive's own rows would go/)
    expect([await site.count('r'), await site.count('ra')]).toEqual([20, 0])
  })

  it('keeps its live rows, when forced, where a cascade reaches the archive through another table', async () => {
    await site.fill(20)
    await site.sql(
      'CREATE TABLE middle (id bigint PRIMARY KEY REFERENCES r (id) ON DELETE CASCADE)',
      'INSERT INTO middle SELECT id FROM r',
      'ALTER TABLE ra ADD FOREIGN KEY (id) REFERENCES middle (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED',
      'INSERT INTO ra SELECT * FROM r',
    )
    const { error } = await site.move({ forced: ALL })
    expect(error?.message).toMatch(/after the delete/)
    expect([await site.count('r'), await site.count('ra')]).toEqual([20, 20])
  })

  it('is refused where children go with the rows of one partition', async () => {
    await site.fill(0)
    await site.sql(
      'DROP TABLE r',
      'CREATE TABLE r (LIKE ra INCLUDING ALL) PARTITION BY RANGE (id)',
      'CREATE TABLE r_all PARTITION OF r DEFAULT',
      'CREATE TABLE child (parent bigint REFERENCES r_all (id) ON DELETE CASCADE)',
    )
    await site.insert(1, 20)
    await expect(site.move()).rejects.toThrow(/rows of child would go with their parents/)
  })

  it('is refused where one partition of the archive is unlogged', async () => {
    await site.fill(20)
    await site.sql(
      'DROP TABLE ra',
      'CREATE TABLE ra (LIKE r INCLUDING ALL) PARTITION BY RANGE (id)',
      'CREATE UNLOGGED TABLE ra_all PARTITION OF ra DEFAULT',
    )
    await expect(site.move({ forced: ALL })).rejects.toThrow(/ra_all is unlogged/)
  })

  describe('behind a role', () => {
    const role = `rows_role_${process.pid}`
    beforeEach(async () => {
      await site.fill(20)
      await site.sql(
        `CREATE ROLE ${role} LOGIN PASSWORD '${new URL(site.url).password}'`,
        `GRANT ALL ON r, ra TO ${role}`,
        `GRANT ALL ON SCHEMA public TO ${role}`,
      )
    })
    afterEach(() => site.sql(`DROP OWNED BY ${role} CASCADE`, `DROP ROLE ${role}`))

    it.each(['r', 'ra'])('is refused where row security hides rows of %s', async (table) => {
      await site.sql(
        `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
        `CREATE POLICY visible ON ${table} USING (id > 5)`,
      )
      await expect(site.move({ places: placesOf(role) })).rejects.toThrow(/row security|row-level security/)
      expect([await site.count('r'), await site.count('ra')]).toEqual([20, 0])
    })

    it('keeps its foreign keys where the role would skip them', async () => {
      await site.sql(
        `ALTER ROLE ${role} SET session_replication_role = replica`,
        'CREATE TABLE child (parent bigint REFERENCES r (id))',
        'INSERT INTO child VALUES (7)',
      )
      await site.move({ places: placesOf(role), forced: ALL }).catch((error: unknown) => error)
      expect(await site.count('child LEFT JOIN r ON r.id = parent', 'r.id IS NULL')).toBe(0)
    })

    it('works whatever the defaults of the role are', async () => {
      await site.sql(
        `ALTER ROLE ${role} SET statement_timeout = 1`,
        `ALTER ROLE ${role} SET default_transaction_read_only = on`,
        `ALTER ROLE ${role} SET default_transaction_isolation = 'serializable'`,
        `ALTER ROLE ${role} SET standard_conforming_strings = off`,
        `ALTER ROLE ${role} SET array_nulls = off`,
        `ALTER ROLE ${role} SET extra_float_digits = -5`,
        `ALTER ROLE ${role} SET client_encoding = 'SQL_ASCII'`,
      )
      const before = await site.whole()
      expect(await site.move({ places: placesOf(role) })).toMatchObject({ status: 'COMPLETED' })
      expect(await site.whole()).toEqual({ ...before, both: 0 })
    })

    it('gives a session each time, where the role allows a statement a millisecond on a busy server', async () => {
      await site.sql(`ALTER ROLE ${role} SET statement_timeout = 1`)
      const { source } = placesOf(role)
      for (let round = 0; round < 20; round++) {
        const opened = await Promise.allSettled(Array.from({ length: 40 }, () => openSession(source)))
        for (const one of opened) if (one.status === 'fulfilled') await one.value.close()
        expect(opened.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))).toEqual([])
      }
    })

    it("is compared by the server's own operators, whatever stands first in the search path", async () => {
      await site.sql(
        'CREATE SCHEMA evil',
        `GRANT USAGE ON SCHEMA evil TO ${role}`,
        "CREATE FUNCTION evil.yes(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'",
        'CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.yes)',
        "CREATE FUNCTION evil.record_image_eq(record, record) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END'",
        `ALTER ROLE ${role} SET search_path = evil, pg_catalog, public`,
        'INSERT INTO ra SELECT * FROM r WHERE id = 7',
        "UPDATE ra SET t = 'other' WHERE id = 7",
      )
      expect(await site.move({ places: placesOf(role) })).toMatchObject({
        status: 'PARTIAL',
        counts: { moved: 19, conflicts: 1 },
      })
      expect(await site.rows('SELECT t FROM r')).toEqual([{ t: 'row 7' }])
    })
  })

  it('keeps columns apart whose names differ only in case', async () => {
    await site.sql(
      'CREATE TABLE r (id bigint PRIMARY KEY, a text)',
      'CREATE TABLE ra (id bigint PRIMARY KEY, a text, "A" text)',
      "INSERT INTO r VALUES (1, 'small')",
    )
    expect(await site.move()).toMatchObject({ status: 'COMPLETED' })
    expect(await site.rows('SELECT a, "A" AS b FROM ra')).toEqual([{ a: 'small', b: null }])
    await site.sql('ALTER TABLE r ADD COLUMN "A" text', "INSERT INTO r VALUES (2, 'small', 'large')")
    site.file('more.csv', [2])
    expect(await site.move()).toMatchObject({ status: 'COMPLETED' })
    expect(await site.rows('SELECT a, "A" AS b FROM ra WHERE id = 2')).toEqual([{ a: 'small', b: 'large' }])
  })

  it.each([
    { what: 'blanks at the end of a bpchar', type: 'bpchar', live: "'a  '", archived: "'a'" },
    { what: 'what a cast to text leaves out', type: 'mood', live: "'sad'", archived: "'happy'" },
  ])('sees $what', async ({ type, live, archived }) => {
    await site.sql(
      "CREATE TYPE mood AS ENUM ('sad', 'happy')",
      "CREATE FUNCTION dull(mood) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'mood'::text $$",
      'CREATE CAST (mood AS text) WITH FUNCTION dull(mood)',
    )
    for (const table of ['r', 'ra'])
      await site.sql(`CREATE TABLE ${table} (id bigint PRIMARY KEY, c ${type})`)
    await site.sql(
      `INSERT INTO r VALUES (1, ${live}), (2, ${live})`,
      `INSERT INTO ra VALUES (1, ${archived})`,
    )
    expect(await site.move()).toMatchObject({ counts: { moved: 1, conflicts: 1 } })
    expect([await site.count('r', 'id = 1'), await site.count('ra')]).toEqual([1, 2])
  })

  it('is refused where the other database has an encoding with two codes for a character', async () => {
    const other = `${site.database}_japan`
    await site.sql(
      `CREATE DATABASE ${other} ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0`,
      'CREATE TABLE ra (id bigint PRIMARY KEY, t text COLLATE "C")',
    )
    const url = site.url.replace(/[^/]*$/, other)
    const japan = await openSession({ url, password: undefined, timeout: 10_000 })
    try {
      await japan.run('CREATE TABLE r (id bigint PRIMARY KEY, t text COLLATE "C")')
      await japan.run('CREATE TABLE ra (id bigint PRIMARY KEY, t text COLLATE "C")')
      await japan.run("INSERT INTO r VALUES (1, convert_from('\\xadf0', 'EUC_JP'))")
      const at = (place: string) => ({ url: place, password: undefined, timeout: 10_000 })
      const to = (archive: string | undefined) =>
        site.move({
          places: {
            source: at(url),
            archive: archive === undefined ? undefined : at(archive),
            log: undefined,
          },
        })
      const error = await to(site.url).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        code: 'ROWS_REFUSED',
        message: expect.stringContaining('EUC_JP') as string,
      })
      expect((await japan.run('SELECT 1 FROM r')).rows.length).toBe(1)
      expect(await to(undefined)).toMatchObject({ status: 'COMPLETED' })
      const { rows } = await japan.run("SELECT convert_to(t, 'EUC_JP')::text AS b FROM ra")
      expect(rows).toEqual([{ b: '\\xadf0' }])
    } finally {
      await japan.close()
      await site.sql(`DROP DATABASE ${other} WITH (FORCE)`)
    }
  })

  it('fails on two databases where a text is no text in any character set, and keeps the row', async () => {
    const other = `${site.database}_ascii`
    await site.sql(
      `CREATE DATABASE ${other} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0`,
    )
    const url = site.url.replace(/[^/]*$/, other)
    const ascii = await openSession({ url, password: undefined, timeout: 10_000 })
    try {
      await site.sql('CREATE TABLE ra (id bigint PRIMARY KEY, t text COLLATE "C")')
      await ascii.run('CREATE TABLE r (id bigint PRIMARY KEY, t text COLLATE "C")')
      await ascii.run("INSERT INTO r VALUES (1, E'caf\\xe9')")
      const places = {
        source: { url, password: undefined, timeout: 10_000 },
        archive: { url: site.url, password: undefined, timeout: 10_000 },
        log: undefined,
      }
      expect(await site.move({ places })).toMatchObject({ status: 'FAILED' })
      expect((await ascii.run('SELECT 1 FROM r')).rows.length).toBe(1)
    } finally {
      await ascii.close()
      await site.sql(`DROP DATABASE ${other} WITH (FORCE)`)
    }
  })
})
