import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Served } from './served.ts'

const CHROMIUM = '/usr/bin/chromium'
if (!existsSync(CHROMIUM))
  console.warn(`SKIPPED: no ${CHROMIUM}: the states are not told apart without colour`)

/** Which pixels of each picture are drawn, whatever their shade: '1' and '0', row by row, all of one size. Runs in the browser. */
const SHAPES = `async (pictures) => Promise.all(pictures.map(async (picture) => {
  const image = new Image()
  image.src = 'data:image/png;base64,' + picture
  await image.decode()
  const canvas = new OffscreenCanvas(48, 48)
  const context = canvas.getContext('2d')
  context.drawImage(image, 0, 0, 48, 48)
  const { data } = context.getImageData(0, 0, 48, 48)
  const shades = Array.from({ length: 48 * 48 }, (_, at) => data[at * 4])
  const most = Math.max(...shades.map((shade) => Math.abs(shade - shades[0])))
  return shades.map((shade) => (Math.abs(shade - shades[0]) > most / 2 ? '1' : '0')).join('')
}))`

describe.skipIf(!existsSync(CHROMIUM))('the states of a page without colour', () => {
  const served = new Served()
  beforeAll(() => served.start(), 60_000)
  afterAll(() => served.remove())

  it('each have a shape of their own, in both themes', async () => {
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    const browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: 60_000 })
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ colorScheme, deviceScaleFactor: 3, bypassCSP: true })
        await page.goto(`${served.url}/_parts`)
        await page.addStyleTag({ content: 'html { filter: grayscale(1) }' })
        const chips = page.locator('#p1 .chip')
        const words = (await chips.allTextContents()).map((word) => word.trim())
        expect(words.length).toBeGreaterThan(12)
        expect(new Set(words).size).toBe(words.length)
        const pictures: string[] = []
        for (const chip of await chips.all())
          pictures.push((await chip.locator('svg').first().screenshot()).toString('base64'))
        const blank = await browser.newPage()
        const shapes = await blank.evaluate<string[]>(`(${SHAPES})(${JSON.stringify(pictures)})`)
        const alike = shapes.flatMap((one, i) =>
          shapes.slice(i + 1).flatMap((other, j) => {
            const differs = one.split('').filter((pixel, at) => pixel !== other[at]).length
            return differs < one.length * 0.03 ? [`${words[i] ?? ''} and ${words[i + 1 + j] ?? ''}`] : []
          }),
        )
        expect(alike).toEqual([])
        for (const shape of shapes) expect(shape).toMatch(/1/)
        await page.close()
      }
    } finally {
      await browser.close()
    }
  }, 120_000)
})
