// What `track run` costs: the time and the CPU until its command starts, against `node -e` that starts the same command, turn by turn, so that
// other load on the machine hits both; and its own CPU while the command sleeps.
//   npx tsx scripts/bench/track-run.ts [seconds] [turns]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, median } from './site.ts'

const SECONDS = Number(process.argv[2] ?? 60)
const TURNS = Number(process.argv[3] ?? 31)

build()
const folder = mkdtempSync(join(tmpdir(), 'bench-track-'))
const env = {
  ...process.env,
  MONITOR_DB_CONN: `sqlite:${join(folder, 'ledger.db')}`,
  MONITOR_SPOOL_DIR: folder,
}
const run = (...words: string[]) => spawnSync(process.execPath, words, { env, encoding: 'utf8' })
run('dist/main.js', 'track', 'migrate-schema')

interface Start {
  /** Milliseconds from here to the command's first word. */
  readonly wall: number
  /** Milliseconds on a processor that the main thread of whoever started it had had by then. */
  readonly cpu: number
}
const stamp = join(folder, 'stamp')
const started = (...before: string[]): Start => {
  const began = Date.now()
  run(...before, 'sh', '-c', `cat /proc/$PPID/schedstat > ${stamp}; date +%s%3N >> ${stamp}`)
  const [cpu = '', wall = ''] = readFileSync(stamp, 'utf8').split('\n')
  return { wall: Number(wall) - began, cpu: Number(cpu.split(' ')[0]) / 1e6 }
}
const spawnBare = `require('node:child_process').spawnSync(process.argv[1], process.argv.slice(2))`
const track = ['dist/main.js', 'track', 'run', '--task-name', 'bench', '--no-log', '--']
const turns = Array.from({ length: TURNS }, () => ({
  bare: started('-e', spawnBare),
  tracked: started(...track),
}))
const of = (which: 'bare' | 'tracked', what: keyof Start): number =>
  median(turns.map((turn) => turn[which][what]))
const more = (what: keyof Start): number =>
  median(turns.map(({ bare, tracked }) => tracked[what] - bare[what]))
for (const [what, name] of [
  ['wall', 'time'],
  ['cpu', 'CPU'],
] as const)
  console.log(
    `${name} until the command starts: ${of('tracked', what).toFixed(0)} ms, by node -e ${of('bare', what).toFixed(0)} ms: ` +
      `${(of('tracked', what) / of('bare', what)).toFixed(2)} ×, ${more(what).toFixed(0)} ms more; must stay below 60 ms`,
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
