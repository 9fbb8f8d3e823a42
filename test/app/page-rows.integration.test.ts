import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pageRows, type PageRows } from '../../src/app/page-rows.ts'
import { Secret } from '../../src/common/secret.ts'
import type { Archiver } from '../../src/runs/archiver.ts'
import { DIALECTS, range, serverAnswers, Site } from '../rows/servers.ts'

for (const name of DIALECTS)
  describe.skipIf(!(await serverAnswers(name)))(`the page of rows on ${name} while nothing was moved`, () => {
    let site: Site
    let page: PageRows
    beforeEach(async () => {
      site = await Site.make(name)
      const rows = { source: new Secret(site.url), table: 'r', throttle: {} }
      const places = { url: site.url, password: undefined, timeout: 10_000 }
      const opened = pageRows({ config: { rows } } as unknown as Archiver, () => ({
        source: places,
        log: undefined,
        archive: undefined,
      }))
      if (!opened) throw new Error('no page')
      page = opened
    })
    afterEach(async () => {
      await page.close()
      await site.drop()
    })

    it('shows the first run of a table that was made while somebody looked', async () => {
      expect(await page.reads()).toBeUndefined()
      expect(await page.revision()).toBe('')
      await site.fill(50)
      expect(await page.revision()).toBe('')
      site.file('a.csv', range(1, 50))
      await site.move()
      expect(await page.revision()).not.toBe('')
      expect((await page.reads())?.processes).toMatchObject([{ records: 50, standing: 'ok' }])
    })
  })
