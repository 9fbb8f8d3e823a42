import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditCommand } from '../../src/commands/records/audit.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { answers, DIALECTS, MAPPING, openSite, payload, printing, type Site } from './databases.ts'

const there = await Promise.all(DIALECTS.map(async (dialect) => [dialect, await answers(dialect)] as const))

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'an odd item on %s',
  (dialect) => {
    let site: Site
    beforeEach(async () => {
      site = await openSite(dialect)
    })
    afterEach(() => site.close())

    it('with a name that is no number, or too large, stops no other', async () => {
      writeFileSync(join(site.folder, 'notes.xml'), '<order/>')
      writeFileSync(join(site.folder, '1.xml'), payload(1))
      writeFileSync(join(site.folder, '99999999999999999999.xml'), payload(1))
      const { context, printed } = printing()
      const code = await runCommand(
        { task: 'orders', config: site.config, json: true, source: `files:${site.folder}` },
        context,
      )
      expect([code, JSON.parse(printed())]).toMatchObject([
        1,
        { total_applications_successful: 1, total_applications_failed: 2 },
      ])
      const audit = printing()
      expect(
        await auditCommand(
          { task: 'orders', config: site.config, json: true, source: `files:${site.folder}` },
          audit.context,
        ),
      ).toBe(1)
    })
    it('with the time of its run in a row is archived', async () => {
      writeFileSync(
        join(site.folder, 'map.yaml'),
        MAPPING.replace(
          'from: /order/@placed, type: datetime',
          'from: /order/@nothing, else: $now, type: datetime, scale: 0',
        ),
      )
      await site.fill({ 1: payload(1) })
      expect(await runCommand({ task: 'orders', config: site.config }, printing().context)).toBe(0)
      await new Promise((resolve) => setTimeout(resolve, 1100))
      const { context, printed } = printing()
      const code = await auditCommand(
        { task: 'orders', config: site.config, json: true, sample: '100' },
        context,
      )
      expect([code, JSON.parse(printed())]).toMatchObject([0, { counts: { archived: 1 } }])
    })
    it('without a value that its table needs names the column', async () => {
      writeFileSync(
        join(site.folder, 'map.yaml'),
        MAPPING.replace('type: datetime, required: true', 'type: datetime'),
      )
      await site.fill({ 1: payload(1).replace('placed=', 'other=') })
      expect(await runCommand({ task: 'orders', config: site.config }, printing().context)).toBe(1)
      const rows = await site.database.session.rows('SELECT code, failure_reason FROM processing_log')
      expect(rows[0]).toMatchObject({
        code: 'CONSTRAINT',
        failure_reason: expect.stringContaining('placed') as string,
      })
    })
    it('with a long key without a type is found as present', async () => {
      writeFileSync(
        join(site.folder, 'map.yaml'),
        MAPPING.replace(
          'record_id: { from: $key, type: bigint }\n      placed',
          'record_id: $key\n      placed',
        ),
      )
      const key = '9007199254740993'
      await site.database.session.change(
        `INSERT INTO source_records (record_id, payload) VALUES (${key}, '${payload(1, { lines: 0 }).replace('id="1"', `id="${key}"`)}')`,
      )
      expect(await runCommand({ task: 'orders', config: site.config }, printing().context)).toBe(0)
      await site.database.session.change('DELETE FROM processing_log')
      const { context, printed } = printing()
      const code = await runCommand({ task: 'orders', config: site.config, json: true }, context)
      expect([code, JSON.parse(printed())]).toMatchObject([0, { present: 1 }])
    })
    if (dialect === 'mysql')
      it('above max_allowed_packet fails alone, and many rows above it together are stored', async () => {
        await site.database.session.change('ALTER TABLE customers MODIFY town longtext')
        const folder = join(site.folder, 'inbox')
        mkdirSync(folder)
        const towns = (id: number, length: number, count: number) =>
          `<order id="${id}" placed="2026-02-03 04:05:06">${Array.from({ length: count }, (_, i) => `<customer code="${id}-${i}" town="${'y'.repeat(length)}"/>`).join('')}</order>`
        writeFileSync(join(folder, '1.xml'), towns(1, 9_000_000, 2))
        writeFileSync(join(folder, '2.xml'), towns(2, 18_000_000, 1))
        writeFileSync(join(folder, '3.xml'), payload(3))
        writeFileSync(
          join(site.folder, 'map.yaml'),
          MAPPING.replace(', length: 20', '').replace(
            '      customer: { from: /order/customer/@code, type: text }\n',
            '',
          ),
        )
        const { context, printed } = printing()
        const code = await runCommand(
          { task: 'orders', config: site.config, json: true, source: `files:${folder}` },
          context,
        )
        const log = await site.database.session.rows(
          'SELECT app_id, status, code, failure_reason FROM processing_log',
        )
        expect(code).toBe(1)
        expect(log.find(({ status }) => status === 'failed')).toMatchObject({
          code: 'STORE_REFUSED',
          failure_reason: expect.stringContaining('max_allowed_packet') as string,
        })
        expect(JSON.parse(printed())).toMatchObject({
          total_applications_successful: 2,
          total_applications_failed: 1,
        })
      }, 120_000)
  },
)
