// The page's script, style sheet and fonts, with their content's hash in each name, and assets.json, which says what is what.
import { build } from 'esbuild'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Builds into `<directory>/web`. Nothing in it is fetched from elsewhere when the page is shown. */
export const buildWeb = async (directory) => {
  const outdir = join(directory, 'web')
  const { metafile } = await build({
    entryPoints: {
      page: 'src/web/browser/page.ts',
      theme: 'src/web/browser/theme.ts',
      style: 'src/web/styles/page.css',
    },
    outdir,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.woff2': 'file' },
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
  })
  const names = Object.keys(metafile.outputs).map((path) => basename(path))
  const named = (pattern) => names.find((name) => pattern.test(name))
  const assets = {
    page: named(/^page-.*\.js$/),
    theme: named(/^theme-.*\.js$/),
    style: named(/^style-.*\.css$/),
    sans: named(/next-latin.*\.woff2$/),
    mono: named(/mono-latin.*\.woff2$/),
  }
  writeFileSync(join(outdir, 'assets.json'), `${JSON.stringify(assets, null, 2)}\n`)
}
