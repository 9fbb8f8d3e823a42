import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { canRun } from './harness.ts'

const PYTHON = '/usr/bin/python3'
const folder = mkdtempSync(join(tmpdir(), 'python-writer-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const scriptOf = (body: string): string => {
  const path = join(folder, 'script.py')
  const library = JSON.stringify(resolve('clients/python'))
  writeFileSync(
    path,
    `import sys\nsys.path.insert(0, ${library})\nimport pipeline_tracker as tracker\n${body}\n`,
  )
  return path
}
const environment = (more: Record<string, string> = {}) => ({
  ...process.env,
  ...{ MONITOR_DB_CONN: 'http://127.0.0.1:9', MONITOR_SPOOL_DIR: join(folder, 'spool') },
  ...more,
})
/** Runs a script that reaches no service: its rows wait in the spool. */
const spooled = (body: string, more: Record<string, string> = {}) => {
  rmSync(join(folder, 'spool'), { recursive: true, force: true })
  const ran = spawnSync(PYTHON, [scriptOf(body)], { env: environment(more), encoding: 'utf8' })
  expect([ran.status, ran.stderr.includes('Traceback')]).toEqual([0, false])
  const lines = readFileSync(join(folder, 'spool', 'tracking-spool.jsonl'), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line) => (JSON.parse(line) as { c: Record<string, unknown> }).c)
}

describe.skipIf(!canRun(PYTHON, '-c', '1'))('the writer of a Python pipeline', { timeout: 60_000 }, () => {
  it('writes what comes after a message that has no text', () => {
    const rows = spooled(`class Odd:
    def __str__(self): raise ValueError("no text")
tracker.track_init("odd"); tracker.genter("a"); tracker.track_status(subtask_message=Odd()); tracker.track_flush()
tracker.genter("b"); tracker.track_flush(); tracker.track_finish()`)
    expect(rows.at(-1)).toMatchObject({ name: 'b', state: 'done' })
    expect(rows.some((row) => row['subtask_progress_message'] === '<Odd without a text>')).toBe(true)
  })

  it('loses no execution that begins while it looks which of them have ended', () => {
    const rows = spooled(`tracker.track_init("first"); tracker.track_flush()
late = tracker.Execution("second", **{key: tracker._current.facts[key] for key in tracker._current.facts if key not in ("task_name", "stage")})
class List(list):
    def __iter__(self):
        yield from list.__iter__(self)
        if late not in list(list.__iter__(self)): list.append(self, late)  # just when it has seen all of them
tracker._writer.executions = List(tracker._writer.executions)
tracker.genter("a"); tracker.track_flush(); tracker.track_flush()
late.enter("b"); tracker.track_flush(); tracker.track_finish()`)
    expect(rows.map((row) => row['task_name'])).toContain('second')
  })

  it.each(['', 'soon'])('takes "%s" for no time between two tries', (seconds) => {
    expect(spooled('tracker.track_init("x")', { MONITOR_RETRY_SECONDS: seconds })).not.toHaveLength(0)
  })

  it('sends in halves what a service does not take at once', async () => {
    const taken: string[] = []
    const server = createServer((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        const body = Buffer.concat(pieces)
        const isLarge = body.length > 1_000_000
        const { rows } = JSON.parse(body.toString()) as { rows: { c: { task_name?: string } }[] }
        if (!isLarge) taken.push(...rows.map(({ c }) => c.task_name ?? ''))
        response.writeHead(isLarge ? 413 : 200).end(JSON.stringify({ written: rows.length, refused: [] }))
      })
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const script = scriptOf(`import threading
release = threading.Event()
real = tracker._Http.write
tracker._Http.write = lambda self, rows: (release.wait(20), real(self, rows))[1]
tracker.track_init("t0")
for i in range(1, 31):
    tracker._current.end("FAILED", "error", "broke", "\\u00e9" * 20000); tracker.track_init("t%d" % i)
release.set(); tracker.track_finish(); tracker.track_flush(20)`)
    const { port } = server.address() as AddressInfo
    const child = spawn(PYTHON, [script], {
      env: environment({
        MONITOR_DB_CONN: `http://127.0.0.1:${port}`,
        MONITOR_SPOOL_DIR: join(folder, 'halves'),
      }),
    })
    await new Promise((done) => child.once('close', done))
    server.close()
    expect(new Set(taken).size).toBe(31)
  })
})
