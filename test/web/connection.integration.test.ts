import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { EventStream } from './event-stream.ts'
import { Served } from './served.ts'

const CHROMIUM = '/usr/bin/chromium'
const PATIENCE = 60_000
/** Keeps each stream that the page opens; `openStreams` says how many are not closed. */
const countStreams = `
  const streams = []
  window.EventSource = class extends EventSource {
    constructor(address) { super(address); streams.push(this) }
  }
  window.madeStreams = () => streams.length
  window.openStreams = () => streams.filter(({ readyState }) => readyState !== EventSource.CLOSED).length
`
if (!existsSync(CHROMIUM)) console.warn(`SKIPPED: no ${CHROMIUM}: no page loses its server`)

/** A page in Chromium that is live, and its server. */
const onLivePage = async (look: (page: Page, served: Served) => Promise<void>): Promise<void> => {
  const served = new Served()
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  await served.start()
  const browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: PATIENCE })
  try {
    const page = await browser.newPage()
    await page.addInitScript(countStreams)
    await page.goto(served.url)
    await expect.poll(() => page.textContent('#live'), { timeout: PATIENCE }).toContain('Live')
    await look(page, served)
  } finally {
    await browser.close()
    await served.remove()
  }
}

describe.skipIf(!existsSync(CHROMIUM))('a page whose server is killed and comes back', () => {
  it(
    'says since when it is not live, and goes on by itself',
    () =>
      onLivePage(async (page, served) => {
        const port = served.port
        await served.stop()
        await expect
          .poll(() => page.textContent('#connection'), { timeout: PATIENCE })
          .toMatch(/Not live since \d\d:\d\d:\d\d UTC\. Figures here are \d+ s old/)
        expect(await page.isVisible('#connection')).toBe(true)
        await served.start(port)
        await served.send('POST', '/api/v1/executions', { task_name: 'DAILY_back' })
        await expect.poll(() => page.isVisible('#connection'), { timeout: PATIENCE }).toBe(false)
        await expect.poll(() => page.textContent('main'), { timeout: PATIENCE }).toContain('DAILY_back')
      }),
    PATIENCE * 3,
  )

  it(
    'has one stream, when its reader comes back to the tab while a next try is due',
    () =>
      onLivePage(async (page, served) => {
        expect(await page.evaluate('openStreams()')).toBe(1)
        const port = served.port
        await served.stop()
        await expect.poll(() => page.isVisible('#connection'), { timeout: PATIENCE }).toBe(true)
        await served.start(port)
        await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`)
        await expect.poll(() => page.isVisible('#connection'), { timeout: PATIENCE }).toBe(false)
        // Longer than any try that can be due by now.
        await page.waitForTimeout(9000)
        expect(await page.evaluate('openStreams()')).toBe(1)
      }),
    PATIENCE * 3,
  )
})

/** A hundred readers, as many as a server takes. The page's own stream before it may have a place for a moment more: then one is asked for again. */
const takeAllPlaces = async ({ url }: Served): Promise<readonly EventStream[]> => {
  const streams: EventStream[] = []
  while (streams.length < 100) {
    const stream = await EventStream.open(`${url.replace(/\/$/, '')}/events?page=/tasks`)
    const { event } = await stream.next((one) => one.event === 'parts' || one.event === 'full')
    if (event === 'parts') streams.push(stream)
    else stream.close()
  }
  return streams
}

describe.skipIf(!existsSync(CHROMIUM))('a page for which the server has no place', () => {
  it(
    'says so, asks less and less often, and goes on where a place comes free',
    () =>
      onLivePage(async (page, served) => {
        await page.goto('about:blank')
        const streams = await takeAllPlaces(served)
        await page.goto(served.url)
        await expect
          .poll(() => page.textContent('#connection'), { timeout: PATIENCE })
          .toMatch(/The server has as many readers as it takes, since \d\d:\d\d:\d\d UTC/)
        const before = Number(await page.evaluate('madeStreams()'))
        const since = await page.textContent('#connection')
        await page.waitForTimeout(10_000)
        // Each second, it would be ten. One after 1, 2, 4 and 8 s.
        expect(Number(await page.evaluate('madeStreams()')) - before).toBeLessThan(5)
        expect(await page.isVisible('#connection')).toBe(true)
        const time = /since (\S+)/
        expect(time.exec((await page.textContent('#connection')) ?? '')?.[1]).toBe(
          time.exec(since ?? '')?.[1],
        )
        for (const stream of streams) stream.close()
        await expect.poll(() => page.isVisible('#connection'), { timeout: PATIENCE }).toBe(false)
        expect(await page.textContent('#live')).toContain('Live')
      }),
    PATIENCE * 4,
  )
})
