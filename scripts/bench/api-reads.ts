// How long each read of the API and each page takes over a ledger of many executions, in SQLite and in PostgreSQL.
//   npx tsx scripts/bench/api-reads.ts [executions] [sqlite|postgres ...]
// PostgreSQL: PGHOST, PGPORT, PGUSER; the database is made and dropped. The times are those of a client on this host: the best of seven
// after one, because another load makes reads slower and never faster; the median and the first are shown apart. KEEP=1 keeps the ledger and
// shows its place, for EXPLAIN; LEDGER=url reads one that was kept.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openFile } from '../../src/sql/libsql-database.ts'
import { openSession } from '../../src/sql/open-session.ts'
import { DAYS, POSTGRES, SQLITE, statements } from './many-executions.ts'
import { build, median } from './site.ts'

const COUNT = Number(process.argv[2] ?? 500_000)
const ENGINES = process.argv.length > 3 ? process.argv.slice(3) : ['sqlite', 'postgres']
/** Milliseconds that a read may take. */
const MOST = 50

build()
const folder = mkdtempSync(join(tmpdir(), 'bench-api-'))
const run = (url: string, ...words: string[]) =>
  spawnSync(process.execPath, ['dist/main.js', 'track', ...words], {
    env: { ...process.env, MONITOR_DB_CONN: url, MONITOR_SPOOL_DIR: folder },
    encoding: 'utf8',
  })

const { PGHOST = '127.0.0.1', PGPORT = '5432', PGUSER = 'postgres', PGPASSWORD = '' } = process.env
const server = (name: string): string => `postgres://${PGUSER}:${PGPASSWORD}@${PGHOST}:${PGPORT}/${name}`
const onServer = async (name: string, ...all: readonly string[]): Promise<void> => {
  const session = await openSession({
    url: server(name),
    password: undefined,
    timeout: 600_000,
  })
  for (const statement of all) await session.run(statement)
  await session.close()
}

const fill = async (engine: string): Promise<string> => {
  const name = `bench_api_${process.pid}`
  const url = engine === 'sqlite' ? `sqlite:${join(folder, 'ledger.db')}` : server(name)
  if (engine !== 'sqlite') await onServer('postgres', `CREATE DATABASE ${name}`)
  const made = run(url, 'migrate-schema')
  if (made.status !== 0) throw new Error(made.stderr)
  if (engine === 'sqlite') {
    const database = openFile(join(folder, 'ledger.db'), 60_000)
    for (const statement of statements(SQLITE, COUNT)) database.exec(statement)
    database.close()
  } else await onServer(name, ...statements(POSTGRES, COUNT))
  return url
}

const PLACES = (id: number, runId: string): string[] => {
  const api = [
    '/current /executions /executions?limit=1000 /executions?task=TASK_7 /executions?task=TASK_7&standing=failed /executions?standing=failed /executions?standing=terminated',
    '/executions?standing=running /executions?standing=reboot /executions?stage=DAILY /executions?stage=NONE /executions?host=host3 /executions?host=none /executions?q=device',
    '/executions?q=nothing-has-this /executions?q=TASK_5 /executions?from=2020-01-01&to=2020-02-01 /tasks /late /stages /stats /stats/TASK_7 /stats?days=400&limit=1000 /failures',
    `/executions/${id} /executions/${runId} /executions/${id}/subtasks /executions/${id}/events /executions/${id}/metrics /events-none`,
  ]
  const pages = `/ /history /history?standing=failed /history?q=device /history?q=nothing-has-this /history?day=2026-01-05 /failures /performance /executions/${id} /metrics /search?q=${runId} /search?q=${id}`
  return [
    ...api
      .join(' ')
      .split(' ')
      .map((path) => `/api/v1${path}`),
    ...pages.split(' '),
  ]
}

const ask = async (address: string): Promise<{ ms: number; status: number; text: string }> => {
  const began = performance.now()
  const reply = await fetch(address, { redirect: 'manual' })
  const text = await reply.text()
  return { ms: performance.now() - began, status: reply.status, text }
}

let slow = 0
for (const engine of ENGINES) {
  const began = performance.now()
  const url = process.env['LEDGER'] ?? (await fill(engine))
  console.log(
    `${engine}: ${COUNT} executions, filled in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  )
  const child = spawn(process.execPath, ['dist/main.js', 'serve', '--ledger', url, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const base = line.replace(/\/$/, '')
  const first = JSON.parse((await ask(`${base}/api/v1/executions?limit=1`)).text) as {
    items: { id: number; runId: string }[]
  }
  const { id = 1, runId = '' } = first.items[0] ?? {}
  const pageTwo = JSON.parse((await ask(`${base}/api/v1/executions?limit=1000`)).text) as { next: string }
  const middle = `${Date.now() - (DAYS / 2) * 86_400_000}-${Math.round(COUNT / 2)}`
  const places = [
    ...PLACES(id, runId),
    `/api/v1/executions?cursor=${pageTwo.next}`,
    `/api/v1/executions?cursor=${middle}&standing=failed`,
  ]
  for (const path of places) {
    const one = await ask(`${base}${path}`)
    const again: number[] = []
    for (let i = 0; i < 7; i++) again.push((await ask(`${base}${path}`)).ms)
    if (one.status >= 500) console.log(`refused: ${path}: ${one.text}`)
    const best = Math.min(...again)
    const isSlow = best > MOST
    if (isSlow) slow += 1
    console.log(
      `${isSlow ? 'SLOW' : '    '} ${best.toFixed(1).padStart(8)} ms, median ${median(again).toFixed(0).padStart(5)}, first ${one.ms.toFixed(0).padStart(6)} ms  ${one.status} ${path} ${one.text.length}`,
    )
  }
  child.kill()
  await once(child, 'exit')
  if (process.env['KEEP']) console.log(`kept: ${url}`)
  else if (engine !== 'sqlite') await onServer('postgres', `DROP DATABASE bench_api_${process.pid}`)
}
if (!process.env['KEEP']) rmSync(folder, { recursive: true, force: true })
console.log(slow === 0 ? `every read took at most ${MOST} ms` : `${slow} reads took longer than ${MOST} ms`)
process.exitCode = slow === 0 ? 0 : 1
