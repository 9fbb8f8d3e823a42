// What `track run` costs: the time before its command starts, over `node -e 0`, and its own CPU while the command sleeps.
//   npx tsx scripts/bench/track-run.ts [seconds]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, median } from './site.ts'

const SECONDS = Number(process.argv[2] ?? 60)

build()
const folder = mkdtempSync(join(tmpdir(), 'bench-track-'))
const env = {
  ...process.env,
  MONITOR_DB_CONN: `sqlite:${join(folder, 'ledger.db')}`,
  MONITOR_SPOOL_DIR: folder,
}
const run = (...words: string[]) => spawnSync(process.execPath, words, { env, encoding: 'utf8' })
run('dist/main.js', 'track', 'migrate-schema')

/** Milliseconds from here to the command's first word. */
const started = (...before: string[]): number => {
  const stamp = join(folder, 'stamp')
  const began = Date.now()
  run(...before, 'sh', '-c', `date +%s%3N > ${stamp}`)
  return Number(readFileSync(stamp, 'utf8')) - began
}
const spawnBare = `require('node:child_process').spawnSync(process.argv[1], process.argv.slice(2))`
const track = ['dist/main.js', 'track', 'run', '--task-name', 'bench', '--no-log', '--']
const fifteen = (measure: () => number): number => median(Array.from({ length: 15 }, measure))
const bare = fifteen(() => started('-e', spawnBare))
const tracked = fifteen(() => started(...track))
console.log(
  `a command starts after ${tracked} ms, by node -e alone after ${bare} ms: ${tracked - bare} ms more; must stay below 60 ms`,
)
/** Seconds of CPU of the process and what it waited for. */
const cpuOf = (...words: string[]): number => {
  const timed = spawnSync('/usr/bin/time', ['-f', '%U %S', process.execPath, ...words], {
    env,
    encoding: 'utf8',
  })
  const [user = 0, system = 0] = (timed.stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  return user + system
}
const ends = cpuOf(...track, 'sleep', '0')
const sleeps = cpuOf(...track, 'sleep', String(SECONDS))
console.log(
  `while its command sleeps for ${SECONDS} s: ${(((sleeps - ends) / SECONDS) * 100).toFixed(2)} % CPU; must stay below 1 %`,
)
rmSync(folder, { recursive: true })
