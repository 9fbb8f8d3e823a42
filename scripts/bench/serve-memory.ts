// Resident memory of `run-archiver serve` over many executions, and the processor time of an overview, beside a bare Node.
//   npx tsx scripts/bench/serve-memory.ts [executions] [V8's flags, such as --max-semi-space-size=4]
// LEDGER=file takes a ledger that is there (and changes one of its executions), PROGRAM=main.js another build, for figures in turn;
// CONFIG=config.yaml, whose ledger is that file, serves a site with its stores.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openFile } from '../../src/sql/libsql-database.ts'
import { SQLITE, statements } from './many-executions.ts'
import { build } from './site.ts'

const [count = '500000', ...flags] = process.argv.slice(2)
const COUNT = Number(count)
const OVERVIEWS = 40
const PORT = 18_090
const PAGES = [
  ...['/', '/history', '/performance', '/failures', '/graph', '/alerts', '/instances', '/rows', '/records'],
  `/executions/${COUNT}`,
]

const { CONFIG, LEDGER, PROGRAM } = process.env
if (CONFIG !== undefined) PAGES.push('/runs', '/api/v1/runs/map', '/api/v1/runs/bins?per=100')
if (PROGRAM === undefined) build()
const program = PROGRAM ?? 'dist/main.js'
const folder = mkdtempSync(join(tmpdir(), 'bench-serve-'))
const file = LEDGER ?? join(folder, 'ledger.db')
if (LEDGER === undefined) {
  spawnSync(process.execPath, [program, 'track', 'migrate-schema'], {
    env: { ...process.env, MONITOR_DB_CONN: `sqlite:${file}`, MONITOR_SPOOL_DIR: folder },
  })
  const database = openFile(file, 60_000)
  for (const statement of statements(SQLITE, COUNT)) database.exec(statement)
  database.close()
}
/** As a pipeline that reports: the newest execution has gone on. */
const change = (): void => {
  const database = openFile(file, 60_000)
  database.exec(`UPDATE executions SET revision = revision + 1 WHERE execution_id = ${COUNT}`)
  database.close()
}

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000
/** User and system time, milliseconds; the kernel counts in hundredths of a second. */
const processorMs = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
const of = CONFIG === undefined ? ['--ledger', `sqlite:${file}`] : ['--config', CONFIG]
const words = [...flags, program, 'serve', ...of, '--port', String(PORT)]
const server = spawn(process.execPath, words, { stdio: 'ignore' })
const pid = server.pid ?? 0
const get = async (path: string): Promise<void> => {
  const reply = await fetch(`http://127.0.0.1:${PORT}${path}`)
  await reply.arrayBuffer()
  if (!reply.ok) throw new Error(`${path}: ${reply.status}`)
}
try {
  for (let tries = 0; ; tries++)
    try {
      await get('/healthz')
      break
    } catch (error) {
      if (tries === 100) throw error
      await pause(100)
    }
  const started = processorMs(pid)
  const line = (what: string): void =>
    console.log(
      `${what}: ${residentMb(pid).toFixed(0)} MB, ${(residentMb(pid) / residentMb(bare.pid ?? 0)).toFixed(1)} of a bare Node`,
    )
  line('at its start')
  for (let i = 0; i < OVERVIEWS; i++) await get('/')
  const took = (processorMs(pid) - started) / OVERVIEWS
  const before = processorMs(pid)
  for (let i = 0; i < OVERVIEWS; i++) {
    change()
    await get('/')
  }
  const changed = (processorMs(pid) - before) / OVERVIEWS
  line(`after ${2 * OVERVIEWS} overviews`)
  for (let i = 0; i < 5; i++) for (const path of PAGES) await get(path)
  line('after five of every page')
  console.log(
    `an overview: ${took.toFixed(0)} ms of processor time, the first one with it; after a change: ${changed.toFixed(0)} ms`,
  )
} finally {
  server.kill()
  bare.kill()
  rmSync(folder, { recursive: true, force: true })
}
