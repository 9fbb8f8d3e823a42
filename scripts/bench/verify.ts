// `verify` and `scrub` of archived records against reading the same bytes twice, bare, in the same run: processor time, and time on the clock. They
// take turns, three times each; medians.
//   npx tsx scripts/bench/verify.ts [runs] [kilobytes]
import { execFileSync, spawnSync } from 'node:child_process'
import { makeRecords } from './make-records.ts'
import { build, makeSite, median } from './site.ts'

const RUNS = Number(process.argv[2] ?? 1000)
const KILOBYTES = Number(process.argv[3] ?? 150)
const ROUNDS = 3

/** Reads every file below the folders, twice, and takes the digest of each: what comparing cannot do without. */
const BARE = `
const { createHash } = require('node:crypto'), { readdirSync, readFileSync } = require('node:fs')
let bytes = 0
for (let time = 0; time < 2; time++)
  for (const root of process.argv.slice(1))
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) {
        const content = readFileSync(entry.parentPath + '/' + entry.name)
        bytes += content.length
        createHash('sha256').update(content).digest('hex')
      }
`
interface Took {
  readonly cpu: number
  readonly clock: number
}

/** Seconds, whole process. */
const timed = (...words: string[]): Took => {
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%U %S %e', process.execPath, ...words], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`)
  const [user = NaN, system = NaN, clock = NaN] = (stderr.trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number)
  return { cpu: user + system, clock }
}

build()
const site = makeSite({ workers: 2 })
makeRecords(site.records, { first: 1, count: RUNS, files: 40, kilobytes: KILOBYTES })
site.run()
const config = ['--config', `${site.root}/config.yaml`]
const work = {
  'reading twice': () => timed('-e', BARE, site.records, site.database, site.archive),
  verify: () => timed('dist/main.js', 'verify', ...config),
  'audit --deep': () => timed('dist/main.js', 'audit', '--deep', ...config),
  scrub: () => timed('dist/main.js', 'scrub', ...config),
}
const took: Record<string, Took[]> = {}
for (let round = 0; round < ROUNDS; round++)
  for (const [name, measure] of Object.entries(work)) (took[name] ??= []).push(measure())
const middle = (name: string, of: keyof Took): number => median((took[name] ?? []).map((one) => one[of]))
const size = execFileSync('du', ['-sbc', site.records, site.database, site.archive], { encoding: 'utf8' })
console.log(
  `${RUNS} records of ${KILOBYTES} kB: ${(parseInt(size.trim().split('\n').at(-1) ?? '') / 1e6).toFixed(0)} MB in all three places`,
)
for (const name of Object.keys(work)) {
  const share = (of: keyof Took): string => (middle(name, of) / middle('reading twice', of)).toFixed(2)
  console.log(
    `${name}: ${middle(name, 'cpu').toFixed(2)} s of processor time (${share('cpu')}), ${middle(name, 'clock').toFixed(2)} s (${share('clock')})`,
  )
}
site.remove()
