import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planCommand } from '../../src/commands/records/plan.ts'
import { answers, DIALECTS, openSite, payload, printing, type Site } from './databases.ts'

const there = await Promise.all(DIALECTS.map(async (dialect) => [dialect, await answers(dialect)] as const))
for (const [dialect, isThere] of there) if (!isThere) console.warn(`SKIPPED: no ${dialect} answers`)

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'records plan of a key, from %s',
  (dialect) => {
    let site: Site
    beforeAll(async () => {
      site = await openSite(dialect)
      await site.fill({ 7: payload(7), 8: null })
    })
    afterAll(() => site.close())

    const plan = async (item: string) => {
      const { context, printed } = printing()
      const options = { item, task: 'orders', config: site.config, json: true, showValues: true }
      const code = await planCommand(options, context)
      return { code, json: JSON.parse(printed()) as Record<string, unknown> }
    }

    it('shows the rows that its payload becomes, and writes nothing', async () => {
      const { code, json } = await plan('7')
      expect([code, json]).toMatchObject([0, { source_key: 7, status: 'success' }])
      expect((json['rows'] as Record<string, unknown[]>)['orders']).toHaveLength(1)
      expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(0)
      await expect(site.count('SELECT COUNT(*) FROM processing_log')).rejects.toThrow()
    })
    it('fails as the run would where the row has no payload', async () => {
      expect(await plan('8')).toMatchObject({ code: 1, json: { source_key: 8, status: 'failed', rows: {} } })
    })
    it('says so where there is no such key', async () => {
      await expect(plan('9')).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: 'task orders: source_records has no item 9',
      })
    })
  },
)
