import { createHash } from 'node:crypto'
import { posix } from 'node:path'

/** The file that holds the page at an address, below the folder that all are written to. */
export const fileOf = (address: string): string => {
  const [path = '/', search = ''] = address.split('?', 2)
  const name = path === '/' ? 'index' : path.slice(1)
  if (search === '' && /^[\w-]+(?:\/[\w-]+)*$/.test(name)) return `${name}.html`
  // Names of tasks come from outside and may be anything.
  const digest = createHash('sha256').update(address).digest('hex').slice(0, 16)
  return `${/^[\w-]+/.exec(name)?.[0] ?? 'page'}/${digest}.html`
}

/** The address behind a link of a page, without the place in the page; undefined for what is no page or differs with each look. */
export const addressOf = (href: string): string | undefined => {
  const [address = ''] = unescaped(href).split('#', 1)
  if (!address.startsWith('/') || /^\/(?:api|assets|actions|done|search|login|events)\b/.test(address))
    return undefined
  return /[?&](?:cursor|compare)=/.test(address) ? undefined : address
}

/** The pages that a page leads to, each once, in its order. */
export const linksOf = (html: string): readonly string[] => [
  ...new Set(
    [...html.matchAll(/<a\b[^>]* href="([^"]*)"/g)].flatMap(([, href = '']) => addressOf(href) ?? []),
  ),
]

/**
 * A page as a file beside others: links lead to files of `written`, a link to anything else is plain text; what needs the server (forms,
 * buttons, dialogs, exports, the script) is left out. Texts in a page are escaped, so a tag that is found is one.
 */
export const staticHtml = (
  html: string,
  address: string,
  { written, note }: { readonly written: ReadonlySet<string>; readonly note: string },
): string => {
  const folder = posix.dirname(fileOf(address))
  const beside = (file: string): string => posix.relative(folder, file)
  return html
    .replace(/<link rel="preload"[^>]*>/g, '')
    .replace(/<script\b[^>]*>.*?<\/script>/gs, '')
    .replace(/<a class="ro".*?<\/a>/gs, '')
    .replace(/<dialog\b.*?<\/dialog>/gs, '')
    .replace(/<form\b[^>]* (?:method="post"|class="(?:filters|jump)").*?<\/form>/gs, '')
    .replace(/<\/?form\b[^>]*>|<input\b[^>]*>/g, '')
    .replace(/<button\b.*?<\/button>/gs, '')
    .replace(/<p class="exports">.*?<\/p>/gs, '')
    .replace(
      / (href|src)="\/assets\/([^"]*)"/g,
      (_, name: string, file: string) => ` ${name}="${beside(`assets/${file}`)}"`,
    )
    .replace(/ href="(\/[^"]*)"/g, (_, href: string) => {
      const target = addressOf(href)
      if (target === undefined || !written.has(target)) return ''
      const place = /#.*$/.exec(href)?.[0] ?? ''
      return ` href="${beside(fileOf(target))}${place}"`
    })
    .replace(/ (?:data-src|data-path|action)="\/[^"]*"/g, '')
    .replace(
      '<meta charset="utf-8"/>',
      `<meta charset="utf-8"/><meta http-equiv="Content-Security-Policy" content="${POLICY}"/>`,
    )
    .replace('<div id="connection" hidden=""></div>', `<p class="notice">${note}</p>`)
}

const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'"

const unescaped = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
