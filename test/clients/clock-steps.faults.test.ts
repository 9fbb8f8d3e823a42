import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '../../src/platform/host.ts'
import { openFile } from '../../src/sql/libsql-database.ts'
import { Tracker } from '../../src/tracking/client/tracker.ts'
import { canRun, PROGRAM } from './harness.ts'

const HOUR = 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'clock-'))
const ledger = join(folder, 'ledger.db')
const env = { ...process.env, MONITOR_DB_CONN: `sqlite:${ledger}`, MONITOR_SPOOL_DIR: join(folder, 'spool') }
let silent: Server
beforeAll(async () => {
  const made = spawnSync(process.execPath, [PROGRAM, 'track', 'migrate-schema'], { env, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr)
  silent = createServer(() => undefined)
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done))
})
afterAll(() => {
  silent.close()
  rmSync(folder, { recursive: true, force: true })
})
const seconds = (table: string, start: string, end: string, task: string): number[] => {
  const database = openFile(ledger, 5000)
  try {
    const join = table === 'subtasks' ? 'subtasks s JOIN executions e USING (run_id)' : 'executions'
    const rows = database
      .prepare(
        `SELECT (julianday(${end}) - julianday(${start})) * 86400 AS n FROM ${join} WHERE task_name = ?`,
      )
      .all([task]) as { n: number }[]
    return rows.map(({ n }) => n)
  } finally {
    database.close()
  }
}
const bothOf = (task: string): number[] => [
  ...seconds('executions', 'execution_start', 'execution_end', task),
  ...seconds('subtasks', 's.started_at', 's.ended_at', task),
]

/** Seconds that an R script's execution and its two steps lasted whose clock goes so many milliseconds on: by the rows that wait in its spool. */
const rLasted = (client: string, step: number): number[] => {
  const own = mkdtempSync(join(folder, 'r-'))
  const body = `track_init("r"); genter("a"); Sys.time <- function() base::Sys.time() + ${step / 1000}; gexit(); genter("b"); track_finish()`
  writeFileSync(join(own, 'clock.R'), `source(${JSON.stringify(client)})\n${body}\n`)
  const away = {
    MONITOR_DB_CONN: 'http://127.0.0.1:9',
    RUN_ARCHIVER_TRACK: '',
    MONITOR_SPOOL_DIR: own,
    PATH: '/bin',
  }
  const ran = spawnSync('/usr/bin/Rscript', [join(own, 'clock.R')], {
    env: { ...process.env, ...away },
    encoding: 'utf8',
  })
  expect(ran.status).toBe(0)
  const spool = readFileSync(join(own, 'tracking-spool.jsonl'), 'utf8')
  const rows = spool
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { c: Record<string, string> }).c)
  return rows.flatMap((row) => {
    const [start, end] = [
      row['execution_start'] ?? row['started_at'],
      row['execution_end'] ?? row['ended_at'],
    ]
    return start && end ? [(Date.parse(`${end}Z`) - Date.parse(`${start}Z`)) / 1000] : []
  })
}

describe.each([
  ['back', -HOUR],
  ['forward', HOUR],
])('a clock that goes an hour %s', { timeout: 60_000 }, (way, step) => {
  it('in the middle of track run ends nothing before it began', () => {
    const shift = `const now = Date.now; Date.now = () => now() + (performance.now() > 1200 ? ${step} : 0)`
    const ran = spawnSync(
      process.execPath,
      [
        PROGRAM,
        'track',
        'run',
        '--task-name',
        `run ${way}`,
        '--',
        'sh',
        '-c',
        'echo ::progress 1/2 a; sleep 2; exit 3',
      ],
      {
        env: { ...env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}` },
        encoding: 'utf8',
      },
    )
    expect([ran.status, ran.stderr]).toEqual([3, ''])
    const lasted = bothOf(`run ${way}`)
    expect(lasted).toHaveLength(2)
    for (const one of lasted) expect(one).toBeGreaterThanOrEqual(step > 0 ? 3599 : 0)
  })
  it.skipIf(!canRun('/usr/bin/python3', '-c', '1'))('in a Python script ends nothing before it began', () => {
    const script = join(folder, 'clock.py')
    const library = JSON.stringify(resolve('clients/python'))
    const body = `track_init("python ${way}"); genter("a")\nreal = time.time\ntime.time = lambda: real() + ${step / 1000}\ngexit(); genter("b"); track_finish()`
    writeFileSync(
      script,
      `import sys, time\nsys.path.insert(0, ${library})\nfrom pipeline_tracker import *\n${body}\n`,
    )
    expect(spawnSync('/usr/bin/python3', [script], { env, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    })
    const lasted = bothOf(`python ${way}`)
    expect(lasted).toHaveLength(3)
    for (const one of lasted) expect(one).toBeGreaterThanOrEqual(0)
  })
  it.skipIf(!canRun('/usr/bin/Rscript', '-e', '1'))('in an R script ends nothing before it began', () => {
    const lasted = rLasted(resolve('clients/R/track_status.R'), step)
    expect(lasted).toHaveLength(3)
    for (const one of lasted) expect(one).toBeGreaterThanOrEqual(0)
  })
  it('while a tracker closes does not lengthen what it waits for a service that does not answer', async () => {
    let offset = 0
    const quiet = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
    }
    const { port } = silent.address() as AddressInfo
    const tracker = new Tracker({
      ...{ place: { url: `sqlite:${ledger}`, folder, schema: 'tasker', password: undefined }, env: {} },
      ...{ runner: identity(), version: 'test', now: () => Date.now() + offset, log: quiet, timeout: 30_000 },
      lineage: { url: `http://127.0.0.1:${port}/`, token: undefined, file: undefined, namespace: 'n' },
    })
    tracker.init({ taskName: 'lineage' }).finish()
    const began = performance.now()
    const closing = tracker.close(500)
    offset = step
    await closing
    expect(performance.now() - began).toBeLessThan(5000)
  })
})

describe.skipIf(!canRun('/usr/bin/python3', '-c', '1'))(
  'a clock that goes back under a Python client without care',
  () => {
    it('control: makes the execution end before it began', () => {
      mkdirSync(join(folder, 'careless'))
      const text = readFileSync('clients/python/pipeline_tracker.py', 'utf8')
      writeFileSync(
        join(folder, 'careless', 'pipeline_tracker.py'),
        text.replace('max(self.updated, self.started)', 'self.updated'),
      )
      const script = join(folder, 'careless.py')
      const body = `track_init("careless")\nreal = time.time\ntime.time = lambda: real() - 3600\ntrack_finish()`
      writeFileSync(
        script,
        `import sys, time\nsys.path.insert(0, ${JSON.stringify(join(folder, 'careless'))})\nfrom pipeline_tracker import *\n${body}\n`,
      )
      expect(spawnSync('/usr/bin/python3', [script], { env }).status).toBe(0)
      expect(seconds('executions', 'execution_start', 'execution_end', 'careless')[0]).toBeLessThan(0)
    })
  },
)

describe.skipIf(!canRun('/usr/bin/Rscript', '-e', '1'))(
  'a clock that goes back under an R client without care',
  () => {
    it('control: makes the execution and its step end before they began', () => {
      const text = readFileSync('clients/R/track_status.R', 'utf8')
      const careless = join(folder, 'careless.R')
      writeFileSync(
        careless,
        text.replace(
          /max\(at, (?:\.track\$row\$execution_start|\.track\$steps\[\[i\]\]\$started_at)\)/g,
          'at',
        ),
      )
      expect(Math.min(...rLasted(careless, -HOUR))).toBeLessThan(0)
    })
  },
)
