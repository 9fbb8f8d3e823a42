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
import { build, median } from './site.ts'

const COUNT = Number(process.argv[2] ?? 500_000)
const ENGINES = process.argv.length > 3 ? process.argv.slice(3) : ['sqlite', 'postgres']
const TASKS = 60
const DAYS = 400
/** Milliseconds that a read may take. */
const MOST = 50

/** What differs between the two engines. `i` counts from 1; the newest execution is a minute old. */
interface Words {
  readonly numbers: (count: number) => string
  /** A time so many seconds before now. */
  readonly ago: (seconds: string) => string
  readonly uuid: (i: string) => string
  readonly day: (time: string) => string
  readonly table: (name: string) => string
}

const SQLITE: Words = {
  numbers: (count) =>
    `(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n) AS n`,
  ago: (seconds) => `strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || (${seconds}) || ' seconds')`,
  uuid: (i) => `printf('00000000-0000-4000-8000-%012x', ${i})`,
  day: (time) => `substr(${time}, 1, 10)`,
  table: (name) => name,
}
const POSTGRES: Words = {
  numbers: (count) => `generate_series(1, ${count}) AS n(i)`,
  ago: (seconds) => `(now() - (${seconds}) * interval '1 second')`,
  uuid: (i) => `('00000000-0000-4000-8000-' || lpad(to_hex(${i}), 12, '0'))::uuid`,
  day: (time) => `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  table: (name) => `tasker.${name}`,
}

const STEP = (DAYS * 86_400) / COUNT
const statements = ({ numbers, ago, uuid, day, table }: Words): string[] => {
  const start = `(${COUNT} - i) * ${STEP} + 60 + 700`
  const took = `(30 + ((i % 10007) * 7919) % 600)`
  const open = `i > ${COUNT} - 12`
  const at = (word: string, seconds: string): string =>
    `CASE WHEN ${open} THEN ${word} ELSE ${ago(seconds)} END`
  return [
    `INSERT INTO ${table('executions')} (run_id, task_name, task_stage, task_type, hostname, process_id, user_name, execution_start, execution_end,
       last_update, heartbeat_at, progress_at, execution_status, end_reason, exit_code, overall_percent_complete, overall_progress_message, error_message, error_detail,
       environment, counts, total_subtasks, current_subtask, subtask_name, subtask_status, items_attempted, items_failed, revision)
     SELECT ${uuid('i')}, 'TASK_' || (i % ${TASKS}), CASE i % 3 WHEN 0 THEN 'DAILY' WHEN 1 THEN 'STATIC' ELSE 'ARCHIVE' END, 'sh', 'host' || (i % 7), 1000 + i % 30000, 'pipeline',
       ${ago(start)}, ${at('NULL', `${start} - ${took}`)}, ${at(ago('5'), `${start} - ${took}`)}, ${at(ago('5'), `${start} - ${took}`)}, ${at(ago('5'), `${start} - ${took}`)},
       CASE WHEN ${open} THEN 'RUNNING' WHEN i % 50 IN (0, 3) THEN 'FAILED' WHEN i % 50 = 1 THEN 'CANCELLED' ELSE 'FINISHED' END,
       CASE WHEN ${open} THEN NULL WHEN i % 50 = 0 THEN 'error' WHEN i % 50 = 1 THEN 'signal' WHEN i % 50 = 2 THEN 'partial' WHEN i % 50 = 3 THEN 'terminated' ELSE 'ok' END,
       CASE WHEN ${open} THEN NULL WHEN i % 50 = 0 THEN 1 ELSE 0 END, 100, 'Task 2 of 2: writing', CASE WHEN i % 50 = 0 THEN 'no space left on device ' || i END,
       CASE WHEN i % 50 = 0 THEN 'Traceback of some length: ' || i END, '{"R_LIBS":"/usr/lib/R"}', '{"processed":5}', 2, 2, 'writing', 'COMPLETED', 5, 0, 5
     FROM ${numbers(COUNT)}`,
    `INSERT INTO ${table('subtasks')} (run_id, seq, name, state, started_at, ended_at, percent, revision)
     SELECT ${uuid('i')}, 1, 'loading', 'done', ${ago(start)}, ${ago(`${start} - ${took}`)}, 100, 5 FROM ${numbers(COUNT)}`,
    `INSERT INTO ${table('events')} (run_id, seq, at, kind, detail)
     SELECT ${uuid('i')}, 1, ${ago(start)}, 'state', '{}' FROM ${numbers(COUNT)}`,
    `INSERT INTO ${table('files')} (run_id, stage, run, file_name, state, result, file_size, started_at, ended_at, duration_ms, error_code, error_message, revision)
     SELECT ${uuid('i')}, 'import', i, 'run ' || i, CASE WHEN i % 40 = 0 THEN 'failed' ELSE 'done' END, 'stored', 150000, ${ago(start)}, ${ago(`${start} - 1`)}, 1000,
       CASE WHEN i % 40 = 0 THEN 'RECORD_INVALID' END, CASE WHEN i % 40 = 0 THEN 'run ' || i || ': no metadata.txt' END, 5 FROM ${numbers(COUNT)}`,
    `INSERT INTO ${table('process_metrics')} (run_id, at, cpu_percent, memory_mb)
     SELECT ${uuid(`${COUNT} - i % 12`)}, ${ago('i * 15')}, 50, 200 FROM ${numbers(20_000)}`,
    `INSERT INTO ${table('daily_stats')} (task_name, day, executions, ok, failed, killed, items, seconds, p50_seconds, p95_seconds)
     SELECT task_name, ${day('execution_start')}, COUNT(*), SUM(CASE WHEN end_reason = 'ok' THEN 1 ELSE 0 END), SUM(CASE WHEN end_reason = 'error' THEN 1 ELSE 0 END),
       SUM(CASE WHEN end_reason = 'signal' THEN 1 ELSE 0 END), 5, 300, 300, 600 FROM ${table('executions')} GROUP BY 1, 2`,
    `INSERT INTO ${table('tasks')} (task_name, enabled, schedule, expected_duration_minutes)
     SELECT 'TASK_' || i, 1, '60', 10 FROM ${numbers(TASKS - 1)}`,
    'ANALYZE',
  ]
}

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
    for (const statement of statements(SQLITE)) database.exec(statement)
    database.close()
  } else await onServer(name, ...statements(POSTGRES))
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
