import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
/** Whether there is a Chromium: what is tested in one is skipped by name where there is none. */
export const hasChromium = existsSync(CHROMIUM)

let browser: Promise<Browser> | undefined

/** The Chromium of this test file: one, however many situations ask for it. */
export const openChromium = (): Promise<Browser> => {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return (browser ??= chromium.launch({ executablePath: CHROMIUM, args, timeout: 90_000 }))
}

export const closeChromium = async (): Promise<void> => (await browser)?.close()
