import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { canonicalOf } from '../../../../src/stores/artdaqdb/format/canonical-export.ts'

// The program behind each stand-in of stand-in-tools.ts; which tool it is, its file's name says.
const tool = basename(process.argv[1] ?? '')
const words = process.argv.slice(2)
const folder = dirname(dirname(process.argv[1] ?? ''))
const uri = process.env['ARTDAQ_DATABASE_URI'] ?? ''
const database = uri.startsWith('filesystemdb://') ? uri.slice('filesystemdb://'.length) : join(folder, 'db')
const fault = (JSON.parse(readFileSync(join(folder, 'faults.json'), 'utf8')) as Record<string, string>)[tool]
appendFileSync(join(folder, 'calls'), `${JSON.stringify({ tool, words, uri })}\n`)

const option = (name: string): string => words[words.indexOf(name) + 1] ?? ''
const configurationOf = () => join(database, option('-r'), option('-c'))

const load = (): number => {
  const files = readdirSync(option('-p')).filter((name) => name.includes('.fcl'))
  // Division by zero when no file was loaded.
  if (files.length === 0) process.kill(process.pid, 'SIGFPE')
  let failed = 0
  const target = configurationOf()
  mkdirSync(target, { recursive: true })
  for (const [i, file] of files.entries()) {
    // With more than one thread about every other index entry is lost, and nobody is told.
    if (i > 0 && (fault === 'loses-a-document' || (option('-t') !== '1' && i % 2 === 1))) continue
    try {
      const text = canonicalOf(readFileSync(join(option('-p'), file), 'utf8'))
      const name = file.includes('schema.fcl') ? 'schema.fcl' : file
      writeFileSync(join(target, `${readdirSync(target).length}~${name}`), text)
    } catch {
      failed = 1
      process.stderr.write(`Failed loading ${file}\n`)
    }
  }
  process.stdout.write(
    `Loaded ${files.length} files with 1 threads in 3 msecs.\nAvarage file load time is 1 msecs.\n`,
  )
  return fault === 'fails' ? 1 : failed
}

const download = (): number => {
  const source = configurationOf()
  if (!existsSync(source)) return 1
  const below = join(option('-p'), option('-c').replace(/\d+$/, ''))
  mkdirSync(below, { recursive: true })
  for (const [i, entry] of readdirSync(source).entries()) {
    const name = entry.slice(entry.indexOf('~') + 1)
    if (fault === 'exports-in-part' && i > 0) process.stderr.write(`Error: cannot write ${name}\n`)
    else
      writeFileSync(
        join(name === 'schema.fcl' ? option('-p') : below, name),
        readFileSync(join(source, entry)),
      )
  }
  return 0 // also when files could not be written
}

const ask = (): number => {
  const [question, about = ''] = words
  // After an error of the database it prints what its function returned, and exits 0.
  if (fault === 'lists-errors') process.stdout.write('None\n')
  if (fault === 'lists-errors') return 0
  mkdirSync(database, { recursive: true }) // a query creates what it does not find
  const configurations = readdirSync(database).flatMap((run) =>
    readdirSync(join(database, run)).map((config) => ({
      name: `${run}/${config}`,
      path: join(database, run, config),
    })),
  )
  const marked = configurations.filter(({ path }) =>
    readdirSync(path).some((file) => file.endsWith('~schema.fcl')),
  )
  const listed = configurations
    .filter(({ name }) => name.startsWith(about.slice(0, -1)))
    .sort((a, b) => statSync(b.path).mtimeMs - statSync(a.path).mtimeMs)
  const answer = question === 'listVersions' ? marked : listed
  process.stdout.write(`${answer.map(({ name }) => name).join('\n')}\n`)
  return 0
}

const ssh = (): number => {
  if (fault === 'fails') {
    process.stderr.write('Host key verification failed.\n')
    return 255
  }
  const command = words.at(-1) ?? ''
  return spawnSync('/bin/sh', ['-c', command], { stdio: 'inherit' }).status ?? 137
}

const copy = (): number => {
  const [from = '', to = ''] = words.slice(-2).map((path) => path.replace(/^[^/:]+:/, ''))
  cpSync(from.replace(/\/\.$/, ''), to, { recursive: true })
  return 0
}

const run = { bulkloader: load, bulkdownloader: download, 'conftool.py': ask, ssh, scp: copy }[tool]
if (fault === 'hangs') setInterval(() => undefined, 1000)
else if (fault === 'shouts') {
  const shout = (): void => void process.stdout.write('x'.repeat(1 << 20), shout)
  shout()
} else process.exitCode = run?.() ?? 127
