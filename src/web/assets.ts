import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ArchiverError } from '../errors.ts'

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  woff2: 'font/woff2',
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

// A picture of points: as SVG it would need an xmlns, the address of another host.
const ICON = [
  'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAAB4ElEQVR4nOyXyytEURzHv+fMzeua8kqxGDY2SlmSWSAl/AFWHsnO',
  'ij+A+ANYKQspC/+B1xTGwiA2s0CKIqRImjJeo3uPc+5jmpoHZtxzLXw295zvOfX93vP41aFwGSVJaWwtKS70jIKQJtEjBJXIAcZw',
  'zz9h3tiPvmozCG9HEsdJYqeopb2Lgs5zsRoOwIBbHfrwS2hrLSmA2tzRSSnWIQENercdwgzg95cWs4Jj3qmCBMRKRHVPA/YCj1QI',
  'KisYkGUuEFusUq1ftI0AhLEmSMb2VKxE8gNYnuY1JKQGsrE8lUxzpman4+3xkbGctVRQuIzrAYw64G3pYHCBp9AGcXQF/BV5X87J',
  'eAjbujvj7eBq4EfaaJ2KyXovJk6eMHP2jOwC9KQw+4Y24Cs0zAXi+/iuY/HqNaWH64cw4woEVwJZaeJvy/JpfAvS/b3A0VsgDuHO',
  'QyztuLgFChwkk7nNr5TiXPgvxX+jFDPG7iAZ29PaAhKGdExPcwXApAewPY0Amq7NcSkCabCI6WkFeNvfvoTOhiALRgYNT47H1mI3',
  'F6eKr/aAgLTxq+GFA1hPs97n3c1lW/MkTvi4vjiPlfsW8hTCayh555KXP05V5ID1OA3xxlL0Rev7OAweJY4TuMwnAAAA//+gJgM4',
  'AAAABklEQVQDAKkixrGcDly9AAAAAElFTkSuQmCC',
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
    files.set('icon.png', { type: 'image/png', body: new Uint8Array(Buffer.from(ICON, 'base64')) })
    return { names, files }
  } catch (cause) {
    throw new ArchiverError('NOT_FOUND', `the page's script and styles are not in ${directory}`, {
      cause,
      hint: 'node scripts/build.mjs makes them',
    })
  }
}
