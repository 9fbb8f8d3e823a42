import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../../site.ts'
import { closeChromium, hasChromium, openChromium } from '../chromium.ts'
import { Served } from '../served.ts'

if (!hasChromium) console.warn('SKIPPED: there is no Chromium: the map is not drawn')

describe.skipIf(!hasChromium)('the map of runs with long numbers', () => {
  const site = new Site({})
  const served = new Served(site.config)
  beforeAll(async () => {
    site.record('1000003')
    site.archiver()
    await served.start()
  }, 60_000)
  afterAll(async () => {
    await served.stop()
    await closeChromium()
    site.remove()
  })

  it.each([1440, 400])('has room for the number of a row in a window of %i pixels', async (width) => {
    const browser = await openChromium()
    const headers = { authorization: `Bearer ${served.token}` }
    const page = await browser.newPage({ viewport: { width, height: 900 }, extraHTTPHeaders: headers })
    await page.goto(`${served.url}/runs`)
    /** How many pixels something is drawn on between two edges, in pixels of the page from the left edge of the map. */
    const drawn = (from: number, to: number): Promise<number> =>
      page.evaluate<number>(`(() => {
        const canvas = document.querySelector('canvas')
        const { data } = canvas.getContext('2d').getImageData(${from}, 0, ${to - from}, canvas.height)
        return data.filter((value, at) => at % 4 === 3 && value > 40).length
      })()`)
    await expect.poll(() => drawn(0, 300), { timeout: 20_000 }).toBeGreaterThan(100)
    expect(await drawn(0, 1)).toBe(0)
    // Its first digit begins right behind that (control).
    expect(await drawn(1, 14)).toBeGreaterThan(0)
    await page.close()
  })
})
