import { createRequire } from 'node:module'
import { existsSync, readFileSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'
import { Served } from './served.ts'

const CHROMIUM = '/usr/bin/chromium'
const PAGES = ['/', '/runs', '/runs/2', '/history', '/performance', '/failures', '/login', '/executions/1']

const site = new Site()
const served = new Served(site.config)

beforeAll(async () => {
  for (const run of [1, 2, 4]) site.record(run)
  if (site.archiver().status !== 0) throw new Error('the site was not archived')
  await served.start()
}, 60_000)
afterAll(async () => {
  await served.remove()
  site.remove()
})

if (!existsSync(CHROMIUM)) console.warn(`SKIPPED: no ${CHROMIUM}: the pages are not tested in a browser`)

describe.skipIf(!existsSync(CHROMIUM))('every page in Chromium', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  let browser: Browser
  const faultsOf = async (page: Page, rules: boolean): Promise<string[]> => {
    const over = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))
    const found = rules
      ? await page.evaluate(
          `${axe}; axe.run().then((r) => r.violations.map((v) => v.id + ' ' + v.nodes.map((n) => n.target).join(' ')))`,
        )
      : []
    return [...(over > 0 ? [`${over} px too wide`] : []), ...(found as string[])]
  }
  beforeAll(async () => {
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: 60_000 })
  }, 90_000)
  afterAll(() => browser.close())

  it.each(['light', 'dark'] as const)(
    'breaks no rule of axe or CSP, fits its width and asks no other host, %s',
    async (colorScheme) => {
      const context = await browser.newContext({ colorScheme })
      const page = await context.newPage()
      const troubles: string[] = []
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) troubles.push(message.text())
      })
      page.on('pageerror', (error) => troubles.push(error.message))
      page.on('request', (request) => {
        if (!request.url().startsWith(served.url)) troubles.push(`asks ${request.url()}`)
      })
      for (const path of PAGES)
        for (const width of [1440, 1024, 390]) {
          await page.setViewportSize({ width, height: 900 })
          if (width === 1440) await page.goto(served.url + path, { waitUntil: 'load' })
          troubles.push(...(await faultsOf(page, width !== 1024)).map((one) => `${path} at ${width}: ${one}`))
        }
      await context.close()
      expect(troubles).toEqual([])
    },
    120_000,
  )

  it('is found wrong where it is too wide or a picture has no words (control)', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 900 } })
    // A page of its own: the live one is made again at each change, and would drop what is planted in it.
    await page.setContent(
      '<html lang="en"><title>t</title><main><h1>h</h1><img width="3000" height="9" src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></main></html>',
    )
    const faults = await faultsOf(page, true)
    expect(faults.some((fault) => fault.endsWith('px too wide'))).toBe(true)
    expect(faults.some((fault) => fault.startsWith('image-alt'))).toBe(true)
    await page.close()
  }, 60_000)

  it('can be read without script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    for (const path of PAGES) {
      await page.goto(served.url + path)
      expect((await page.textContent('h1'))?.trim()).not.toBe('')
      expect((await page.textContent('.say'))?.trim()).not.toBe('')
      expect(await page.locator('.js-only:visible').count()).toBe(0)
    }
    await context.close()
  }, 60_000)

  it('goes to failures by g f, and back to the overview by g o', async () => {
    const page = await browser.newPage()
    await page.goto(served.url)
    await page.keyboard.press('g')
    await page.keyboard.press('f')
    await page.waitForURL('**/failures')
    await page.keyboard.press('g')
    await page.keyboard.press('o')
    await page.waitForURL(`${served.url}/`)
    await page.close()
  }, 60_000)
})
