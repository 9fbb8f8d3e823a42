// The budgets of the page: sizes as they are sent, time of each page over 500,000 executions and 10^6 runs, and a change for 100 readers.
//   npx tsx scripts/bench/page.ts [executions] [runs]
// Times are processor time of this process (the shared machine's load does not count) and, beside it, of the wall; each the median of nine
// after two. LEDGER=file takes a ledger that is there.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pageLedger } from '../../src/app/page-ledger.ts'
import { RunSet } from '../../src/common/run-set.ts'
import { openFile } from '../../src/sql/libsql-database.ts'
import { readAssets } from '../../src/web/assets.ts'
import type { RunsSnapshot } from '../../src/web/model.ts'
import { runMap } from '../../src/web/runs/run-map.ts'
import { pageServer } from '../../src/web/server.ts'
import { SQLITE, statements } from './many-executions.ts'
import { build, median } from './site.ts'

const COUNT = Number(process.argv[2] ?? 500_000)
const RUNS = Number(process.argv[3] ?? 1_000_000)
const QUIET = { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error }
const KB = 1000
let over = 0
const line = (what: string, value: number, budget: number, unit: string): void => {
  if (value > budget) over += 1
  console.log(
    `${value > budget ? 'OVER' : '    '} ${value.toFixed(1).padStart(9)} ${unit.padEnd(5)} of ${String(budget).padStart(5)}  ${what}`,
  )
}

build()
const zipped = (name: string): number => gzipSync(readFileSync(join('dist/web', name))).length / KB
const files = readdirSync('dist/web')
const sum = (kind: RegExp): number =>
  files.filter((name) => kind.test(name)).reduce((all, name) => all + zipped(name), 0)
line('scripts, gz', sum(/\.js$/), 40, 'kB')
line('styles, gz', sum(/\.css$/), 12, 'kB')
line('fonts', sum(/\.woff2$/), 60, 'kB')

const folder = mkdtempSync(join(tmpdir(), 'bench-page-'))
const file = process.env['LEDGER'] ?? join(folder, 'ledger.db')
if (process.env['LEDGER'] === undefined) {
  spawnSync(process.execPath, ['dist/main.js', 'track', 'migrate-schema'], {
    env: { ...process.env, MONITOR_DB_CONN: `sqlite:${file}`, MONITOR_SPOOL_DIR: folder },
  })
  const database = openFile(file, 60_000)
  for (const statement of statements(SQLITE, COUNT)) database.exec(statement)
  database.close()
}
const ledger = pageLedger({
  url: `sqlite:${file}`,
  workDir: folder,
  schema: 'tasker',
  password: undefined,
  foreignSilence: 3_600_000,
  version: 'bench',
  log: QUIET,
})
if (!ledger) throw new Error('no ledger')

/** A number that is the same for a run each time, and without a pattern that would compress. */
const scattered = (run: number): number => {
  const mixed = Math.imul(run ^ (run >>> 15), 0x2c1b3c6d)
  return (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) ^ (mixed >>> 15)) >>> 0
}

