import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresAnswers } from '../postgres.ts'
import { canRun, TrackingSite } from './harness.ts'

const answers = await postgresAnswers()
const site = new TrackingSite()
beforeAll(async () => {
  if (answers) await site.create()
})
afterAll(() => (answers ? site.remove() : undefined))

const one = async (task: string): Promise<Record<string, unknown>> =>
  (await site.query(`SELECT * FROM pipeline_status WHERE script_name = '${task}'`))[0] ?? {}
const steps = (task: string) =>
  site.query(`SELECT s.name, s.state FROM tasker.subtasks s JOIN tasker.executions e USING (run_id)
    WHERE e.task_name = '${task}' ORDER BY s.seq`)

/** The example of the clients' documentation: an outer step, two inner steps for each state, 2n announced. */
const NESTED = {
  execution_status: 'FINISHED',
  total_tasks: 7,
  current_task: 7,
  overall_percent_complete: '100.00',
}

describe.skipIf(!answers)('a shell script', () => {
  it('reports step by step, from processes of its own', async () => {
    const { stdout } = site.track('init', '--task-name', 'DAILY_sh', '--total-subtasks', '2')
    const id = stdout.trim()
    for (const words of [
      ['enter', 'loading'],
      ['progress', '3', '8', '--message', 'Alaska'],
      ['exit'],
      ['finish', 'well'],
    ])
      expect(site.track(...words, '--run-id', id).status).toBe(0)
    expect(await one('DAILY_sh')).toMatchObject({
      run_id: id,
      task_stage: 'DAILY',
      execution_status: 'FINISHED',
      subtask_items_complete: '3',
      overall_progress_message: 'well',
    })
    expect(site.track('exit', '--run-id', id)).toMatchObject({ status: 0 })
  })
  it('that is run by "track run" has its output, exit code and directives', async () => {
    const script = 'echo ::step one; echo "::progress 3/8 files"; echo hello; printf tail; exit 7'
    const ran = site.track('run', '--task-name', 'wrapped', '--', 'sh', '-c', script)
    expect(ran).toMatchObject({ status: 7, stdout: '::step one\n::progress 3/8 files\nhello\ntail' })
    const row = await one('wrapped')
    expect(row).toMatchObject({
      execution_status: 'FAILED',
      subtask_name: 'one',
      subtask_items_complete: '3',
    })
    expect(readFileSync(String(row['log_path']), 'utf8')).toBe(ran.stdout)
    const listed = JSON.parse(site.track('list', '--task', 'wrapped', '--json').stdout) as {
      executions: unknown[]
    }
    expect(listed.executions).toHaveLength(1)
  })
  it('keeps its exit code while the database is away, and its rows', async () => {
    const away = { MONITOR_DB_PORT: '1', MONITOR_SPOOL_DIR: join(site.folder, 'away') }
    const words = [
      resolve('dist/main.js'),
      'track',
      'run',
      '--task-name',
      'offline',
      '--',
      'sh',
      '-c',
      'exit 3',
    ]
    expect(site.run(process.execPath, words, away).status).toBe(3)
    expect(readFileSync(join(site.folder, 'away', 'tracking-spool.jsonl'), 'utf8')).toContain('offline')
    site.run(process.execPath, [resolve('dist/main.js'), 'track', 'init', '--task-name', 'x'], {
      MONITOR_SPOOL_DIR: join(site.folder, 'away'),
    })
    expect(await one('offline')).toMatchObject({ execution_status: 'FAILED' })
    expect(existsSync(join(site.folder, 'away', 'tracking-spool.jsonl'))).toBe(false)
  })
})

/** What the console showed of progress. */
const progressShown = (stdout: string): string[] =>
  [...stdout.matchAll(/^\[\d\d:\d\d:\d\d\] (Writing .*)$/gm)].map(([, text]) => text!)

