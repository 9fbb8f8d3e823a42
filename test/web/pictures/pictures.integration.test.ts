import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { comparePictures, drawnWith } from './compare-pictures.ts'
import { FixedSite, NOW } from './fixed-site.ts'

const CHROMIUM = '/usr/bin/chromium'
const GOLDEN = join(import.meta.dirname, 'golden')
const MADE_WITH = join(GOLDEN, 'made-with.json')
/** RENEW_PICTURES=1 npx vitest run --project integration test/web/pictures: takes all of them anew; look at each before a commit. */
const RENEW = process.env['RENEW_PICTURES'] === '1'
const PATIENCE = 60_000
/** Pixels that may differ: what a new build of the same Chromium rounds in another way. A word that moved has more. */
const TOLERANCE = 120
/** Bytes that a picture may have. */
const MOST = 200_000

const PICTURES: readonly (readonly [
  name: string,
  path: string,
  width: number,
  height: number,
  theme: 'light' | 'dark',
])[] = [
  ['parts', '/_parts', 1024, 2400, 'light'],
  ['parts', '/_parts', 390, 3000, 'dark'],
  ['overview', '/', 1440, 900, 'light'],
  ['runs', '/runs', 1024, 780, 'dark'],
  ['history', '/history', 390, 900, 'dark'],
  ['execution', 'running', 1024, 700, 'light'],
  ['performance', '/performance?days=90&task=DAILY_02_merge_hits', 1024, 900, 'light'],
  ['graph', '/graph', 1440, 800, 'dark'],
]

if (!existsSync(CHROMIUM)) console.warn(`SKIPPED: no ${CHROMIUM}: no page is compared with its picture`)

describe.skipIf(!existsSync(CHROMIUM))('a page beside its picture', { timeout: PATIENCE }, () => {
  const site = new FixedSite()
  let browser: Browser
  let blank: Page
  let other = ''
  beforeAll(async () => {
    await site.start()
    const args = [
      '--force-color-profile=srgb',
      '--disable-lcd-text',
      '--font-render-hinting=none',
      '--disable-gpu',
    ]
    if (process.getuid?.() === 0) args.push('--no-sandbox')
    browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: PATIENCE })
    blank = await browser.newPage()
    const here = await drawnWith(blank)
    if (RENEW) writeFileSync(MADE_WITH, `${JSON.stringify(here, null, 2)}\n`)
    const made: unknown = JSON.parse(readFileSync(MADE_WITH, 'utf8'))
    if (JSON.stringify(made) !== JSON.stringify(here))
      other = `drawn with ${JSON.stringify(made)}, and here is ${JSON.stringify(here)}`
    if (other !== '') console.warn(`SKIPPED: no page is compared with its picture: they were ${other}`)
  }, PATIENCE * 2)
  afterAll(async () => {
    await browser.close()
    await site.stop()
  })

  const open = async (path: string, width: number, height: number, colorScheme: 'light' | 'dark') => {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height },
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
      locale: 'en-GB',
    })
    const page = await context.newPage()
    await page.clock.setFixedTime(NOW)
    await page.goto(site.url + (path === 'running' ? `/executions/${site.running}` : path))
    await page.evaluate('document.fonts.ready')
    // Charts and the map are drawn with the next frames; what changes comes by the stream, and is the same.
    if (path !== '/_parts' && !path.startsWith('/performance'))
      await page.waitForSelector('#live:not(.broken)', { state: 'attached' })
    await page.evaluate('new Promise((done) => setTimeout(() => requestAnimationFrame(done), 300))')
    return page
  }
  const shoot = async (page: Page): Promise<Uint8Array> => {
    const png = await page.screenshot({ animations: 'disabled', caret: 'hide' })
    return new Uint8Array(png)
  }

  it.for(PICTURES)(
    '%s (%s, %i x %i, %s) looks as it did',
    async ([name, path, width, height, theme], { skip }) => {
      const page = await open(path, width, height, theme)
      const picture = await shoot(page)
      await page.context().close()
      const file = join(GOLDEN, `${name}-${width}-${theme}.png`)
      if (RENEW) writeFileSync(file, picture)
      expect(statSync(file).size).toBeLessThan(MOST)
      if (other !== '') skip()
      const { pixels, box, picture: drawn } = await comparePictures(blank, readFileSync(file), picture)
      if (pixels <= TOLERANCE) return
      const folder = mkdtempSync(join(tmpdir(), 'pictures-that-differ-'))
      writeFileSync(join(folder, 'now.png'), picture)
      writeFileSync(join(folder, 'difference.png'), Buffer.from(drawn, 'base64'))
      expect.fail(
        `${pixels} pixels of ${file} differ, in the box ${box.join(', ')} (left, top, width, height): see ${folder}. If that is meant: RENEW_PICTURES=1 npx vitest run --project integration test/web/pictures`,
      )
    },
  )

  it.each([
    {
      what: 'an element that is shifted by two pixels',
      style: '#p1 .chip { position: relative; left: 2px }',
    },
    { what: 'a word in another colour', style: '#p3 .say { color: var(--accent) }' },
    { what: 'a panel that is gone', style: '#s3 { display: none }' },
  ])('finds $what (control)', async ({ style }) => {
    const page = await open('/_parts', 1024, 2400, 'light')
    const before = await shoot(page)
    expect((await comparePictures(blank, before, await shoot(page))).pixels).toBe(0)
    // The page's own policy forbids a style that is put into it; one that its script makes is allowed.
    await page.evaluate(
      `(() => { const sheet = new CSSStyleSheet(); sheet.replaceSync(${JSON.stringify(style)}); document.adoptedStyleSheets = [sheet] })()`,
    )
    const { pixels } = await comparePictures(blank, before, await shoot(page))
    expect(pixels).toBeGreaterThan(TOLERANCE)
    await page.context().close()
  })
})
