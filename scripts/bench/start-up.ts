// `--help` and an idle incremental pass over many archived runs, against `node -e 0`. Whole processes, medians of 15.
//   npx tsx scripts/bench/start-up.ts [runs]
import { spawnSync } from 'node:child_process'
import { makeRecords } from './make-records.ts'
import { build, makeSite, median } from './site.ts'

const RUNS = Number(process.argv[2] ?? 100_000)

build()
const time = (...words: string[]): number => {
  const began = performance.now()
  spawnSync(process.execPath, words)
  return performance.now() - began
}
const fifteen = (measure: () => number): number => median(Array.from({ length: 15 }, measure))
const bare = fifteen(() => time('-e', '0'))
const help = fifteen(() => time('dist/main.js', '--help'))
console.log(`node -e 0: ${bare.toFixed(0)} ms; --help: ${help.toFixed(0)} ms; must stay below 150 ms`)

const site = makeSite({ workers: 4 })
makeRecords(site.records, { first: 1, count: RUNS, files: 7, kilobytes: 5 })
site.run()
site.run('--incremental')
const idle = fifteen(() => site.run('--incremental'))
const rss = spawnSync(
  '/usr/bin/time',
  ['-f', '%M', process.execPath, 'dist/main.js', `${site.root}/config.yaml`, '--incremental'],
  { encoding: 'utf8' },
)
console.log(
  `idle pass over ${RUNS} archived runs: ${idle.toFixed(0)} ms, ${(idle / bare).toFixed(2)} × node -e 0; must stay below 1.5`,
)
console.log(
  `peak memory: ${(Number(rss.stderr.trim().split('\n').at(-1)) / 1024).toFixed(0)} MB; must stay below 150 MB`,
)
site.remove()
