import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFile } from '../../src/sql/libsql-database.ts'
import { canRun, PROGRAM } from './harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'python-ends-'))
const ledger = join(folder, 'ledger.db')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeAll(() => {
  const env = { ...process.env, MONITOR_DB_CONN: `sqlite:${ledger}` }
  const made = spawnSync(process.execPath, [PROGRAM, 'track', 'migrate-schema'], { env, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr)
})

const versionOf = (python: string): string | undefined =>
  canRun(python, '-c', 'import sqlite3')
    ? spawnSync(python, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
        encoding: 'utf8',
      }).stdout.trim()
    : undefined
/** One of each version that is here: how Python ends differs between them. */
const pythons = new Map<string, string>()
for (const python of ['/usr/bin/python3', 'python3', ...(process.env['ARCHIVER_PYTHONS'] ?? '').split(':')]) {
  const version = python === '' ? undefined : versionOf(python)
  if (version !== undefined && !pythons.has(version)) pythons.set(version, python)
}

let number = 0
const run = (python: string, body: string, more: Record<string, string> = {}, words: string[] = []) => {
  const task = `task ${++number}`
  const script = join(folder, `${number}.py`)
  writeFileSync(
    script,
    `import sys\nsys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})\nfrom pipeline_tracker import *\nTASK = "${task}"\n${body}\n`,
  )
  const spool = join(folder, `spool ${number}`)
  const env = { ...process.env, MONITOR_DB_CONN: `sqlite:${ledger}`, MONITOR_SPOOL_DIR: spool, ...more }
  const ran = spawnSync(python, [script, ...words], { encoding: 'utf8', env, timeout: 60_000 })
  const database = openFile(ledger, 5000)
  try {
    const rows = database.prepare('SELECT * FROM executions WHERE task_name = ?').all([task]) as Record<
      string,
      unknown
    >[]
    const file = join(spool, 'tracking-spool.jsonl')
    return { ...ran, row: rows[0], rows, spool: existsSync(file) ? readFileSync(file, 'utf8') : '' }
  } finally {
    database.close()
  }
}
const begun = 'track_init(TASK); genter("a")'
const atLeast = (version: string, minor: number): boolean => Number(version.split('.')[1]) >= minor

