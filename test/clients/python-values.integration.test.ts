import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresAnswers } from '../postgres.ts'
import { canRun, TrackingSite } from './harness.ts'

const PYTHON = '/usr/bin/python3'
const can = (await postgresAnswers()) && canRun(PYTHON, '-c', 'import psycopg2')
const site = new TrackingSite()
beforeAll(async () => {
  if (can) await site.create()
})
afterAll(() => (can ? site.remove() : undefined))

let number = 0
const run = async (body: string, env: Record<string, string> = {}) => {
  const task = `py ${++number}`
  const script = `import sys\nsys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})\nfrom pipeline_tracker import *\nTASK = "${task}"\n${body}\n`
  const spool = join(site.folder, `spool ${number}`)
  const ran = site.run(PYTHON, [site.write(`${number}.py`, script)], { MONITOR_SPOOL_DIR: spool, ...env })
  const [row] = await site.query(`SELECT * FROM tasker.executions WHERE task_name = '${task}'`)
  return { ...ran, row }
}

describe.skipIf(!can)('a Python script on PostgreSQL', () => {
  it.each([
    ['more steps than a column takes', 'track_init(TASK, 10**12)'],
    ['more steps done', 'track_init(TASK); track_status(current_subtask=2**31)'],
    ['more items', 'track_init(TASK); genter("a"); track_task_progress(10**30, 10**31)'],
    ['items below none', 'track_init(TASK); genter("a"); track_task_progress(-3, 5)'],
    ['infinitely many', 'track_init(TASK); genter("a"); track_task_progress(float("inf"), 5)'],
  ])('that reports %s has its end, and hears of it', async (_what, body) => {
    const ran = await run(`${body}\ntrack_finish()`)
    expect(ran.status).toBe(0)
    expect(ran.stderr).toMatch(/^Warning: (not a number|.* must be a whole number from 0 to \d+)/)
    expect(ran.row).toMatchObject({ execution_status: 'FINISHED', total_subtasks: null })
  })
  it('with names of any characters has them readable, and says them in any encoding', async () => {
    const odd = String.raw`'a\ud800 \x00 \n \u202e "\' ' + '\U0001f600'`
    const body = `track_init(TASK)\ngenter(${odd})\ntrack_status(subtask_message=${odd})\ntrack_finish(${odd})`
    for (const env of [
      {},
      { PYTHONIOENCODING: 'ascii' },
      { LC_ALL: 'C', PYTHONCOERCECLOCALE: '0', PYTHONUTF8: '0' },
    ]) {
      const ran = await run(body, env)
      expect(ran).toMatchObject({ status: 0, stderr: '' })
      expect(ran.stdout.match(/\] a/g)).toHaveLength(3)
      expect(ran.row).toMatchObject({
        execution_status: 'FINISHED',
        subtask_name: String.raw`a\u{d800} \u{0} \n \u{202e} "' ` + '\u{1F600}',
      })
    }
  })
  it('with names and messages of 300 kB goes on at once', async () => {
    const body = `import time
long, began = "a-" * 100000 + "x" * 100000, time.time()
track_init(TASK); genter(long); track_status(subtask_message=long); track_error(long, long + chr(10) + long)
print("seconds", "few" if time.time() - began < 5 else time.time() - began)`
    const ran = await run(body)
    expect(ran.stdout).toContain('seconds few')
    expect(ran.row).toMatchObject({ execution_status: 'FAILED' })
  })
  it('writes what it can of a spool, and reports beside a row that nobody can write', async () => {
    const spool = join(site.folder, 'poisoned')
    mkdirSync(spool)
    const row = (cells: object) =>
      `${JSON.stringify({ t: 'executions', c: { ...BASE, ...cells } })}\n`.replace(
        '"half"',
        String.raw`"\ud800"`,
      )
    writeFileSync(
      join(spool, 'tracking-spool.jsonl'),
      row({ run_id: '00000000-0000-4000-8000-000000000001', task_name: 'truth', exit_code: true }) +
        row({ run_id: '00000000-0000-4000-8000-000000000002', task_name: 'wrong', exit_code: 'x' }) +
        row({ run_id: '00000000-0000-4000-8000-000000000003', task_name: 'after', error_message: 'half' }),
    )
    const ran = await run('track_init(TASK)\ntrack_flush()\ntrack_finish()', { MONITOR_SPOOL_DIR: spool })
    expect(ran.row).toMatchObject({ execution_status: 'FINISHED' })
    expect(
      await site.query(
        "SELECT task_name, exit_code FROM tasker.executions WHERE task_name IN ('truth', 'wrong', 'after') ORDER BY 1",
      ),
    ).toEqual([
      { task_name: 'after', exit_code: null },
      { task_name: 'truth', exit_code: 1 },
    ])
    expect(readdirSync(spool)).toEqual(['tracking-spool.jsonl.refused'])
  })
  it('has every report written while what waits cannot be', async () => {
    const body = `import pipeline_tracker as pt
pt._Spool.replay = lambda self, write: 1 / 0
track_init(TASK); track_flush(); genter("a"); gexit(); track_flush(); track_finish()`
    const ran = await run(body)
    expect(ran.stderr).toContain('Warning: Failed to update status: division by zero')
    expect(ran.row).toMatchObject({ execution_status: 'FINISHED', current_subtask: 1 })
  })
})

const BASE = {
  hostname: 'h',
  process_id: 1,
  execution_start: '2026-11-29 10:00:00.000',
  last_update: '2026-11-29 10:00:00.000',
  execution_status: 'FAILED',
  revision: 1,
}