const python = answers && canRun('/usr/bin/python3', '-c', 'import psycopg2')
describe.skipIf(!python)('a Python script', () => {
  const run = (name: string, body: string, env: Record<string, string> = {}) =>
    site.run(
      '/usr/bin/python3',
      [
        site.write(
          name,
          `import sys\nsys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})\nfrom pipeline_tracker import *\n${body}`,
        ),
      ],
      env,
    )
  it('with nested steps, old names and 100,000 reports', async () => {
    const ran = run(
      'nested.py',
      `
states = ["AK", "DE", "NV"]
track_init("DAILY_py", total_tasks=len(states) * 2)
genter("all")
for i, s in enumerate(states, 1):
    genter(f"loading {s}"); gexit()
    genter("writing"); track_task_progress(i, len(states), f"Writing {s}"); gexit()
for i in range(100000): track_task_progress(i + 1, 100000)
gexit()
track_finish("done")
`,
    )
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(progressShown(ran.stdout)).toEqual(['Writing AK', 'Writing DE', 'Writing NV'])
    expect(await one('DAILY_py')).toMatchObject({
      ...NESTED,
      task_stage: 'DAILY',
      subtask_items_complete: '100000',
    })
    expect((await steps('DAILY_py')).every(({ state }) => state === 'done')).toBe(true)
  })
  it('has measurements of its process with the items that it reports', async () => {
    const body = `import pipeline_tracker, threading, time
pipeline_tracker.HEARTBEAT_SECONDS = 0.5
held = [open("/dev/null") for _ in range(20)]
threading.Thread(target=time.sleep, args=(3,)).start()
track_init("py_measured")
genter("a"); track_task_progress(3, 8); gexit()
genter("b"); track_status(subtask_items_complete=4); track_task_progress(5)
time.sleep(2.5)
track_finish()
`
    expect(run('measured.py', body)).toMatchObject({ status: 0, stderr: '' })
    const [row] = await site.query(
      `SELECT m.* FROM tasker.process_metrics m JOIN tasker.executions e USING (run_id) WHERE task_name = 'py_measured' ORDER BY m.at DESC`,
    )
    expect(row).toMatchObject({ rows_processed: '8', threads: 3 })
    expect(Number(row?.['open_files'])).toBeGreaterThan(23)
    expect(Number(row?.['write_bytes'])).toBeGreaterThanOrEqual(0)
  })
  it.each([
    ['an exception', 'py_error', '1 / 0', 1, 'FAILED'],
    ['an exit code', 'py_exit', 'sys.exit(4)', 4, 'FAILED'],
    ['nothing', 'py_end', 'pass', 0, 'FINISHED'],
    ['a signal', 'py_term', 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)', null, 'CANCELLED'],
  ])('that ends by %s', async (_by, task, last, status, word) => {
    expect(run(`${task}.py`, `track_init("${task}")\ngenter("a")\n${last}\n`).status).toBe(status)
    expect(await one(task)).toMatchObject({ execution_status: word })
  })
  it('goes on without a database, and its rows are written later', async () => {
    const folder = join(site.folder, 'py-away')
    const ran = run(
      'away.py',
      'track_init("py_away")\ngenter("a")\ngexit()\ntrack_finish()\nprint("went on")\n',
      {
        MONITOR_DB_PORT: '1',
        MONITOR_SPOOL_DIR: folder,
      },
    )
    expect(ran.status).toBe(0)
    expect(ran.stdout).toContain('went on')
    run('back.py', 'track_init("py_back")\ntrack_finish()\n', { MONITOR_SPOOL_DIR: folder })
    expect(await one('py_away')).toMatchObject({ execution_status: 'FINISHED' })
    expect(await steps('py_away')).toHaveLength(1)
  })
})

const r = answers && canRun('Rscript', '-e', 'library(DBI)')
describe.skipIf(!r)('an R script', () => {
  const run = (name: string, body: string, env: Record<string, string> = {}) =>
    site.run(
      'Rscript',
      [site.write(name, `source(${JSON.stringify(resolve('clients/R/track_status.R'))})\n${body}`)],
      env,
    )
  const nested = (task: string): string => `
state_codes <- c("AK", "DE", "NV"); locations <- data.frame(a = 1:3)
track_init("${task}", total_tasks = length(state_codes) * 2)
genter('processing state location data')
for (i in seq_along(state_codes)) {
  state_code <- state_codes[i]
  genter("loading file for state '{state_code}'")
  gexit()
  genter("writing data to database")
  track_task_progress(i, length(state_codes), "Writing {state_code}: {nrow(locations)} rows")
  gexit()
}
gexit()
track_finish("Successfully processed {length(state_codes)} states")
`
  it('with nested steps and messages from its own frame, through the pipe', async () => {
    const ran = run('nested.R', nested('DAILY_r.R'))
    expect(ran.status).toBe(0)
    expect(progressShown(ran.stdout)).toEqual(['AK', 'DE', 'NV'].map((code) => `Writing ${code}: 3 rows`))
    expect(await one('DAILY_r.R')).toMatchObject({
      ...NESTED,
      task_type: 'R',
      overall_progress_message: 'Successfully processed 3 states',
    })
    expect((await steps('DAILY_r.R')).map(({ name }) => name)).toContain("loading file for state 'DE'")
  })
  it('directly to the database, without run-archiver', async () => {
    if (!canRun('Rscript', '-e', 'library(RPostgreSQL)')) return
    expect(run('direct.R', nested('DAILY_direct.R'), { RUN_ARCHIVER_TRACK: '' }).status).toBe(0)
    expect(await one('DAILY_direct.R')).toMatchObject(NESTED)
  })
  it('that fails keeps its exit code', async () => {
    expect(run('bad.R', 'track_init("r_bad")\ngenter("x")\nstop("no disk")\n').status).toBe(1)
    expect(await one('r_bad')).toMatchObject({ execution_status: 'FAILED', error_message: 'Error: no disk' })
  })
  it('that is killed is closed as terminated', async () => {
    run('killed.R', 'track_init("r_killed")\ngenter("x")\nSys.sleep(1)\ntools::pskill(Sys.getpid(), 9)\n')
    await expect
      .poll(() => one('r_killed'), { timeout: 20_000, interval: 500 })
      .toMatchObject({ execution_status: 'FAILED', end_reason: 'terminated' })
  })
})
