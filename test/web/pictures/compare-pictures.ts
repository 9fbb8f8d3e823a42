import type { Page } from 'playwright-core'

/** How two pictures differ; `picture` is the first one in grey with the pixels that differ in red, as base64 of a PNG. */
export interface Difference {
  readonly pixels: number
  /** The smallest box around them: left, top, width, height. */
  readonly box: readonly number[]
  readonly picture: string
}

/** Steps of 255 in a channel that no eye sees: a pixel that differs less is the same. */
const SHADE = 24

/** Runs in the browser, which can read a PNG: no library is needed for it. */
const COMPARE = `async ([one, other, shade]) => {
  const pixelsOf = async (png) => {
    const image = new Image()
    image.src = 'data:image/png;base64,' + png
    await image.decode()
    const canvas = new OffscreenCanvas(image.width, image.height)
    const context = canvas.getContext('2d', { willReadFrequently: true })
    context.drawImage(image, 0, 0)
    return context.getImageData(0, 0, image.width, image.height)
  }
  const [a, b] = [await pixelsOf(one), await pixelsOf(other)]
  if (a.width !== b.width || a.height !== b.height)
    return { pixels: a.width * a.height, box: [0, 0, b.width, b.height], picture: one }
  let pixels = 0
  let [left, top, right, bottom] = [a.width, a.height, 0, 0]
  for (let at = 0; at < a.data.length; at += 4) {
    const differs = [0, 1, 2].some((of) => Math.abs(a.data[at + of] - b.data[at + of]) > shade)
    const grey = 128 + (a.data[at] + a.data[at + 1] + a.data[at + 2]) / 6
    a.data.set(differs ? [220, 0, 0, 255] : [grey, grey, grey, 255], at)
    if (!differs) continue
    pixels += 1
    const x = (at / 4) % a.width
    const y = Math.floor(at / 4 / a.width)
    left = Math.min(left, x); right = Math.max(right, x)
    top = Math.min(top, y); bottom = Math.max(bottom, y)
  }
  const canvas = new OffscreenCanvas(a.width, a.height)
  canvas.getContext('2d').putImageData(a, 0, 0)
  const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return { pixels, box: pixels ? [left, top, right - left + 1, bottom - top + 1] : [], picture: btoa(text) }
}`

/** Compares two PNGs in a blank page of a browser. */
export const comparePictures = (blank: Page, one: Uint8Array, other: Uint8Array): Promise<Difference> => {
  const texts = [one, other].map((png) => Buffer.from(png).toString('base64'))
  return blank.evaluate<Difference>(`(${COMPARE})(${JSON.stringify([...texts, SHADE])})`)
}

/** How wide texts are in the fonts that the pages fall back to: other fonts, other pictures. */
const WIDTHS = `() => {
  const context = new OffscreenCanvas(9, 9).getContext('2d')
  return ['sans-serif', 'monospace', 'system-ui'].map((font) => {
    context.font = '20px ' + font
    return font + ' ' + context.measureText('Run 127 431: \u2039 archived \u2013 0O 1lI \u203a').width.toFixed(1)
  }).join(', ')
}`

/** What a picture depends on beside the page: the browser's major version, and the fonts of the machine. */
export const drawnWith = async (
  blank: Page,
): Promise<{ readonly chromium: string; readonly fonts: string }> => ({
  chromium: blank.context().browser()?.version().split('.')[0] ?? '',
  fonts: await blank.evaluate<string>(`(${WIDTHS})()`),
})
