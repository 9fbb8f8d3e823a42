import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { retryCommand } from '../../src/commands/records/retry.ts'
import { runCommand, type RecordsRunOptions } from '../../src/commands/records/run.ts'
import { answers, DIALECTS, openSite, payload, printing, type Dialect, type Site } from './databases.ts'

const there = await Promise.all(DIALECTS.map(async (dialect) => [dialect, await answers(dialect)] as const))
for (const [dialect, isThere] of there) if (!isThere) console.warn(`skipped: no ${dialect} answers`)

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'records run into %s',
  (dialect: Dialect) => {
    let site: Site
    beforeEach(async () => {
      site = await openSite(dialect)
    })
    afterEach(() => site.close())

    const run = async (options: Partial<RecordsRunOptions> = {}) => {
      const { context, printed } = printing()
      const code = await runCommand({ task: 'orders', config: site.config, json: true, ...options }, context)
      return { code, metrics: JSON.parse(printed()) as Record<string, unknown> }
    }
    const status = (key: number): Promise<Record<string, unknown>[]> =>
      site.database.session.rows('SELECT * FROM processing_log WHERE app_id = ?', [key])

    it('stores rows and log row together, and takes nothing twice', async () => {
      await site.fill({ 1: payload(1), 2: payload(2, { lines: 0 }), 3: payload(3) })
      const first = await run()
      expect(first.code).toBe(0)
      expect(first.metrics).toMatchObject({
        total_applications_successful: 3,
        total_applications_failed: 0,
        total_database_inserts: 8,
      })
      expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(3)
      expect(await status(1)).toMatchObject([
        { status: 'success', result: 'stored', code: null, failure_reason: null },
      ])
      expect((await run()).metrics).toMatchObject({ total_applications_processed: 0 })
    })

    it('keeps values exact', async () => {
      await site.fill({ 9007199254740: payload(9007199254740, { total: '99999999999999999.99', lines: 0 }) })
      expect((await run()).code).toBe(0)
      const [row] = await site.database.session.rows('SELECT total, placed FROM orders')
      expect(String(row?.['total'])).toBe('99999999999999999.99')
      expect(String(row?.['placed'])).toMatch(/^2026-02-03 04:05:06/)
    })

    it('records a failure of its own and goes on; blank payloads do not end the run', async () => {
      await site.fill({
        1: '<order id="1"',
        2: null,
        3: payload(3),
        4: '  ',
        5: payload(6),
        6: payload(6, { total: 'much' }),
      })
      const { code, metrics } = await run({ batchSize: '2' })
      expect(code).toBe(1)
      expect(metrics['failure_summary']).toMatchObject({
        by_code: { XML_NOT_WELL_FORMED: 1, PAYLOAD_EMPTY: 2, KEY_MISMATCH: 1, VALUE_NOT_VALID: 1 },
      })
      expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(1)
      expect(await status(6)).toMatchObject([
        { status: 'failed', stage: 'map', code: 'VALUE_NOT_VALID', rows_written: 0 },
      ])
      expect(JSON.stringify(await status(6))).not.toContain('much')
    })

    it('takes failed items again on request alone, and stores exactly those that were mended', async () => {
      await site.fill({ 1: '<order', 2: payload(2), 3: '<order' })
      await run()
      expect((await run()).metrics).toMatchObject({ total_applications_processed: 0 })
      await site.database.session.change('UPDATE source_records SET payload = ? WHERE record_id = 1', [
        payload(1),
      ])
      const { context, printed } = printing()
      expect(await retryCommand({ task: 'orders', config: site.config, json: true }, context)).toBe(1)
      expect(JSON.parse(printed())).toMatchObject({
        total_applications_successful: 1,
        total_applications_failed: 1,
      })
      expect(await status(1)).toMatchObject([{ status: 'success', retry_count: 1, epoch: 2, code: null }])
      expect(await status(3)).toMatchObject([{ status: 'failed', retry_count: 1 }])
    })

    it('calls rows that are there with the same content present', async () => {
      await site.fill({ 1: payload(1) })
      await run()
      await site.database.session.change('DELETE FROM processing_log')
      const { code, metrics } = await run()
      expect(code).toBe(0)
      expect(metrics).toMatchObject({ present: 1, total_database_inserts: 0 })
      expect(await status(1)).toMatchObject([{ status: 'success', result: 'present', rows_written: 0 }])
    })

    it('never overwrites: other content under the same key is a conflict of the whole item', async () => {
      await site.fill({ 1: payload(1) })
      await run()
      await site.database.session.change('DELETE FROM processing_log')
      await site.database.session.change('UPDATE orders SET total = ? WHERE record_id = 1', ['3.00'])
      expect((await run()).code).toBe(1)
      const [row] = await status(1)
      expect(row).toMatchObject({ status: 'failed', code: 'CONFLICT', stage: 'insert' })
      expect(JSON.parse(String(row?.['detail']))).toMatchObject([{ table: 'orders', differs: ['total'] }])
      expect(
        await site.count(
          'SELECT COUNT(*) FROM lines'.replace('lines', dialect === 'mysql' ? '`lines`' : 'lines'),
        ),
      ).toBe(2)
    })

    it('shares rows that records have in common, and refuses one that differs', async () => {
      await site.fill({ 1: payload(1), 2: payload(2), 3: payload(3, { town: 'Altmoor' }) })
      expect((await run({ workers: '1' })).code).toBe(1)
      expect(await site.count('SELECT COUNT(*) FROM customers')).toBe(1)
      expect(await status(3)).toMatchObject([{ status: 'failed', code: 'CONFLICT' }])
    })

    it('names the constraint that a record breaks, and leaves no row of it', async () => {
      await site.fill({ 1: payload(1_000_000).replace('id="1000000"', 'id="1"') })
      expect((await run()).code).toBe(1)
      expect(await status(1)).toMatchObject([{ status: 'failed', code: 'CONSTRAINT' }])
      expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(0)
    })

    it('shares the keys among instances without a remainder', async () => {
      await site.fill(
        Object.fromEntries(
          Array.from({ length: 20 }, (_, index) => [index - 5, payload(index - 5, { lines: 0 })]),
        ),
      )
      const counts = []
      for (const instanceId of ['0', '1', '2'])
        counts.push((await run({ instanceId, instanceCount: '3' })).metrics['total_applications_successful'])
      expect(counts.reduce((sum: number, count) => sum + Number(count), 0)).toBe(20)
      expect(Math.min(...counts.map(Number))).toBeGreaterThanOrEqual(6)
    })

    it('combines range and limit', async () => {
      await site.fill(
        Object.fromEntries(
          Array.from({ length: 12 }, (_, index) => [index + 1, payload(index + 1, { lines: 0 })]),
        ),
      )
      expect((await run({ appIdStart: '4', appIdEnd: '9', limit: '2' })).metrics).toMatchObject({
        total_applications_successful: 2,
      })
      expect((await run({ appIdStart: '4', appIdEnd: '9' })).metrics).toMatchObject({
        total_applications_successful: 4,
      })
    })

    it('runs beside itself: each item is stored once and none fails by another one', async () => {
      await site.fill(
        Object.fromEntries(
          Array.from({ length: 40 }, (_, index) => [
            index + 1,
            payload(index + 1, { customer: `c${index % 3}` }),
          ]),
        ),
      )
      const codes = (await Promise.all([run(), run(), run()])).map(({ code }) => code)
      expect(codes).toEqual([0, 0, 0])
      expect(await site.count("SELECT COUNT(*) FROM processing_log WHERE status = 'success'")).toBe(40)
      expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(40)
    })

    it('stops with its items pending where the target has no such table', async () => {
      await site.fill({ 1: payload(1) })
      await site.database.session.change(dialect === 'mysql' ? 'DROP TABLE `lines`' : 'DROP TABLE lines')
      await expect(run()).rejects.toMatchObject({ code: 'STORE_REFUSED' })
      // Not even the log's table.
      await expect(site.count('SELECT COUNT(*) FROM processing_log')).rejects.toThrow('processing_log')
    })

    if (dialect === 'mysql')
      it('stops where a table takes no part in transactions', async () => {
        await site.fill({ 1: payload(1) })
        await site.database.session.change('ALTER TABLE `lines` ENGINE=MyISAM')
        await expect(run()).rejects.toMatchObject({
          code: 'STORE_REFUSED',
          message: expect.stringContaining('the table lines has the engine MyISAM') as string,
        })
        expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(0)
        await site.database.session.change('ALTER TABLE `lines` ENGINE=InnoDB')
        expect((await run()).code).toBe(0)
      })

    it('writes a log and a metrics file without values of payloads', async () => {
      await site.fill({ 1: payload(1, { town: 'Weidenau' }), 2: payload(2, { total: 'Weidenau' }) })
      await run()
      const work = join(site.folder, 'work')
      const files = ['logs', 'metrics'].flatMap((part) =>
        readdirSync(join(work, part)).map((name) => join(work, part, name)),
      )
      expect(files.map((name) => name.replace(/\d{8}_\d{6}/, 'S').slice(work.length))).toEqual([
        '/logs/production_S.log',
        '/metrics/metrics_S.json',
      ])
      for (const name of files) expect(readFileSync(name, 'utf8')).not.toContain('Weidenau')
    })
  },
)
