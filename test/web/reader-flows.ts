import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasChromium, openChromium } from './chromium.ts'
import type { ServedDemo } from './demo.ts'

const PATIENCE = 120_000
/** Milliseconds for one thing that a test waits for, so that the one which does not come is named. */
const ONE_WAIT = 30_000

if (!hasChromium) console.warn('SKIPPED: no Chromium: no flow is clicked through')

/** What a reader of a demo does on its pages, from one to the next. */
export const readerFlows = (demo: ServedDemo): void => {
  const json = async (path: string) => (await demo.served.send('GET', `/api/v1${path}`)).json
  const items = async (path: string) =>
    (await json(path))['items'] as readonly Readonly<Record<string, unknown>>[]
  /** The number of an execution that runs: the demo begins its task again as often as it ends. */
  const running = async (): Promise<string> => {
    const first = async () => (await items('/current'))[0]?.['id']
    await expect.poll(first, { timeout: ONE_WAIT }).toBeTypeOf('number')
    return String(await first())
  }

  describe('the reads behind the new figures', () => {
    it('have each subtask of a task, in its order, with its median', async () => {
      const steps = await items('/stats/DAILY_02_merge_hits/subtasks')
      expect(steps.map(({ name }) => name)).toEqual([
        'load sector files',
        'join hits and channels',
        'write merged table',
        'index',
      ])
      for (const { executions } of steps) expect(executions).toBe(20)
      const p50 = steps.map((step) => Number(step['p50']))
      expect(Math.max(...p50)).toBe(p50[1])
    })

    it('have the whole log of an execution, from its first line', async () => {
      const { status, type, text } = await demo.served.send(
        'GET',
        `/api/v1/executions/${await running()}/log.txt`,
      )
      expect([status, type]).toEqual([200, 'text/plain; charset=utf-8'])
      expect(text).toContain('INFO sector 1 merged')
    })

    it('compare two executions, and know no third', async () => {
      const [one, two] = await items('/executions?task=DAILY_01_pedestals&limit=2')
      const lines = await items(`/compare?a=${String(one?.['id'])}&b=${String(two?.['id'])}`)
      expect(lines.map(({ what }) => what)).toEqual(
        expect.arrayContaining(['Took', 'read channels', 'fit', 'write', 'Ended', 'Host']),
      )
      expect((await demo.served.send('GET', '/api/v1/compare?a=1&b=99999')).status).toBe(404)
    })
  })

  describe.skipIf(!hasChromium)('in Chromium a reader', { timeout: PATIENCE }, () => {
    let browser: Browser
    let context: BrowserContext
    let page: Page
    let troubles: string[]
    beforeAll(async () => void (browser = await openChromium()), PATIENCE)
    beforeEach(async () => {
      context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
      context.setDefaultTimeout(ONE_WAIT)
      context.setDefaultNavigationTimeout(PATIENCE / 2)
      page = await context.newPage()
      troubles = []
      page.on('console', (message) => {
        if (message.type() === 'error') troubles.push(message.text())
      })
      page.on('pageerror', (error) => troubles.push(error.message))
    })
    afterEach(async () => {
      await context.close()
      expect(troubles.join('\n')).toBe('')
    })
    const open = (path: string) => page.goto(demo.served.url + path)
    const pressed = (selector: string) => page.getAttribute(selector, 'aria-pressed')

    it('jumps to a run, an execution and a task from the box that / reaches', async () => {
      await open('/')
      for (const [word, goal] of [
        ['1 012', '/runs/1012'],
        ['#1', '/executions/1'],
        ['daily_03_dqm_plots', '/history?task=DAILY_03_dqm_plots'],
      ] as const) {
        await page.keyboard.press('/')
        await page.keyboard.type(word)
        await page.keyboard.press('Enter')
        await page.waitForURL(`**${goal}`)
      }
    })

    it('goes over the map by keys, and opens a run', async () => {
      await open('/runs')
      await page.waitForFunction(`document.querySelector('#celltext')?.textContent`)
      await page.keyboard.press('n')
      await expect.poll(() => page.textContent('#celltext')).toMatch(/Run 1.012: failed/)
      await page.focus('#atlas')
      await page.keyboard.press('ArrowRight')
      expect(await page.textContent('#celltext')).toMatch(/1.013/)
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('-')
      expect(await page.textContent('#map-sub')).toMatch(/hundred runs/)
      await page.keyboard.press('+')
      await page.click('[data-state="3"]')
      expect(await pressed('[data-state="3"]')).toBe('true')
      await page.keyboard.press('n')
      await page.focus('#atlas')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/runs/1012')
    })

    it('keeps a filter in the address, over a reload and while changes come', async () => {
      await open('/history')
      await page.selectOption('[name=standing]', 'failed')
      await page.click('.filters button')
      await page.waitForURL(/standing=failed/)
      const rows = await page.locator('#ex tbody tr').count()
      await page.fill('[name=q]', 'being typed')
      await page.waitForTimeout(2500)
      expect(await page.inputValue('[name=q]')).toBe('being typed')
      await page.reload()
      expect(await page.inputValue('[name=standing]')).toBe('failed')
      expect(await page.locator('#ex tbody tr').count()).toBe(rows)
    })

    it('keeps what is chosen and typed before the first changes come', async () => {
      let comes = (): void => undefined
      const held = new Promise<void>((done) => (comes = done))
      await page.route('**/events?*', async (route) => {
        await held
        await route.continue()
      })
      await open('/history')
      await page.selectOption('[name=standing]', 'failed')
      await page.fill('[name=host]', 'being typed')
      await page.evaluate(
        `document.activeElement.blur(); document.querySelector('#ex-h').textContent = 'old'`,
      )
      comes()
      await expect.poll(() => page.textContent('#ex-h'), { timeout: ONE_WAIT }).toBe('Executions')
      expect(await page.inputValue('[name=standing]')).toBe('failed')
      expect(await page.inputValue('[name=host]')).toBe('being typed')
    })

    it('sees a part that comes, in its place, and none that is gone', async () => {
      await page.route('**/events?*', (route) =>
        route.fulfill({
          contentType: 'text/event-stream',
          body: [
            'event: parts\ndata: {"ids":["b-new","b-executions"]}\n\n',
            'event: patch\ndata: {"id":"b-new","html":"<div class=\\"block\\" id=\\"b-new\\">The ledger is away.</div>"}\n\n',
          ].join(''),
        }),
      )
      await open('/history')
      await expect.poll(() => page.locator('main > .block').allTextContents()).toHaveLength(2)
      const blocks = await page.locator('main > .block').allTextContents()
      expect(blocks[0]).toBe('The ledger is away.')
      expect(blocks[1]).toContain('Executions')
    })

    it('ticks two executions, which stay ticked while changes come, and compares them', async () => {
      await open('/history?task=DAILY_01_pedestals')
      const boxes = page.locator('#ex tbody input[name=compare]')
      await boxes.nth(1).check()
      await boxes.nth(2).check()
      const ids = await Promise.all([1, 2].map((at) => boxes.nth(at).inputValue()))
      await page.waitForTimeout(2500)
      expect(await page.locator('#ex input:checked').count()).toBe(2)
      await page.click('text=Compare two')
      await page.waitForURL(/compare=/)
      for (const id of ids) expect(await page.textContent('#cmp thead')).toContain(`#${id}`)
      expect(page.url()).toContain('task=DAILY_01_pedestals')
    })

    it('opens an execution from its bar of the day', async () => {
      await open('/history')
      // The line of now lies over the bar of what runs, and over all of them just after midnight.
      expect(
        await page.evaluate(`getComputedStyle(document.querySelector('#gantt .nowl')).pointerEvents`),
      ).toBe('none')
      await page.locator('#gantt .gl a rect').first().click()
      await page.waitForURL(/executions\/\d+/)
    })

    it('sees a running execution go on, pauses it, and catches up', async () => {
      await open(`/executions/${await running()}`)
      const part = () => page.textContent('#prog .pl.sub span')
      const before = await part()
      await expect.poll(part, { timeout: ONE_WAIT }).not.toBe(before)
      await page.keyboard.press('p')
      expect(await pressed('#live')).toBe('false')
      const paused = await part()
      await expect.poll(() => page.textContent('#live'), { timeout: ONE_WAIT }).toMatch(/Paused, \d+ new/)
      expect(await part()).toBe(paused)
      await page.keyboard.press('p')
      await expect.poll(part, { timeout: ONE_WAIT }).not.toBe(paused)
    })

    it('reads the log as it is written: new lines at the end, followed until one scrolls up', async () => {
      await open(`/executions/${await running()}`)
      const last = () => page.locator('#log .ln').last().textContent()
      const before = await last()
      await expect.poll(last, { timeout: ONE_WAIT }).not.toBe(before)
      const all = await page.locator('#log .ln').allTextContents()
      const numbers = all.flatMap((text) => /INFO sector (\d+) merged/.exec(text)?.[1] ?? []).map(Number)
      expect(numbers.length).toBeGreaterThan(2)
      // Each line once and in order, across the page that was loaded and the stream; every 90th is a warning instead.
      numbers.reduce(
        (one, next) => (expect(next - one).toBeGreaterThan(0), expect(next - one).toBeLessThan(3), next),
      )
      await page.evaluate(`document.querySelector('#log').scrollTop = 0`)
      await expect.poll(() => pressed('#follow')).toBe('false')
      await page.click('#follow')
      const atEnd = Number(
        await page.evaluate(
          `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('#log'))`,
        ),
      )
      expect(atEnd).toBeLessThan(30)
      await page.click('[data-level-filter=ERROR]')
      expect(await page.locator('#log .ln:visible').count()).toBe(0)
    })

    it('is asked before a stop and a retry, and cannot do either without signing in', async () => {
      await open(`/executions/${await running()}`)
      await page.click('[data-dialog=stop]')
      expect(await page.isDisabled('#stop .danger')).toBe(true)
      await page.keyboard.press('Escape')
      await open('/runs')
      await page.click('[data-dialog=retry]')
      expect(await page.isVisible('#retry')).toBe(true)
      expect(await page.locator('#retry button.pri:not([disabled])').count()).toBe(0)
    })

    it('chooses a theme and a zone, which are kept on the next page', async () => {
      await open('/')
      await page.keyboard.press('t')
      await page.keyboard.press('t')
      expect(await page.getAttribute('html', 'data-theme')).toBe('dark')
      await page.keyboard.press('z')
      await open('/failures')
      expect(await page.getAttribute('html', 'data-theme')).toBe('dark')
      expect(await page.textContent('#tz')).toBe('Local')
    })
  })
}
