import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RecordsDatabase } from '../../src/records/sql/database.ts'
import { ensureLog, logTableSql } from '../../src/records/sql/log-table.ts'
import { answers, openSite, type Site } from './databases.ts'

const DIALECTS = ['sqlite', 'postgres', 'mysql'] as const
const there = await Promise.all(DIALECTS.map(async (dialect) => [dialect, await answers(dialect)] as const))

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'the processing_log of an earlier version, in %s',
  (dialect) => {
    let site: Site
    beforeEach(async () => {
      site = await openSite(dialect)
    })
    afterEach(() => site.close())

    const change = async (...statements: readonly string[]): Promise<void> => {
      for (const sql of statements) await site.database.session.change(sql)
    }
    /** As that version left it: without the newest column, and in MySQL with keys that do not tell blanks apart. */
    const older = async (): Promise<void> => {
      await change(
        'DROP TABLE IF EXISTS processing_log',
        logTableSql(dialect, 'text'),
        'ALTER TABLE processing_log DROP COLUMN processed_at',
        "INSERT INTO processing_log (app_id, status, task) VALUES ('a', 'success', 'orders'), ('B', 'failed', 'orders'), ('b', 'success', 'orders')",
      )
    }
    const kept = () =>
      site.database.session.rows('SELECT log_id, app_id, status, task FROM processing_log ORDER BY log_id')
    const isNew = async (): Promise<boolean> => {
      if (dialect !== 'mysql')
        return site.count('SELECT COUNT(processed_at) FROM processing_log').then(
          () => true,
          () => false,
        )
      return (
        (await site.count(
          "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'processing_log' AND (column_name = 'processed_at' OR column_name = 'app_id' AND collation_name IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin'))",
        )) === 2
      )
    }
    /** Does it with a database that is lost before the statement of this number. False: it came to its end. */
    const killedAt = async (
      number: number,
      work: (database: RecordsDatabase) => Promise<unknown>,
    ): Promise<boolean> => {
      let count = 0
      const counted = <Answer>(act: () => Promise<Answer>): Promise<Answer> =>
        count++ >= number ? Promise.reject(new Error('killed')) : act()
      const { session } = site.database
      const dying = Object.assign(Object.create(site.database) as RecordsDatabase, {
        dialect,
        session: {
          rows: (sql: string, values?: readonly unknown[]) => counted(() => session.rows(sql, values)),
          change: (sql: string, values?: readonly unknown[]) => counted(() => session.change(sql, values)),
        },
      })
      try {
        await work(dying)
        return false
      } catch (error) {
        expect(error).toMatchObject({ message: 'killed' })
        return true
      }
    }
    const upgrade = (database: RecordsDatabase): Promise<void> => ensureLog(database, 'text')

    it('keeps every item, wherever its upgrade is killed, and the next start finishes it', async () => {
      await older()
      const before = await kept()
      expect([before.length, await isNew()]).toEqual([3, false])
      let kills = 0
      while (await killedAt(kills, upgrade)) {
        expect(await kept(), `killed at statement ${kills}`).toEqual(before)
        expect(await killedAt(Infinity, upgrade)).toBe(false)
        expect([await kept(), await isNew()]).toEqual([before, true])
        await older()
        kills++
      }
      expect(kills).toBeGreaterThan(dialect === 'mysql' ? 3 : 1)
      expect([await kept(), await isNew()]).toEqual([before, true])
    })

    it('would lose them to an upgrade that empties the table and fills it again (control)', async () => {
      await older()
      await change('CREATE TABLE spare AS SELECT app_id, status, task FROM processing_log')
      const before = await kept()
      const anew = async (database: RecordsDatabase): Promise<void> => {
        await database.session.change('DROP TABLE processing_log')
        await upgrade(database)
        await database.session.change(
          'INSERT INTO processing_log (app_id, status, task) SELECT app_id, status, task FROM spare',
        )
      }
      expect(await killedAt(3, anew)).toBe(true)
      expect(await killedAt(Infinity, upgrade)).toBe(false)
      expect(await kept()).not.toEqual(before)
    })

    it('is made from nothing by the next start, wherever that is killed', async () => {
      let kills = 0
      while (await killedAt(kills++, upgrade)) {
        expect(await killedAt(Infinity, upgrade)).toBe(false)
        expect([await kept(), await isNew()]).toEqual([[], true])
        await change('DROP TABLE processing_log')
      }
      expect(kills).toBeGreaterThan(2)
    })
  },
)
