import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditCommand } from '../../src/commands/records/audit.ts'
import { retryCommand } from '../../src/commands/records/retry.ts'
import { runCommand, type RecordsRunOptions } from '../../src/commands/records/run.ts'
import { readMapping } from '../../src/records/mapping/read-mapping.ts'
import { adoptLog } from '../../src/records/sql/adopt-log.ts'
import type { RecordsDatabase } from '../../src/records/sql/database.ts'
import {
  answers,
  DIALECTS,
  MAPPING,
  openSite,
  payload,
  printing,
  type Dialect,
  type Site,
} from './databases.ts'

/** Not offered for SQL Server. */
type Adopting = Exclude<Dialect, 'mssql'>
const there = await Promise.all(
  DIALECTS.filter((dialect): dialect is Adopting => dialect !== 'mssql').map(
    async (dialect) => [dialect, await answers(dialect)] as const,
  ),
)

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'a processing_log that the original filled, in %s',
  (dialect: Adopting) => {
    let site: Site
    beforeEach(async () => {
      site = await openSite(dialect)
    })
    afterEach(() => site.close())

    const sql = (text: string, values: unknown[] = []) => site.database.session.change(text, values)
    const rows = (text: string) => site.database.session.rows(text)
    const run = async (options: Partial<RecordsRunOptions> = {}) => {
      let told = ''
      const { context, printed } = printing({ err: (text) => void (told += text) })
      const code = await runCommand({ task: 'orders', config: site.config, json: true, ...options }, context)
      return { code, told, metrics: JSON.parse(printed()) as Record<string, unknown> }
    }
    const log = async () => {
      const states = await rows('SELECT app_id, status FROM processing_log ORDER BY 1')
      return states.map((row) => `${String(row['app_id'])} ${String(row['status'])}`)
    }

    /** As the original makes it: no unique key, a row for each try. */
    const original = async (tries: readonly (readonly [number, string, string | null])[]): Promise<void> => {
      const id = {
        sqlite: 'integer primary key',
        postgres: 'int generated always as identity primary key',
        mysql: 'int auto_increment primary key',
      }[dialect]
      await sql(
        `CREATE TABLE processing_log (log_id ${id}, app_id int, status varchar(20), failure_reason varchar(500), processing_time timestamp NULL,
         session_id varchar(50), app_id_start int, app_id_end int)`,
      )
      for (const [app, status, reason] of tries)
        await sql(
          `INSERT INTO processing_log (app_id, status, failure_reason, processing_time, session_id) VALUES (?, ?, ?, '2025-11-01 10:00:00', '20251101_100000')`,
          [app, status, reason],
        )
    }

    it('is not touched unasked, and the run says how to take it over', async () => {
      await site.fill({ 1: payload(1) })
      await original([[1, 'success', null]])
      await expect(run()).rejects.toMatchObject({
        code: 'STORE_REFUSED',
        hint: expect.stringContaining('--adopt-log') as string,
      })
      expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(0)
      expect(await log()).toEqual(['1 success'])
    })

    it('is taken over: success wins, is believed where the base table has the row, and failures can be retried', async () => {
      await site.fill({ 1: payload(1), 2: payload(2), 3: payload(3), 4: payload(4), 5: payload(5) })
      await run({ appIdEnd: '2' })
      await sql('DROP TABLE processing_log')
      await original([
        [1, 'failed', 'deadlock'],
        [1, 'success', null],
        [1, 'failed', 'insertion: PRIMARY KEY'], // by an instance that lost the race
        [2, 'success', null],
        [3, 'success', null], // and its rows are gone
        [4, 'failed', 'first'],
        [4, 'failed', 'last'],
        [0, 'failed', 'pool timed out'],
      ])
      const { code, told, metrics } = await run({ adoptLog: true })
      expect(told).toContain('2 stored, 1 failed; 1 that it calls stored have no row in orders')
      expect([code, metrics['total_applications_successful']]).toEqual([0, 2]) // 3, and 5 that was new
      expect(await log()).toEqual(['1 success', '2 success', '3 success', '4 failed', '5 success'])
      expect(
        await rows('SELECT failure_reason, retry_count FROM processing_log WHERE app_id = 4'),
      ).toMatchObject([{ failure_reason: 'last', retry_count: 1 }])
      expect(await site.count('SELECT COUNT(*) FROM processing_log_original')).toBe(8)
      const { context } = printing()
      expect(await retryCommand({ task: 'orders', config: site.config }, context)).toBe(0)
      expect(await auditCommand({ task: 'orders', config: site.config }, context)).toBe(0)
      // Asked again, there is nothing to take over.
      expect((await run({ adoptLog: true })).told).toBe('')
    })

    it('is the old one or the new one wherever taking it over is cut off, and is taken over by the next call', async () => {
      const mapping = readMapping(MAPPING, 'map.yaml')
      let cut = 0
      for (let isCut = true; isCut;) {
        cut++
        for (const table of ['processing_log', 'processing_log_original'])
          await sql(`DROP TABLE IF EXISTS ${table}`)
        await original([[1, 'failed', 'first']])
        let left = cut
        const cutting: RecordsDatabase = {
          ...site.database,
          session: site.database.session,
          dialect: site.database.dialect,
          transaction: (work) =>
            site.database.transaction((session) =>
              work({
                ...session,
                rows: (text, values) => session.rows(text, values),
                change: (text, values) => {
                  if (--left === 0) throw new Error('cut off')
                  return session.change(text, values)
                },
              }),
            ),
        }
        isCut = await adoptLog(cutting, mapping, 'orders').then(
          () => false,
          () => true,
        )
        expect(await log()).toEqual(['1 failed'])
        if (isCut) expect(await adoptLog(site.database, mapping, 'orders')).toMatchObject({ failed: 1 })
        expect(await site.count('SELECT COUNT(*) FROM processing_log_original')).toBe(1)
      }
      expect(cut).toBeGreaterThan(dialect === 'mysql' ? 5 : 6)
    })

    it('is kept as it is where the name under which it is kept is taken', async () => {
      await original([[1, 'success', null]])
      await sql('CREATE TABLE processing_log_original (x int)')
      await expect(run({ adoptLog: true })).rejects.toMatchObject({ code: 'STORE_REFUSED' })
      expect(await log()).toEqual(['1 success'])
    })

    it('has the moment under the name by which its guide asks for it, in tables of before too', async () => {
      await site.fill({ 1: payload(1), 2: '<order' })
      await run()
      const asked = `SELECT status, COUNT(*) AS items, MAX(processed_at) AS newest FROM processing_log
        WHERE processed_at > '2026-01-01' GROUP BY status ORDER BY status`
      const answer = await rows(asked)
      expect(answer.map((row) => [row['status'], Number(row['items'])])).toEqual([
        ['failed', 1],
        ['success', 1],
      ])
      await sql('ALTER TABLE processing_log DROP COLUMN processed_at')
      await Promise.all([run(), run(), run()])
      expect(await rows(asked)).toEqual(answer)
    })

    it('that is a view of the queue or the ledger gives way to the table', async () => {
      await site.fill({ 1: payload(1) })
      await sql(
        'CREATE VIEW processing_log AS SELECT record_id AS app_id, payload AS status, NULL AS failure_reason, NULL AS processed_at FROM source_records',
      )
      expect((await run()).code).toBe(0)
      expect(await log()).toEqual(['1 success'])
    })
  },
)
