import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogDatabase } from '../../../src/rows/log/log-database.ts'
import { LOG_TABLES } from '../../../src/rows/log/tables.ts'
import { openSession } from '../../../src/sql/open-session.ts'
import type { Session } from '../../../src/sql/session.ts'
import { DIALECTS, range, serverAnswers, Site } from '../servers.ts'

const TABLES = Object.keys(LOG_TABLES)

/** What the tables lack that an earlier version made, the oldest last: before the archive's server, before sources, and those of the original script. */
const OLDER: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'the version before': { process_logs: ['archive_server'] },
  'an early version': {
    process_logs: ['archive_server', 'source_name'],
    batch_processing_logs: [
      'held_back',
      'children_inserted',
      'children_deleted',
      'child_conflicts',
      'archive_file',
    ],
  },
}

for (const name of DIALECTS) {
  const isThere = await serverAnswers(name)
  if (!isThere) console.warn(`SKIPPED: no ${name} server answers: no upgrade of its log tables is killed`)

  describe.skipIf(!isThere)(`the upgrade of the log tables of ${name}`, () => {
    let site: Site
    beforeEach(async () => {
      site = await Site.make(name)
      await site.fill(300)
      site.file('ids.csv', range(1, 300))
      await site.sql("INSERT INTO ra (id, t) VALUES (250, 'other')")
      await site.move({ limitBatches: 2 })
      await site.move({ limitBatches: 1 })
    })
    afterEach(() => site.drop())

    const lacking = async (old: Readonly<Record<string, readonly string[]>>): Promise<void> => {
      for (const [table, columns] of Object.entries(old))
        for (const column of columns) await site.sql(`ALTER TABLE ${table} DROP COLUMN ${column}`)
    }
    /** Every row of every table, in the columns that the old form had. */
    const kept = async (old: Readonly<Record<string, readonly string[]>>): Promise<unknown> => {
      const found: Record<string, unknown> = {}
      for (const table of TABLES) {
        const names = LOG_TABLES[table]!.columns.map(([column]) => column).filter(
          (column) => old[table]?.includes(column) !== true,
        )
        found[table] = await site.rows(`SELECT ${names.join(', ')} FROM ${table} ORDER BY id`)
      }
      return found
    }
    const columns = async (): Promise<number> =>
      Number(
        (
          await site.rows(
            `SELECT COUNT(*) AS n FROM information_schema.columns WHERE table_schema = '${site.schema}' AND table_name IN (${TABLES.map((table) => `'${table}'`).join(', ')})`,
          )
        )[0]!['n'],
      )
    const ALL = TABLES.reduce((sum, table) => sum + LOG_TABLES[table]!.columns.length, 0)

    /** Does it on a connection that breaks before the statement of this number. False: it came to its end. */
    const killedAt = async (
      number: number,
      work: (session: Session) => Promise<unknown>,
    ): Promise<boolean> => {
      const session = await openSession({ url: site.url, password: undefined, timeout: 10_000 })
      let count = 0
      const dying = new Proxy(session, {
        get: (target, property) => {
          const value: unknown = Reflect.get(target, property)
          if (property !== 'run') return typeof value === 'function' ? (value.bind(target) as unknown) : value
          return async (sql: string, values?: readonly string[]) => {
            if (count++ >= number) {
              target.destroy()
              throw new Error('killed')
            }
            return target.run(sql, values)
          }
        },
      })
      try {
        await work(dying)
        await session.close()
        return false
      } catch (error) {
        expect(error).toMatchObject({ message: 'killed' })
        return true
      }
    }
    const upgrade = (session: Session): Promise<void> => new LogDatabase(session, site.schema).prepare()

    it.each(Object.keys(OLDER))(
      'from those of %s keeps every row, wherever it is killed, and the next start finishes it',
      async (version) => {
        const old = OLDER[version]!
        await lacking(old)
        const before = await kept(old)
        let kills = 0
        while (await killedAt(kills, upgrade)) {
          expect(await kept(old), `killed at statement ${kills}`).toEqual(before)
          // Each kill begins with the old form, and the next start ends with the new one.
          expect(await killedAt(Infinity, upgrade)).toBe(false)
          expect(await columns()).toBe(ALL)
          expect(await kept(old)).toEqual(before)
          await lacking(old)
          kills++
        }
        expect(kills).toBeGreaterThan(4)
        expect(await columns()).toBe(ALL)
        // What was finished and found counts as before.
        expect(await site.move()).toMatchObject({
          status: 'PARTIAL',
          counts: { requested: 0 },
          openConflicts: 1,
        })
      },
    )

    it('that makes them from nothing is finished by the next start, wherever it is killed', async () => {
      const drop = (): Promise<void> =>
        site.sql(...TABLES.toReversed().map((table) => `DROP TABLE IF EXISTS ${table}`))
      await drop()
      let kills = 0
      while (await killedAt(kills, upgrade)) {
        // Whoever only looks finds all that an execution has, or no log.
        if (await new LogDatabase(site.session, site.schema).exists())
          for (const table of TABLES.slice(0, 3)) expect(await site.count(table)).toBe(0)
        expect(await killedAt(Infinity, upgrade)).toBe(false)
        expect(await columns()).toBe(ALL)
        await drop()
        kills++
      }
      expect(kills).toBeGreaterThan(7)
      // Every row is archived already, or in the conflict that was found before.
      expect(await site.move()).toMatchObject({
        status: 'PARTIAL',
        counts: { alreadyArchived: 299, conflicts: 1 },
      })
    })

    it('would lose rows as a new table that takes the place of the old one (control)', async () => {
      const old = OLDER['the version before']!
      await lacking(old)
      await site.sql(
        'CREATE TABLE spare AS SELECT * FROM process_logs',
        name === 'mysql'
          ? 'ALTER TABLE file_processing_logs DROP FOREIGN KEY file_processing_logs_ibfk_1'
          : 'ALTER TABLE file_processing_logs DROP CONSTRAINT file_processing_logs_process_log_id_fkey',
      )
      const before = await kept(old)
      const anew = async (session: Session): Promise<void> => {
        await session.run('DROP TABLE process_logs')
        await upgrade(session)
        const names = LOG_TABLES['process_logs']!.columns.map(([column]) => column).filter(
          (column) => column !== 'archive_server',
        )
        await session.run(
          `INSERT INTO process_logs (${names.join(', ')}) SELECT ${names.join(', ')} FROM spare`,
        )
      }
      expect(await killedAt(4, anew)).toBe(true)
      expect(await killedAt(Infinity, upgrade)).toBe(false)
      expect(await kept(old)).not.toEqual(before)
    })

    it('does no harm to the version before, which goes on with the new form', async () => {
      const names = LOG_TABLES['process_logs']!.columns.map(([column]) => column).filter(
        (column) => column !== 'archive_server' && column !== 'id',
      )
      // As that version writes: by name, and without the new column.
      await site.sql(
        `INSERT INTO process_logs (${names.join(', ')}) SELECT ${names.join(', ')} FROM process_logs WHERE id = 1`,
        'UPDATE batch_processing_logs SET process_log_id = 3 WHERE process_log_id = 1',
        'UPDATE file_processing_logs SET process_log_id = 3 WHERE process_log_id = 1',
      )
      expect(await site.move()).toMatchObject({ status: 'PARTIAL', counts: { requested: 0 } })
    })
  })
}
