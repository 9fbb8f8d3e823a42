// Builds dist/: the program and its worker threads, split into chunks that are loaded when a command needs them, so that `--help` stays quick.
import { spawnSync } from 'node:child_process'
import { build } from 'esbuild'
import { buildWeb } from './build-web.mjs'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'

const { version, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
// Built aside, and moved into place file by file (`publish`).
const aside = `dist.${process.pid}`
// Without comments and indents, two thirds of the text: it is read at each start and stays in memory. Names and the order of lines stay, for the
// stacks of bugs; so does a text of one byte a character, which one arrow in a comment of a library would double.
const short = { minifyWhitespace: true, lineLimit: 120 }
// These are needed at every start, and load three times faster inside the bundle: winston alone comes in eighty files.
const NEEDED_AT_ONCE = [
  ...['commander', 'yaml', 'zod', 'leven', 'kysely', 'p-limit'],
  ...['winston', 'winston-transport', 'proper-lockfile', 'write-file-atomic'],
]
const { stdout: commit } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' })
await build({
  entryPoints: {
    main: 'src/main.ts',
    worker: 'src/worker.ts',
    'records-worker': 'src/records-worker.ts',
    tracking: 'src/tracking-library.ts',
  },
  outdir: aside,
  bundle: true,
  splitting: true,
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  ...short,
  define: { __VERSION__: JSON.stringify(version), __COMMIT__: JSON.stringify(commit?.trim() ?? '') },
  external: Object.keys(dependencies).filter((name) => !NEEDED_AT_ONCE.includes(name)),
  loader: { '.sql': 'text', '.fcl': 'text' },
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; import { fileURLToPath as bundlePath } from 'node:url'; const require = bundleRequire(import.meta.url); const __filename = bundlePath(import.meta.url);",
  },
})
// What `track run` starts with: a file of its own, so that its command runs before the program is loaded.
await build({
  entryPoints: { 'early-command': 'src/early-command.ts' },
  outdir: aside,
  bundle: true,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
})
await buildWeb(aside)
// The start is no ES module, and says so.
copyFileSync('src/start.cjs', `${aside}/main.js`)
copyFileSync('src/small-heap.cjs', `${aside}/small-heap.cjs`)
writeFileSync(`${aside}/package.json`, '{ "type": "commonjs" }\n')
chmodSync(`${aside}/main.js`, 0o755)
if (process.argv.includes('--types')) {
  // The types of the library, for the package: it takes the compiler some seconds, so the tests' builds leave it out.
  const declare = ['tsc', '--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--rootDir', 'src']
  const { status } = spawnSync(
    'npx',
    [...declare, '--outDir', `${aside}/types`, '-p', 'tsconfig.types.json'],
    {
      stdio: 'inherit',
    },
  )
  if (status !== 0) process.exit(1)
}
publish()

/**
 * Puts what was built in the place of what is there, so that a program that starts or loads a part meanwhile finds all its files, of the old build or
 * of the new one: first the files that others name, each replaced at once, then those that are started, and only then what is no longer named goes.
 */
function publish() {
  const files = filesIn(aside).sort((a, b) => Number(isStarted(a)) - Number(isStarted(b)))
  for (const file of files) {
    mkdirSync(dirname(join('dist', file)), { recursive: true })
    renameSync(join(aside, file), join('dist', file))
  }
  const built = new Set(files)
  for (const file of filesIn('dist')) if (!built.has(file)) rmSync(join('dist', file))
  rmSync(aside, { recursive: true })
}
function filesIn(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}
function isStarted(file) {
  return !/-[A-Z0-9]{8}\./.test(file) && !file.includes('/')
}
