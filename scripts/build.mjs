// Builds dist/: one entry, split into chunks that are loaded when a command needs them, so that `--help` stays quick.
import { build } from 'esbuild'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const { version, dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
// Built aside and moved into place whole: a program that is running meanwhile finds all its chunks, the old ones or the new ones.
const aside = `dist.${process.pid}`
const missing = {
  name: 'missing',
  setup: (b) =>
    b.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) =>
      existsSync(join(resolveDir, path)) ? undefined : { path, external: true },
    ),
}
await build({
  entryPoints: { main: 'src/main.ts' },
  outdir: aside,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  plugins: [missing],
  define: { __VERSION__: JSON.stringify(version) },
  // commander and yaml are needed at every start and load three times faster inside the bundle.
  external: Object.keys({ ...dependencies, ...optionalDependencies }).filter(
    (name) => !['commander', 'yaml'].includes(name),
  ),
  loader: { '.sql': 'text', '.fcl': 'text' },
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
})
chmodSync(`${aside}/main.js`, 0o755)
rmSync('dist', { recursive: true, force: true })
renameSync(aside, 'dist')
