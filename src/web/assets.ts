import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ArchiverError } from '../errors.ts'

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  woff2: 'font/woff2',
  svg: 'image/svg+xml',
}

export interface Asset {
  readonly type: string
  readonly body: Uint8Array
}

/** What the pages load, read once. Each name holds the hash of its content, so a browser may keep it for ever. */
export interface Assets {
  readonly names: {
    readonly page: string
    readonly theme: string
    readonly style: string
    readonly sans: string
    readonly mono: string
  }
  readonly files: ReadonlyMap<string, Asset>
}

// The icon has no xmlns in the pages; as a file of its own it needs one to be an image. It names a format and is never fetched.
const ICON = [
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">',
  '<rect x="1" y="1" width="30" height="30" rx="7" fill="#0d3b44"/>',
  '<path d="M7 9h3v3H7zM12 9h3v3h-3zM17 9h3v3h-3zM22 9h3v3h-3zM7 14.5h3v3H7zM12 14.5h3v3h-3zM17 14.5h3v3h-3zM7 20h3v3H7zM12 20h3v3h-3z" fill="#8fd0d2"/>',
  '<path d="M23.5 13.6l2.4 2.4-2.4 2.4-2.4-2.4z" fill="#ff8a5c"/></svg>',
].join('')

/** Reads the built assets. Throws NOT_FOUND where the program was not built. */
export const readAssets = (directory: string): Assets => {
  try {
    const names = JSON.parse(readFileSync(join(directory, 'assets.json'), 'utf8')) as Assets['names']
    const files = new Map<string, Asset>(
      Object.values(names).map((name) => [
        name,
        {
          type: TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
          body: new Uint8Array(readFileSync(join(directory, name))),
        },
      ]),
    )
    files.set('icon.svg', { type: TYPES['svg'] ?? '', body: new TextEncoder().encode(ICON) })
    return { names, files }
  } catch (cause) {
    throw new ArchiverError('NOT_FOUND', `the page's script and styles are not in ${directory}`, {
      cause,
      hint: 'node scripts/build.mjs makes them',
    })
  }
}
