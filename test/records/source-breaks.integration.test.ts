import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../../src/commands/records/run.ts'
import { BreakingProxy } from '../rows/breaking-proxy.ts'
import { answers, openSite, payload, printing, type Site } from './databases.ts'

const SERVERS = ['postgres', 'mysql'] as const
const there = await Promise.all(SERVERS.map(async (dialect) => [dialect, await answers(dialect)] as const))
for (const [dialect, isThere] of there) if (!isThere) console.warn(`skipped: no ${dialect} answers`)

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'a connection to the source on %s that breaks',
  (dialect) => {
    let site: Site
    let proxy: BreakingProxy
    beforeEach(async () => {
      site = await openSite(dialect)
      await site.fill({ 1: payload(1), 2: payload(2), 3: payload(3) })
    })
    afterEach(async () => {
      await proxy.close()
      await site.close()
    })

    /** A run whose source alone is read through the proxy. */
    const run = async (port = proxy.port) => {
      const through = site.url.replace(`:${new URL(site.url).port}/`, `:${port}/`)
      const config = readFileSync(site.config, 'utf8').replace(
        'workers: 2',
        `workers: 1, source_url: "${through}"`,
      )
      writeFileSync(site.config, config)
      const { context, printed } = printing()
      const code = await runCommand({ task: 'orders', config: site.config, json: true }, context)
      return { code, metrics: JSON.parse(printed()) as Record<string, unknown> }
    }
    const breaking = (sql: RegExp, nth: number): Promise<BreakingProxy> =>
      BreakingProxy.before(Number(new URL(site.url).port), sql, nth, true, 2000)

    it.each([
      { what: 'while its keys are listed', sql: /SELECT CAST.*source_records/s, nth: 1 },
      { what: 'while a payload is read', sql: /SELECT .payload.*source_records/s, nth: 2 },
    ])('$what is made again, and no item is lost or blamed', async ({ sql, nth }) => {
      proxy = await breaking(sql, nth)
      const { code, metrics } = await run()
      expect(proxy.broken).toBe(1)
      expect(code).toBe(0)
      expect(metrics).toMatchObject({ total_applications_successful: 3, total_applications_failed: 0 })
      expect(await site.count('SELECT COUNT(*) FROM orders')).toBe(3)
    })
    it('for good stops the run with the items pending', async () => {
      proxy = await breaking(/nothing like it/, 1)
      const { port } = proxy
      await proxy.close()
      await expect(run(port)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
      expect(await site.count('SELECT COUNT(*) FROM processing_log')).toBe(0)
    })
  },
)
