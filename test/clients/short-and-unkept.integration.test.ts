import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFile } from '../../src/sql/libsql-database.ts'
import { canRun, PROGRAM } from './harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'short-'))
const ledger = join(folder, 'ledger.db')
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MONITOR|TASKER)_/.test(name))),
  MONITOR_DB_CONN: `sqlite:${ledger}`,
  MONITOR_SPOOL_DIR: join(folder, 'spool'),
}
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeAll(() => {
  const made = spawnSync(process.execPath, [PROGRAM, 'track', 'migrate-schema'], { env, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr)
})
const track = (words: readonly string[], input = '') =>
  spawnSync(process.execPath, [PROGRAM, 'track', ...words], { env, encoding: 'utf8', input, timeout: 60_000 })
const python = (body: string, more: Record<string, string> = {}) => {
  const script = join(folder, 'script.py')
  const library = JSON.stringify(resolve('clients/python'))
  writeFileSync(
    script,
    `import sys\nsys.path.insert(0, ${library})\nimport pipeline_tracker\nfrom pipeline_tracker import *\n${body}\n`,
  )
  return spawnSync('/usr/bin/python3', [script], {
    env: { ...env, ...more },
    encoding: 'utf8',
    timeout: 60_000,
  })
}
const memoryOf = (task: string) => {
  const database = openFile(ledger, 5000)
  try {
    const [row] = database
      .prepare('SELECT execution_status, memory_mb, peak_memory_mb FROM executions WHERE task_name = ?')
      .all([task]) as { execution_status: string; memory_mb: number; peak_memory_mb: number }[]
    return row && [row.execution_status, row.memory_mb > 0, row.peak_memory_mb >= row.memory_mb]
  } finally {
    database.close()
  }
}

describe('an execution that is shorter than the time between two signs of life', { timeout: 60_000 }, () => {
  it.each([
    ['finish', 'FINISHED'],
    ['error', 'FAILED'],
    ['status', 'CANCELLED'],
  ])('through track pipe has what its process held, by its end: %s', (op, word) => {
    const lines = [
      { op: 'init', task_name: `pipe ${op}`, process_id: process.pid },
      { op, status: word, message: 'm' },
    ]
    expect(track(['pipe'], lines.map((line) => `${JSON.stringify(line)}\n`).join('')).status).toBe(0)
    expect(memoryOf(`pipe ${op}`)).toEqual([word, true, true])
  })
  it.skipIf(!canRun('/usr/bin/python3', '-c', '1'))('of Python has what it held', () => {
    expect(python('track_init("python"); genter("a"); track_finish()').status).toBe(0)
    expect(memoryOf('python')).toEqual(['FINISHED', true, true])
  })
})

describe.skipIf(!canRun('/usr/bin/python3', '-c', '1'))('a Python script', { timeout: 60_000 }, () => {
  it('whose spool cannot be written hears that, and not that it was full', () => {
    writeFileSync(join(folder, 'a file'), '')
    const away = {
      MONITOR_DB_CONN: `sqlite:${folder}/none.db`,
      MONITOR_SPOOL_DIR: join(folder, 'a file', 'spool'),
    }
    const { status, stderr } = python('track_init("x"); genter("a"); track_finish()', away)
    expect(status).toBe(0)
    expect(stderr).toMatch(/^Warning: \d+ rows were given up: .*tracking-spool\.jsonl could not be written$/m)
    expect(stderr).not.toContain('was full')
  })
  it('has the connection of the first version, for SQL of its own, or None', () => {
    const ask =
      'con = pipeline_tracker._get_monitor_connection()\nprint(con and con.execute("SELECT count(*) >= 0 FROM executions").fetchone())'
    expect(python(ask)).toMatchObject({ stdout: '(1,)\n', stderr: '' })
    const none = python(ask, { MONITOR_DB_CONN: 'postgresql://nobody:geheim@127.0.0.1:1/none' })
    expect(none).toMatchObject({ status: 0, stdout: 'None\n' })
    expect(none.stderr).toMatch(/^Warning: Cannot connect to monitor database: /)
    expect(none.stderr).not.toContain('geheim')
    expect(python(ask, { MONITOR_DB_CONN: 'off' })).toMatchObject({ stdout: 'None\n', stderr: '' })
  })
})

describe('names and messages that SQL of its own wrote with control characters', { timeout: 60_000 }, () => {
  const ESCAPE = '\u001b]0;owned\u0007\u009b31m'
  const task = `evil\n${ESCAPE}\u202e\r task`
  const id = 'c0000000-0000-4000-8000-000000000001'
  beforeAll(() => {
    const database = openFile(ledger, 5000)
    database
      .prepare(
        `INSERT INTO executions (run_id, task_name, hostname, process_id, execution_start, last_update, execution_status, subtask_name, error_message, overall_progress_message, revision)
         VALUES (?, ?, 'h\u001b[2J', 1, '2026-01-02 03:04:05.000', '2026-01-02 03:04:05.000', 'FAILED', ?, ?, ?, 1)`,
      )
      .run([id, task, `step${ESCAPE}`, `error\n${ESCAPE}${'😀'.repeat(100)}`, `word${ESCAPE}`])
    database.close()
  })
  it.each([['current'], ['list'], ['history'], ['show', id], ['stats', '--since', '1000d']])(
    'steer no terminal, and are one line of: track %s %s %s',
    (...words) => {
      const { status, stdout, stderr } = track(words)
      expect([status, stderr]).toEqual([0, ''])
      expect(stdout).toContain('evil\\n')
      expect(stdout).not.toMatch(/[^\P{Cc}\n]|[\u202e\ufffd]/u)
    },
  )
  it('of any length leave room for the others in track list', () => {
    const lines = [
      { op: 'init', task_name: `long ${'x'.repeat(250)}` },
      { op: 'error', message: 'm'.repeat(900) },
    ]
    track(['pipe'], lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const { stdout } = track(['list'])
    expect(stdout).toContain(`long ${'x'.repeat(54)}…`)
    for (const line of stdout.split('\n')) expect(Array.from(line).length).toBeLessThan(250)
  })
  it('are escaped in each line of track export, which parses', () => {
    const { stdout } = track(['export'])
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { runId: string; task: string })
    expect(lines.find(({ runId }) => runId === id)?.task).toBe(task)
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
    const { stdout: shown } = track(['show', id, '--json'])
    expect(JSON.parse(shown)).toMatchObject({ progress: { task } })
    expect(shown).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
  })
})