/** As the design counts: 1.2 % of the numbers never taken, 0.04 % failed, the last hundred on their way. */
const snapshotOf = (runs: number): RunsSnapshot => {
  const numbers = Array.from({ length: runs }, (_, i) => i + 1)
  const records = RunSet.of(numbers.filter((run) => scattered(run) % 1000 >= 12))
  const failed = RunSet.of([...records].filter((run) => scattered(run + 7) % 10_000 < 4))
  const artdaq = records.upTo(runs - 50).minus(failed)
  const archive = records.upTo(runs - 100).minus(failed)
  const marks = (set: RunSet) => ({
    known: true as const,
    value: { contiguous: set.lastContiguous, attempted: set.last ?? 0, failed },
  })
  const known = (value: RunSet) => ({ known: true as const, value })
  return {
    isListing: false,
    at: Date.now(),
    map: runMap({ records, artdaq, archive, failed, waiting: RunSet.EMPTY }),
    records: known(records),
    artdaq: known(artdaq),
    archive: known(archive),
    import: marks(artdaq),
    migrate: marks(archive),
    waiting: new Map(),
    lastSuccess: Date.now(),
    proof: undefined,
    advice: [],
    unreadable: [],
    missing: [],
  }
}
const snapshot = snapshotOf(RUNS)
const server = pageServer({
  sources: {
    site: 'bench',
    version: 'bench',
    now: Date.now,
    ledger,
    runs: {
      config: 'config.yaml',
      snapshot: () => Promise.resolve(snapshot),
      copies: () =>
        Promise.resolve({
          record: { is: 'absent' },
          artdaq: { is: 'absent' },
          archive: { is: 'absent' },
          comparedAt: undefined,
          damage: undefined,
        }),
    },
    logRoots: [],
    host: 'bench',
    redact: (text) => text,
  },
  assets: readAssets('dist/web'),
  place: () => '127.0.0.1:8090',
  keys: true,
  actions: undefined,
  hosts: new Set(['127.0.0.1:8090']),
  token: undefined,
  writeToken: undefined,
  base: '',
  secure: false,
  now: Date.now,
})
const ask = async (path: string): Promise<{ status: number; body: Buffer }> => {
  const reply = await server.fetch(
    new Request(`http://127.0.0.1:8090${path}`, { headers: { host: '127.0.0.1:8090' } }),
  )
  return { status: reply.status, body: Buffer.from(await reply.arrayBuffer()) }
}
const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const newest = await ledger.executions({ limit: 1 })
const id = newest.items[0]?.id ?? 1
const places: readonly (readonly [path: string, budget: number])[] = [
  ['/', 50],
  ['/runs', 100],
  ['/runs/500000', 100],
  ['/history', 100],
  ['/performance', 100],
  ['/performance?task=TASK_7&days=365', 100],
  ['/failures', 100],
  [`/executions/${id}`, 100],
  ['/alerts', 100],
  ['/api/v1/runs/map', 101],
  ['/api/v1/runs/bins?per=100', 50],
]
for (const [path, budget] of places) {
  const times: number[] = []
  const waits: number[] = []
  let body: Buffer = Buffer.alloc(0)
  for (let i = 0; i < 11; i++) {
    const [began, used] = [performance.now(), cpu()]
    const reply = await ask(path)
    if (reply.status !== 200)
      throw new Error(`${path}: ${reply.status} ${reply.body.toString().slice(0, 300)}`)
    body = reply.body
    if (i < 2) continue
    times.push(cpu() - used)
    waits.push(performance.now() - began)
  }
  line(
    `${path}  (wall ${median(waits).toFixed(0)} ms, ${(gzipSync(body).length / KB).toFixed(1)} kB gz)`,
    median(times),
    budget,
    'ms',
  )
}

// A hundred readers of the overview: one change, from its being written to the last of them.
const seen: number[] = []
let written = Infinity
const leave = Array.from({ length: 100 }, () =>
  server.hub.enter({
    path: '/',
    mayAct: false,
    send: () => {
      if (performance.now() > written) seen.push(performance.now() - written)
    },
  }),
)
await new Promise((done) => setTimeout(done, 4000))
const database = openFile(file, 60_000)
const before = cpu()
written = performance.now()
database.exec(
  `UPDATE executions SET revision = revision + 1, overall_percent_complete = 41 WHERE execution_id = ${id}`,
)
database.close()
while (seen.length < 100 && performance.now() - written < 20_000)
  await new Promise((done) => setTimeout(done, 20))
line(
  'a change, to the last of 100 readers (wall)',
  seen.length < 100 ? Infinity : Math.max(...seen),
  1500,
  'ms',
)
line('a change, for 100 readers', cpu() - before, 500, 'ms')
for (const out of leave) out?.()
line('resident memory', process.memoryUsage.rss() / 1_000_000, 250, 'MB')
server.close()
await ledger.close()
rmSync(folder, { recursive: true, force: true })
console.log(over === 0 ? 'every budget is kept' : `${over} over their budget`)
process.exitCode = over === 0 ? 0 : 1
