import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
/** Whether there is a Chromium: what is tested in one is skipped by name where there is none. */
export const hasChromium = existsSync(CHROMIUM)

let browser: Promise<Browser> | undefined

/** The Chromium of this process: one, however many situations and files ask for it. */
export const openChromium = (): Promise<Browser> => {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return (browser ??= chromium.launch({ executablePath: CHROMIUM, args, timeout: 90_000 }))
}

/** The next file of this process that asks gets another one. */
export const closeChromium = async (): Promise<void> => {
  const closing = browser
  browser = undefined
  await (await closing)?.close()
}
