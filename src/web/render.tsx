import { printable } from '../common/redact.ts'
import { Frame, Lead } from './components/frame.tsx'
import type { FrameFacts, View } from './view.ts'

/** Makes the addresses in a page begin at `base`. Quotes in texts are escaped, so an attribute's name and quote are only ever its own. */
const rebase = (html: string, base: string): string =>
  base === '' ? html : html.replace(/ (href|src|action|data-src|data-path)="\//g, ` $1="${base}/`)

/** A page as it is sent. */
export const renderPage = async (view: View, facts: FrameFacts, base: string): Promise<string> =>
  `<!doctype html>${rebase(await html(<Frame view={view} facts={facts} />), base)}`

/** The parts of a page that are sent again when they change, by their element's id. */
export const renderBlocks = async (view: View, base: string): Promise<ReadonlyMap<string, string>> => {
  const parts = new Map<string, string>()
  parts.set('lead', rebase(await html(<Lead view={view} />), base))
  for (const { id, body } of view.blocks)
    parts.set(
      id,
      rebase(
        await html(
          <div class="block" id={id}>
            {body}
          </div>,
        ),
        base,
      ),
    )
  return parts
}

const html = async (element: unknown): Promise<string> => visible(String(await element))

/** Control characters, and those that turn the direction of writing, for what stands around them too; not line ends and tabs, which HTML shows as blanks. */
const INVISIBLE = /[^\P{Cc}\t\n\r]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Shows the characters that cannot be seen: programs may report them. Our own mark-up has none. */
const visible = (page: string): string => page.replace(INVISIBLE, printable)