describe.each([...pythons])('a script of Python %s', { timeout: 120_000 }, (version, python) => {
  it.each([
    ['sys.exit(7) in a finally', 'try: sys.exit(7)\nfinally: pass', 7, 'FAILED'],
    ['exit(6)', 'exit(6)', 6, 'FAILED'],
    ['quit()', 'quit()', 0, 'FINISHED'],
    ['a message', 'sys.exit("bad arguments")', 1, 'FAILED'],
    ['sys.exit(True)', 'sys.exit(1 == 1)', 1, 'FAILED'],
    ['sys.exit(-1)', 'sys.exit(-1)', 255, 'FAILED'],
    ['sys.exit(256), which the system takes for 0', 'sys.exit(256)', 0, 'FINISHED'],
    ['sys.exit(2**40 + 5)', 'sys.exit(2**40 + 5)', 5, 'FAILED'],
    ['sys.exit(2**70)', 'sys.exit(2**70)', 255, 'FAILED'],
    ['sys.exit(2) that it catches', 'try: sys.exit(2)\nexcept SystemExit: pass', 0, 'FINISHED'],
    ['exit(2) that it catches, and keeps', 'try: exit(2)\nexcept SystemExit as e: kept = e', 0, 'FINISHED'],
    [
      'sys.exit(9) in a thread',
      'import threading\nt = threading.Thread(target=lambda: sys.exit(9)); t.start(); t.join()',
      0,
      'FINISHED',
    ],
    ['os._exit(0) after its end', 'import os\ntrack_finish("well")\nos._exit(0)', 0, 'FINISHED'],
    ['os._exit(5) after an error', 'import os\ntrack_error("bad")\nos._exit(5)', 5, 'FAILED'],
    ['an error in atexit', 'import atexit\natexit.register(lambda: 1 / 0)', 0, 'FINISHED'],
    ['its end in atexit', 'import atexit\natexit.register(track_finish, "late")', 0, 'FINISHED'],
  ])('that ends by %s', (_by, last, code, word) => {
    const ran = run(python, `${begun}\n${last}`)
    expect(ran.stderr).not.toContain('Warning:')
    expect([ran.status, ran.row?.['execution_status']]).toEqual([code, word])
    if (code !== 0 && ran.row?.['error_message'] !== 'bad') expect(ran.row?.['exit_code']).toBe(code)
    expect(ran.spool).toBe('')
  })
  it.each([
    ['track_error("no disk")', 68.75],
    ['sys.exit(3)', 68.75],
    ['track_finish("well")', 100],
  ])('whose last step is at 3 of 8 when it says %s leaves the share at %d', (last, share) => {
    const steps =
      'track_init(TASK, total_subtasks=2); genter("a"); gexit(); genter("b"); track_task_progress(3, 8)'
    expect(run(python, `${steps}\n${last}`).row?.['overall_percent_complete']).toBe(share)
  })
  it('that raises SystemExit(5), or catches it', () => {
    // Before Python 3.12 nothing says with which code the script ended.
    const word = atLeast(version, 12)
      ? { execution_status: 'FAILED', exit_code: 5 }
      : { execution_status: 'FINISHED' }
    expect(run(python, `${begun}\nraise SystemExit(5)`).row).toMatchObject(word)
    const caught = `${begun}\ntry: raise SystemExit(5)\nexcept SystemExit: pass`
    expect(run(python, caught).row).toMatchObject({ execution_status: 'FINISHED' })
  })

  it('keeps its end where the database is away', () => {
    const ran = run(python, begun, { MONITOR_DB_CONN: `sqlite:${folder}/none.db` })
    expect(ran.status).toBe(0)
    expect(ran.spool).toContain('"FINISHED"')
  })
  it('keeps its end where the database hangs longer than it waits', () => {
    // Somebody holds the lock of the file meanwhile.
    const hold = `import sqlite3, pipeline_tracker\n${begun}\ntrack_flush()\nother = sqlite3.connect(${JSON.stringify(ledger)})\nother.execute("BEGIN EXCLUSIVE")\ngenter("b")\nimport time; time.sleep(1)`
    const ran = run(python, hold)
    expect(ran.status).toBe(0)
    expect(ran.spool).toContain('"FINISHED"')
  })

  it.each(['fork', 'spawn'])('is not ended or written to by what it starts: %s', (how) => {
    const pool = `import multiprocessing
def work(n):
    genter("in a worker") if sys.argv[1] == "fork" else None
    track_task_progress(n, 4)
    return n
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    ${begun}
    with multiprocessing.Pool(2) as pool: pool.map(work, range(4))
    gexit(); genter("b"); track_finish("parent")`
    expect(run(python, pool, {}, [how]).row).toMatchObject({
      ...{ execution_status: 'FINISHED', current_subtask: 2, overall_progress_message: 'parent' },
      error_message: null,
    })
  })
  it('keeps its row from a fork that ends by an exit code, or reports an execution of its own', () => {
    const body = `import os, time
${begun}
for own in (False, True):
    pid = os.fork()
    if pid == 0:
        if own: track_init(TASK)
        genter("in the child")
        sys.exit(3)
    os.waitpid(pid, 0)
import sqlite3
rows = lambda: sqlite3.connect(${JSON.stringify(ledger)}).execute("SELECT count(*) FROM executions WHERE task_name = ?", (TASK,)).fetchone()[0]
for _ in range(100):
    if rows() == 2: break
    time.sleep(0.1)
for row in sqlite3.connect(${JSON.stringify(ledger)}).execute("SELECT execution_status FROM executions WHERE task_name = ? ORDER BY execution_id", (TASK,)): print("row", row[0])
track_finish()`
    const ran = run(python, body)
    expect(ran.stdout.match(/^row .*/gm)).toEqual(['row RUNNING', 'row FAILED'])
    expect(ran.rows.map((row) => row['execution_status'])).toEqual(['FINISHED', 'FAILED'])
  })
  it('is forked in the middle of a write to SQLite, and its forks neither wait nor lose their executions', () => {
    const body = `import os, threading, time
${begun}
threading.Thread(target=lambda: [(track_task_progress(n, 9), track_flush()) for n in range(10**9)], daemon=True).start()
longest = 0
for n in range(40):
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        track_init(TASK)
        genter("in the child")
        sys.exit(3)
    os.waitpid(pid, 0)
    longest = max(longest, time.monotonic() - began)
print("longest", longest)
track_finish()`
    const ran = run(python, body)
    expect(ran.status).toBe(0)
    expect(ran.rows.filter((row) => row['execution_status'] === 'FAILED')).toHaveLength(40)
    // Two seconds are what an end waits for a thread that hangs.
    expect(Number(/^longest (.*)/m.exec(ran.stdout)?.[1])).toBeLessThan(2)
  })
})
