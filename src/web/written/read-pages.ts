import { ArchiverError } from '../../errors.ts'
import { PAGES } from '../components/frame.tsx'
import type { Assets } from '../assets.ts'
import { isoDay, minuteText } from '../text.ts'
import { fileOf, linksOf, staticHtml } from './static-html.ts'

export interface WrittenSource {
  /** The page at an address, as a reader without the token gets it. */
  readonly ask: (address: string) => Promise<{ readonly status: number; readonly html: string }>
  readonly assets: Assets
  readonly now: number
  /** How many pages are written at most. */
  readonly most: number
}

/**
 * The files of the pages as they are now, by name: those of the side list, and what they lead to, page by page, until there are `most`.
 * Throws LEDGER_UNAVAILABLE where the first page cannot be made.
 */
export const readPages = async (source: WrittenSource): Promise<ReadonlyMap<string, string | Uint8Array>> => {
  const addresses = new Set<string>(PAGES.map(([, , , path]) => path))
  const pages = new Map<string, string>()
  for (const address of addresses) {
    if (pages.size === source.most) break
    const { status, html } = await source.ask(address)
    if (status === 200) {
      pages.set(address, html)
      for (const link of linksOf(html)) addresses.add(link)
    } else if (address === '/')
      throw new ArchiverError('LEDGER_UNAVAILABLE', `the overview cannot be made: it answers ${status}`)
  }
  const written = new Set(pages.keys())
  const note = `Written on ${isoDay(source.now)} at ${minuteText(source.now)} UTC, and not changed since.`
  return new Map<string, string | Uint8Array>([
    ...[...source.assets.files]
      .filter(([name]) => !name.endsWith('.js'))
      .map(([name, { body }]) => [`assets/${name}`, body] as const),
    ...[...pages].map(
      ([address, html]) => [fileOf(address), staticHtml(html, address, { written, note })] as const,
    ),
  ])
}
