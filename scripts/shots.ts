// Pictures of every page for docs/shots: npx tsx scripts/shots.ts URL [--wide] of a page that runs, such as `npm run demo`'s. Needs chromium.
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const PAGES: readonly (readonly [name: string, path: string])[] = [
  ['overview', '/'],
  ['runs', '/runs'],
  ['run', '/runs/1012'],
  ['history', '/history'],
  ['execution', ''],
  ['performance', '/performance?days=90&task=DAILY_02_merge_hits'],
  ['failures', '/failures'],
  ['graph', '/graph'],
  ['rows', '/rows'],
  ['records', '/records'],
  ['instances', '/instances'],
  ['alerts', '/alerts'],
]
/** Bytes that a picture may have. */
const MOST = 200_000

const [url = 'http://127.0.0.1:8090', folder = 'docs/shots', ...sizes] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
const shapes = sizes.length === 0 ? ['1440-light'] : sizes
for (const shape of shapes) {
  const [width = '1440', scheme = 'light'] = shape.split('-')
  const context = await browser.newContext({
    colorScheme: scheme === 'dark' ? 'dark' : 'light',
    viewport: { width: Number(width), height: Number(width) < 800 ? 1200 : 900 },
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  for (const [name, path] of PAGES) {
    // The execution that runs now, else the newest.
    const address = path === '' ? await newest() : path
    await page.goto(url.replace(/\/$/, '') + address, { waitUntil: 'load' })
    await page.evaluate('document.fonts.ready')
    await page.waitForTimeout(400)
    const file = join(folder, shapes.length === 1 ? `${name}.png` : `${name}-${shape}.png`)
    await page.screenshot({ path: file })
    const { size } = statSync(file)
    console.log(`${file} ${size}`)
    if (size > MOST) process.exitCode = 1
  }
  await context.close()
}
await browser.close()

async function newest(): Promise<string> {
  const reply = await fetch(new URL('/api/v1/current', url))
  const { items } = (await reply.json()) as { readonly items: readonly { readonly id: number }[] }
  return `/executions/${items[0]?.id ?? 1}`
}
