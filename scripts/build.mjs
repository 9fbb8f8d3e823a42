// Builds dist/: the program, what starts it and its worker threads, the library for tracking, and the page's files.
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
import Module from 'node:module'
import { basename, dirname, join, relative } from 'node:path'

const { version, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
// Built aside, and moved into place file by file (`publish`).
const aside = `dist.${process.pid}`
// Without comments and indents, two thirds of the text: it is read at each start and stays in memory. Names and the order of lines stay, for the
// stacks of bugs; so does a text of one byte a character, which one arrow in a comment of a library would double.
const short = { minifyWhitespace: true, lineLimit: 120 }
// These are needed at every start, and load three times faster inside the bundle: winston alone comes in eighty files. So does chokidar.
const INSIDE = [
  ...['commander', 'yaml', 'zod', 'leven', 'kysely', 'p-limit', 'chokidar'],
  ...['winston', 'winston-transport', 'proper-lockfile', 'write-file-atomic'],
]
const { stdout: commit } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' })
const common = {
  outdir: aside,
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  define: { __VERSION__: JSON.stringify(version), __COMMIT__: JSON.stringify(commit?.trim() ?? '') },
  loader: { '.sql': 'text', '.fcl': 'text' },
}
const external = Object.keys(dependencies).filter((name) => !INSIDE.includes(name))
// The program is one file, of which each part is run when a command asks for it, so that V8's compiled code can be kept beside it.
const { metafile } = await build({
  ...common,
  entryPoints: { program: 'src/program.ts' },
  entryNames: '[name]-[hash]',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  metafile: true,
  ...short,
  external,
  define: { ...common.define, 'import.meta.url': 'bundleUrl' },
  // Code that was compiled ahead has no import(): packages are loaded with require.
  supported: { 'dynamic-import': false },
  // As Node wraps a module: load-program.cjs need not put the text together, which is longer than all other memory of its start.
  banner: {
    js: `${Module.wrapper[0]}const bundleUrl = require('node:url').pathToFileURL(__filename).href;`,
  },
  footer: { js: Module.wrapper[1] },
})
const program = Object.keys(metafile.outputs)
  .map((path) => basename(path))
  .find((name) => name.endsWith('.cjs'))
// The library that other programs import.
await build({
  ...common,
  entryPoints: { tracking: 'src/tracking-library.ts' },
  splitting: true,
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  ...short,
  external,
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; import { fileURLToPath as bundlePath } from 'node:url'; const require = bundleRequire(import.meta.url); const __filename = bundlePath(import.meta.url);",
  },
})
// What threads run: a file of their own, for each keeps all that it loads in memory.
await build({
  ...common,
  entryPoints: { worker: 'src/worker.ts', 'records-worker': 'src/records-worker.ts' },
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  ...short,
  external,
  footer: { js: 'module.exports = module.exports.default;' },
})
// What runs before the program is loaded: the command of `track run`, and the end of a pass that has nothing to do.
await build({
  ...common,
  entryPoints: { 'early-command': 'src/early-command.ts', idle: 'src/idle.ts' },
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
})
await buildWeb(aside)
// The start is no ES module, and says so.
copyFileSync('src/start.cjs', `${aside}/main.js`)
copyFileSync('src/small-heap.cjs', `${aside}/small-heap.cjs`)
writeFileSync(
  `${aside}/load-program.cjs`,
  readFileSync('src/load-program.cjs', 'utf8').replace('__PROGRAM__', program),
)
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
// Without it the program starts, only more slowly.
const compiled = spawnSync(process.execPath, ['scripts/compile-program.mjs', aside], { encoding: 'utf8' })
if (compiled.status !== 0) console.error(`the program is not compiled ahead: ${compiled.stderr}`)
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
