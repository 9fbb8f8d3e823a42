import type { RunSet } from '../../common/run-set.ts'
import { ArchiverError } from '../../errors.ts'
import { PAGES } from '../components/frame.tsx'
import type { Assets } from '../assets.ts'
import { isoDay, minuteText } from '../text.ts'
import { fileOf, linksOf, staticHtml } from './static-html.ts'

export interface WrittenSource {
  /** The page at an address, as a reader without the token gets it. */
  readonly ask: (address: string) => Promise<{ readonly status: number; readonly html: string }>
  readonly assets: Assets
  /** Only these runs have a page: the map has a link for every number. */
  readonly taken: RunSet
  readonly now: number
  /** How many pages are written at most. */
  readonly most: number
}

export interface WrittenPages {
  /** By name. */
  readonly files: ReadonlyMap<string, string | Uint8Array>
  /** Whether there were more pages than could be written. */
  readonly isCut: boolean
}

/**
 * The files of the pages as they are now: those of the side list, and what they lead to, page by page, until there are `most`.
 * Throws LEDGER_UNAVAILABLE where the first page cannot be made.
 */
export const readPages = async (source: WrittenSource): Promise<WrittenPages> => {
  const addresses = new Set<string>(PAGES.map(([, , , path]) => path))
  const pages = new Map<string, string>()
  let isCut = false
  for (const address of addresses) {
    if (pages.size === source.most) {
      isCut = true
      break
    }
    const { status, html } = await source.ask(address)
    if (status === 200) {
      pages.set(address, html)
      for (const link of linksOf(html)) if (isWritten(link, address, source.taken)) addresses.add(link)
    } else if (address === '/')
      throw new ArchiverError('LEDGER_UNAVAILABLE', `the overview cannot be made: it answers ${status}`)
  }
  const written = new Set(pages.keys())
  const note = `Written on ${isoDay(source.now)} at ${minuteText(source.now)} UTC, and not changed since.`
  const files = new Map<string, string | Uint8Array>([
    ...[...source.assets.files]
      .filter(([name]) => !name.endsWith('.js'))
      .map(([name, { body }]) => [`assets/${name}`, body] as const),
    ...[...pages].map(
      ([address, html]) => [fileOf(address), staticHtml(html, address, { written, note })] as const,
    ),
  ])
  return { files, isCut }
}

/** A choice (behind the question mark) leads to no other one: the day before the day before has no end. */
const isWritten = (link: string, from: string, taken: RunSet): boolean => {
  if (link.includes('?') && from.includes('?')) return false
  const run = /^\/runs\/(\d+)$/.exec(link)?.[1]
  return run === undefined || taken.has(Number(run))
}
