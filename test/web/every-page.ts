import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, openChromium } from './chromium.ts'
import type { ServedDemo } from './demo.ts'
import { Served } from './served.ts'

/** Milliseconds for one page on a machine that is busy: a tenth of it is enough on one that is not. */
const PATIENCE = 120_000
/** Of an element, in CSS pixels. */
interface Widths {
  readonly scrollWidth: number
  readonly clientWidth: number
}

const PAGES = [
  ...[
    '/',
    '/runs',
    '/runs/1012',
    '/runs/1013',
    '/history',
    '/executions/1',
    '/performance',
    '/failures',
    '/graph',
  ],
  ...['/rows', '/records', '/instances', '/alerts', '/login', '/_parts'],
]
/** Pages with more on them than an empty ledger has. */
const FULL = [
  ...['/executions/running', '/performance?task=DAILY_02_merge_hits', '/history?compare=20&compare=26'],
  ...['/failures?by=task', '/failures?by=run'],
]

if (!hasChromium) console.warn('SKIPPED: no Chromium: the pages are not tested in a browser')

/** What holds for every page of a demo in Chromium. */
export const everyPage = (demo: ServedDemo): void =>
  void describe.skipIf(!hasChromium)('every page in Chromium', () => {
    const list = async (path: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
      (await demo.served.send('GET', `/api/v1${path}`)).json['items'] as never

    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    let browser: Browser
    /** The rules of axe that a page breaks: all, or those of colours. */
    const brokenRules = async (page: Page, rules: 'all' | 'colours'): Promise<string[]> => {
      await page.evaluate(`window.axe ?? (() => { ${axe} })()`)
      const only = rules === 'all' ? '' : ", runOnly: ['color-contrast', 'link-in-text-block']"
      return page.evaluate(
        `axe.run({ resultTypes: ['violations']${only} }).then((r) => r.violations.map((v) => v.id + ' ' + v.nodes.map((n) => n.target).join(' ')))`,
      )
    }
    const faultsOf = async (page: Page, rules: boolean): Promise<string[]> => {
      const over = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))
      const found = rules ? await brokenRules(page, 'all') : []
      const torn = await page.evaluate(
        `[...document.querySelectorAll('main th, main td')].filter((cell) => cell.textContent.trim().length > 8 && cell.clientWidth < 60 && cell.clientHeight > 110).map((cell) => 'a cell of single letters: ' + cell.textContent)`,
      )
      return [...(over > 0 ? [`${over} px too wide`] : []), ...(torn as string[]), ...found]
    }
    beforeAll(async () => void (browser = await openChromium()), 90_000)

    /** Opens a page and gathers what goes wrong on it. */
    const opened = async (
      context: BrowserContext,
      name: string,
    ): Promise<{ page: Page; troubles: string[] }> => {
      const path = name.replace('running', String((await list('/current'))[0]?.['id']))
      const page = await context.newPage()
      const troubles: string[] = []
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) troubles.push(message.text())
      })
      page.on('pageerror', (error) => troubles.push(error.message))
      page.on('request', (request) => {
        if (!request.url().startsWith(demo.served.url)) troubles.push(`asks ${request.url()}`)
      })
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.goto(demo.served.url + path, { waitUntil: 'load', timeout: PATIENCE })
      return { page, troubles }
    }
    const groundOf = (page: Page): Promise<unknown> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor')
    // What is folded away must fit, too. Charts follow the width with the next frames.
    const unfold = async (page: Page): Promise<void> => {
      await page.evaluate(`document.querySelectorAll('main details').forEach((one) => (one.open = true))`)
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
    }

    // A test for each page: one that is slow under load names itself, and a fault is told with all of its words. The themes differ in colours alone, and
    // a page follows the system's while it is open.
    describe('in its light theme, and in its dark one when the system changes', () => {
      let context: BrowserContext
      beforeAll(async () => void (context = await browser.newContext({ colorScheme: 'light' })))
      afterAll(() => context.close())

      it.each([...PAGES, ...FULL])(
        'breaks no rule of axe or CSP, can be read, fits its width and asks no other host: %s',
        async (name) => {
          const { page, troubles } = await opened(context, name)
          for (const width of [390, 1024, 1440]) {
            await page.setViewportSize({ width, height: 900 })
            await unfold(page)
            troubles.push(...(await faultsOf(page, width !== 1024)).map((one) => `at ${width}: ${one}`))
          }
          const light = await groundOf(page)
          await page.emulateMedia({ colorScheme: 'dark' })
          await unfold(page)
          troubles.push(...(await brokenRules(page, 'colours')).map((one) => `dark: ${one}`))
          const dark = await groundOf(page)
          await page.close()
          expect(troubles.join('\n')).toBe('')
          expect(dark).not.toBe(light)
        },
        PATIENCE,
      )
      it('is found wrong where a text is as dark as its ground (control)', async () => {
        const { page } = await opened(context, '/login')
        await page.emulateMedia({ colorScheme: 'dark' })
        await page.evaluate(`document.querySelector('h1').style.color = 'rgb(40, 40, 40)'`)
        expect(await brokenRules(page, 'colours')).toContainEqual(expect.stringContaining('color-contrast'))
        await page.close()
      })
    })

    it(
      'fits every width whatever the values are, where most parts are not configured',
      async () => {
        const alone = new Served()
        const page = await browser.newPage()
        const task = `DAILY_${'very_long_name_'.repeat(6)}`
        try {
          await alone.start()
          const { json } = await alone.send('POST', '/api/v1/executions', {
            task_name: task,
            hostname: `${'daq-evb-archive-'.repeat(4)}.example.org`,
            process_id: 4_194_304,
            user_name: 'u'.repeat(60),
            argv: '/usr/local/bin/'.repeat(20),
            log_path: `/${'folder'.repeat(30)}/run.log`,
            at: Date.now() - 99 * 86_400_000,
          })
          const id = String(json['run_id'])
          for (const [path, body] of [
            ['steps', { op: 'enter', message: 'join hits and channels of every sector'.repeat(4) }],
            ['progress', { items_complete: 123_456_789, items_total: 987_654_321, message: 'x'.repeat(300) }],
          ] as const)
            await alone.send('POST', `/api/v1/executions/${id}/${path}`, body)
          const wide: string[] = []
          for (const ended of [false, true]) {
            if (ended)
              await alone.send('POST', `/api/v1/executions/${id}/error`, { message: 'no_blank_'.repeat(60) })
            for (const path of [...PAGES, `/performance?days=365&task=${task}`, '/failures?by=task']) {
              await page.goto(alone.url + path, { timeout: PATIENCE })
              for (const width of [1440, 1024, 390]) {
                await page.setViewportSize({ width, height: 900 })
                wide.push(...(await faultsOf(page, false)).map((fault) => `${path} at ${width}: ${fault}`))
              }
            }
          }
          expect(wide.join('\n')).toBe('')
        } finally {
          await page.close()
          await alone.remove()
        }
      },
      PATIENCE * 2,
    )

    it(
      'shows the whole graph of dependencies, and the whole list of files of a run, on wide screens and narrow ones',
      async () => {
        const page = await browser.newPage()
        for (const [path, box, inside] of [
          ['/graph', '.dagwrap:visible', '.nd:visible'],
          ['/runs/1013', '#files .scroll', 'tbody tr'],
        ] as const) {
          await page.goto(demo.served.url + path, { timeout: PATIENCE })
          for (const width of [1440, 1280, 1024, 500]) {
            await page.setViewportSize({ width, height: 900 })
            const [one, ...others] = await page.locator(box).all()
            expect(others, `${path} at ${width}`).toEqual([])
            const hidden = await one!.evaluate((element) => {
              const { scrollWidth, clientWidth } = element as unknown as Widths
              return scrollWidth - clientWidth
            })
            expect(hidden, `${path} at ${width}`).toBe(0)
            expect(await one!.locator(inside).count()).toBeGreaterThan(3)
          }
        }
        await page.close()
      },
      PATIENCE,
    )

    it(
      'is found wrong where it is too wide or a picture has no words (control)',
      async () => {
        const page = await browser.newPage({ viewport: { width: 390, height: 900 } })
        // A page of its own: the live one is made again at each change, and would drop what is planted in it.
        await page.setContent(
          '<html lang="en"><title>t</title><main><h1>h</h1><img width="3000" height="9" src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></main></html>',
        )
        const faults = await faultsOf(page, true)
        expect(faults.some((fault) => fault.endsWith('px too wide'))).toBe(true)
        expect(faults.some((fault) => fault.startsWith('image-alt'))).toBe(true)
        await page.close()
      },
      PATIENCE,
    )

    it(
      'can be read without script',
      async () => {
        const context = await browser.newContext({ javaScriptEnabled: false })
        const page = await context.newPage()
        for (const path of PAGES) {
          await page.goto(demo.served.url + path)
          expect((await page.textContent('h1'))?.trim()).not.toBe('')
          expect((await page.textContent('.say'))?.trim()).not.toBe('')
          expect(await page.locator('.js-only:visible').count()).toBe(0)
        }
        await context.close()
      },
      PATIENCE,
    )

    it(
      'pauses by a key in the first second of a page, and stays on it',
      async () => {
        const page = await browser.newPage()
        await page.goto(`${demo.served.url}/alerts`)
        await page.evaluate(
          `(() => { const key = new KeyboardEvent('keydown', { key: 'p', bubbles: true }); Object.defineProperty(key, 'timeStamp', { value: 300 }); document.body.dispatchEvent(key) })()`,
        )
        await expect.poll(() => page.getAttribute('#live', 'aria-pressed')).toBe('false')
        expect(page.url()).toBe(`${demo.served.url}/alerts`)
        await page.close()
      },
      PATIENCE,
    )

    it(
      'goes to failures by g f, and back to the overview by g o',
      async () => {
        const page = await browser.newPage()
        await page.goto(demo.served.url)
        await page.keyboard.press('g')
        await page.keyboard.press('f')
        await page.waitForURL('**/failures')
        await page.keyboard.press('g')
        await page.keyboard.press('o')
        await page.waitForURL(`${demo.served.url}/`)
        for (const [key, path] of Object.entries({ p: 'performance', d: 'graph', w: 'rows', a: 'alerts' })) {
          await page.keyboard.press('g')
          await page.keyboard.press(key)
          await page.waitForURL(`**/${path}`)
        }
        await page.close()
      },
      PATIENCE,
    )
  })
