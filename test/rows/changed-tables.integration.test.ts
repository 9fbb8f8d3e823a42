import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIALECTS, range, serverAnswers, Site } from './servers.ts'

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)

  describe.skipIf(!isThere)(`a ${name} table that is changed while its rows are moved`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(300)
      site.file('ids.csv', range(1, 300))
    })
    afterEach(async () => site.drop())

    /** A gate that changes the table before the second batch. */
    const changing = (...statements: readonly string[]) => {
      let passes = 0
      const free = { lag: 0, hll: 0, throttledMs: 0, reason: undefined, cause: undefined, end: undefined }
      return {
        ready: () => Promise.resolve(),
        pass: async () => {
          passes += 1
          if (passes === 2) await site.sql(...statements)
          return free
        },
        rest: () => 0,
        lags: new Map<string, number | undefined>(),
        close: () => Promise.resolve(),
      }
    }
    const ADDED = ['ALTER TABLE r ADD COLUMN x INT', 'UPDATE r SET x = id']

    it.each([{ conflicts: 'no conflict' }, { conflicts: 'a conflict' }])(
      'stops before it loses the values of a new column, where its batches have $conflicts',
      async ({ conflicts }) => {
        if (conflicts === 'a conflict')
          await site.sql("INSERT INTO ra (id, t) VALUES (50, 'other'), (150, 'other'), (250, 'other')")
        const outcome = await site.move({ gate: changing(...ADDED) })
        expect(outcome.status).toBe('FAILED')
        expect(outcome.error?.message).toMatch(/\.r is not what it was when the run began/)
        expect(await site.count('r', 'x IS NOT NULL')).toBe(conflicts === 'a conflict' ? 201 : 200)
        await site.sql('ALTER TABLE ra ADD COLUMN x INT')
        await site.move()
        expect(await site.count('ra', 'x = id')).toBe(conflicts === 'a conflict' ? 198 : 200)
      },
    )

    it('stops as well where rows are only copied', async () => {
      const outcome = await site.move({ mode: 'copy', gate: changing(...ADDED) })
      expect(outcome).toMatchObject({ status: 'FAILED', counts: { moved: 100 } })
      expect(outcome.error?.message).toMatch(/\.r is not what it was when the run began/)
      expect(await site.count('ra')).toBe(100)
    })

    it('stops as well where two connections move the rows', async () => {
      const at = { url: site.url, password: undefined, timeout: 10_000 }
      const other = await Site.make(name)
      try {
        await other.fill(0)
        const outcome = await site.move({
          places: { source: at, archive: { ...at, url: other.url }, log: undefined },
          archiveTable: name === 'mysql' ? `${other.database}.ra` : 'ra',
          gate: changing(...ADDED),
        })
        expect(outcome.error?.message).toMatch(/\.r is not what it was when the run began/)
        expect(await site.count('r', 'x = id')).toBe(200)
      } finally {
        await other.drop()
      }
    })

    const isMysql = name === 'mysql'
    const says = /\.ra? is not what it was when the run began|does not keep the row/
    /** A trigger by its event, and what it does. */
    const trigger = (when: string, table: string, act: string): string[] =>
      isMysql
        ? [`CREATE TRIGGER late ${when} ON ${table} FOR EACH ROW ${act}`]
        : [
            `CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${act}; RETURN NULL; END $$`,
            `CREATE TRIGGER late ${when} ON ${table} FOR EACH ROW EXECUTE FUNCTION late()`,
          ]
    const changes: readonly { what: string; statements: readonly string[]; only?: typeof name }[] = [
      {
        what: 'a trigger that takes the archived row with the live one',
        statements: trigger('AFTER DELETE', 'r', 'DELETE FROM ra WHERE id = OLD.id'),
      },
      {
        what: 'a trigger that runs at each copy',
        statements: trigger('AFTER INSERT', 'ra', 'INSERT INTO kids VALUES (NEW.id + 1000, NULL)'),
      },
      {
        what: 'a trigger that takes the archived row at the commit',
        only: 'postgres',
        statements: [
          `CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM ra WHERE id = NEW.id; RETURN NULL; END $$`,
          `CREATE CONSTRAINT TRIGGER late AFTER INSERT ON ra DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()`,
        ],
      },
      {
        what: 'children that go with their parents',
        statements: [
          'ALTER TABLE kids ADD CONSTRAINT late FOREIGN KEY (parent) REFERENCES r (id) ON DELETE CASCADE',
        ],
      },
      {
        what: 'a foreign key by which the archived rows go with the live ones',
        statements: isMysql
          ? [
              'SET SESSION foreign_key_checks = 0',
              'ALTER TABLE ra ADD CONSTRAINT late FOREIGN KEY (id) REFERENCES r (id) ON DELETE CASCADE',
              'SET SESSION foreign_key_checks = 1',
            ]
          : [
              'ALTER TABLE ra ADD CONSTRAINT late FOREIGN KEY (id) REFERENCES r (id) ON DELETE CASCADE NOT VALID',
            ],
      },
      {
        what: 'an archive that has become a view of the live table',
        statements: ['ALTER TABLE ra RENAME TO kept', 'CREATE VIEW ra AS SELECT * FROM r'],
      },
      {
        what: 'an archive that a crash empties',
        statements: [isMysql ? 'ALTER TABLE ra ENGINE = MEMORY' : 'ALTER TABLE ra SET UNLOGGED'],
      },
      {
        what: 'an archive with narrower columns',
        statements: [`ALTER TABLE ra ${isMysql ? 'MODIFY d FLOAT' : 'ALTER COLUMN d TYPE real'}`],
      },
    ]
    describe.each([
      { path: 'whose batches move all their rows', twins: [] },
      { path: 'whose batches have twins', twins: [50, 150, 250] },
    ])('by a run $path', ({ twins }) => {
      it.each(changes.filter(({ only = name }) => only === name))(
        'loses no row, and stops, where it gets $what',
        async ({ statements }) => {
          await site.sql('CREATE TABLE kids (id INT PRIMARY KEY, parent BIGINT)')
          await site.sql('INSERT INTO kids SELECT id, id FROM r WHERE id > 100')
          for (const id of twins) await site.sql(`INSERT INTO ra SELECT * FROM r WHERE id = ${id}`)
          const outcome = await site.move({ gate: changing(...statements) })
          expect([outcome.status, outcome.error?.message]).toEqual(['FAILED', expect.stringMatching(says)])
          expect(await site.count('r', 'id > 100')).toBe(200)
          expect(await site.count('kids')).toBe(200)
          expect(outcome.counts.requested).toBe(100)
        },
      )
    })

    it('stops where a table with an odd name gets children that go with their parents', async () => {
      const odd = isMysql ? '`a-b c`' : '"a-b c"'
      const kept = isMysql ? '`a-b kept`' : '"a-b kept"'
      await site.sql(
        `CREATE TABLE ${kept} AS SELECT * FROM r WHERE 1 = 0`,
        `ALTER TABLE ${kept} ADD PRIMARY KEY (id)`,
        `CREATE TABLE ${odd} AS SELECT * FROM r`,
        `ALTER TABLE ${odd} ADD PRIMARY KEY (id)`,
        'CREATE TABLE kids (id INT PRIMARY KEY, parent BIGINT)',
        'INSERT INTO kids SELECT id, id FROM r WHERE id > 100',
      )
      const outcome = await site.move({
        table: 'a-b c',
        archiveTable: 'a-b kept',
        gate: changing(
          `ALTER TABLE kids ADD CONSTRAINT late FOREIGN KEY (parent) REFERENCES ${odd} (id) ON DELETE CASCADE`,
        ),
      })
      expect(outcome.error?.message).toMatch(/a-b c is not what it was when the run began/)
      expect(await site.count('kids')).toBe(200)
    })

    it('stops where another table has taken its name', async () => {
      const outcome = await site.move({
        gate: changing(
          'CREATE TABLE fresh (id BIGINT PRIMARY KEY, t VARCHAR(40), n DECIMAL(12,2), d DOUBLE PRECISION, more INT)',
          'INSERT INTO fresh SELECT id, t, n, d, 7 FROM r',
          'ALTER TABLE r RENAME TO old',
          'ALTER TABLE fresh RENAME TO r',
        ),
      })
      expect(outcome.status).toBe('FAILED')
      expect(await site.count('r', 'more = 7')).toBe(200)
    })
  })
}
