import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Served, TOKEN } from '../web/served.ts'
import { canRun, PROGRAM } from './harness.ts'

const served = new Served()
beforeAll(async () => {
  await served.start()
  await served.send('POST', '/api/v1/executions', { task_name: 'first' })
})
afterAll(() => served.remove())

/** Bytes that a spool may hold here. */
const LIMIT = 60_000
const REPORTS = 300
const AWAY = 'http://127.0.0.1:1'
const SPOOL = 'tracking-spool.jsonl'

interface Line {
  readonly t: string
  readonly x?: number
  readonly c: Readonly<Record<string, unknown>>
}
/** The lines of all files of a spool. */
const linesIn = (folder: string): Line[] =>
  readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0)

const run = async (words: readonly string[], folder: string, url = AWAY): Promise<string> => {
  const [program = '', ...rest] = words
  const child = spawn(program, rest, {
    cwd: served.folder,
    env: {
      ...process.env,
      MONITOR_DB_CONN: url,
      MONITOR_TOKEN: TOKEN,
      MONITOR_SPOOL_DIR: folder,
      RUN_ARCHIVER_TRACK: '',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  await new Promise((done) => child.once('close', done))
  return errors
}
const file = (name: string, text: string): string => {
  writeFileSync(join(served.folder, name), text)
  return join(served.folder, name)
}
const query = (statement: string): Record<string, unknown>[] => served.query(statement)

const CLIENTS = [
  {
    client: 'Python',
    isHere: canRun('/usr/bin/python3', '-c', '1'),
    source: resolve('clients/python/pipeline_tracker.py'),
    words: (name: string, source: string) => [
      '/usr/bin/python3',
      file(
        `${name}.py`,
        `import importlib.util, sys
spec = importlib.util.spec_from_file_location("pipeline_tracker", ${JSON.stringify(source)})
tracking = importlib.util.module_from_spec(spec); spec.loader.exec_module(tracking)
tracking.SPOOL_BYTES = ${LIMIT}
tracking.track_init("${name}")
tracking.genter("counts")
for i in range(1, ${REPORTS} + 1):
    tracking.track_task_progress(i, ${REPORTS}); tracking.track_flush()
tracking.track_finish("well")
`,
      ),
    ],
  },
  {
    client: 'R',
    isHere: canRun('/usr/bin/Rscript', '-e', '1'),
    source: resolve('clients/R/track_status.R'),
    words: (name: string, source: string) => [
      '/usr/bin/Rscript',
      file(
        `${name}.R`,
        `Sys.setenv(PATH = "/usr/bin:/bin"); source(${JSON.stringify(source)})
.track$spool_bytes <- ${LIMIT}
track_init("${name}"); .track$every <- 0
genter("counts")
for (i in seq_len(${REPORTS})) track_task_progress(i, ${REPORTS})
track_finish("well")
`,
      ),
    ],
  },
]

/** The reports of progress that are left, in the order of their writing, by how far they say it is. */
const progressOf = (lines: readonly Line[]): number[] =>
  lines
    .filter(({ t, x, c }) => t === 'executions' && x === 1 && c['subtask_items_complete'] != null)
    .map(({ c }) => Number(c['subtask_items_complete']))
    .sort((a, b) => a - b)

describe.each(CLIENTS.filter(({ isHere }) => isHere))(
  '$client, whose spool is full while the service is away',
  { timeout: 120_000 },
  ({ client, source, words }) => {
    const folder = (name: string): string => {
      mkdirSync(join(served.folder, name), { recursive: true })
      return join(served.folder, name)
    }

    it('gives up the oldest progress first: the newest is there, without a gap, and so are beginning and end', async () => {
      const name = `full_${client}`
      const errors = await run(words(name, source), folder(name))
      const lines = linesIn(folder(name))
      expect(bytesIn(folder(name))).toBeLessThan(LIMIT * 1.2)
      const kept = progressOf(lines)
      expect(kept.length).toBeGreaterThan(5)
      expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => REPORTS - kept.length + 1 + i))
      const outer = lines.filter(({ t, x }) => t === 'executions' && x === undefined).map(({ c }) => c)
      expect(Math.min(...outer.map(({ revision }) => Number(revision)))).toBeLessThan(5)
      expect(outer.map((cells) => cells['execution_status'])).toContain('FINISHED')
      const events = lines.filter(({ t, c }) => t === 'events' && c['kind'] === 'spool-full')
      expect(events.length).toBeGreaterThan(0)
      expect(new Set(events.map(({ c }) => c['seq'])).size).toBe(events.length)
      expect(errors).toMatch(/(\d+) (rows|reports of progress) were given up/)
      // What whoever reports next brings along.
      await run(
        [process.execPath, PROGRAM, 'track', 'run', '--task-name', 'sweep', '--', 'sleep', '3'],
        folder(name),
        served.url,
      )
      expect(readdirSync(folder(name)).filter((one) => one.startsWith(SPOOL))).toEqual([])
      expect(
        query(
          `SELECT execution_status s, overall_progress_message m FROM executions WHERE task_name = '${name}'`,
        ),
      ).toEqual([{ s: 'FINISHED', m: 'well' }])
      expect(
        query(
          `SELECT count(*) n FROM events JOIN executions USING (run_id) WHERE kind = 'spool-full' AND task_name = '${name}'`,
        ),
      ).toEqual([{ n: events.length }])
    })

    it('strips what another program left, but for what is written already and the rows it does not know', async () => {
      const name = `foreign_${client}`
      const line = (t: string, c: object, x = false): string =>
        `${JSON.stringify({ t, ...(x ? { x: 1 } : {}), c })}\n`
      const cells = {
        ...{ run_id: 'b0000000-0000-4000-8000-000000000001', task_name: `other ${client}`, hostname: 'h' },
        ...{
          process_id: 1,
          execution_start: '2026-01-02 03:04:05.678',
          last_update: '2026-01-02 03:04:06.000',
        },
      }
      const done = line('executions', { ...cells, execution_status: 'STARTED', revision: 1 })
      // A text that looks like columns is a text.
      const error_message = 'said "revision":999, "run_id":"x", "x":1}'
      const rows = [
        line('executions', { ...cells, execution_status: 'RUNNING', revision: 2 }, true),
        line('executions', {
          ...cells,
          execution_status: 'FAILED',
          end_reason: 'error',
          error_message,
          revision: 3,
        }),
        line('executions', { ...cells, execution_status: 'RUNNING', revision: 1 }),
        line('files', { run_id: cells.run_id, stage: 'import', file_name: '7', state: 'done', revision: 1 }),
        ...Array.from({ length: 200 }, (_, i) =>
          line(
            'process_metrics',
            { run_id: cells.run_id, at: `2026-01-02 03:04:07.${100 + i}`, cpu_percent: 1 },
            true,
          ),
        ),
        '{"t":"executions","c":{"run_id":"cut sho\n',
      ]
      const filler = 'x'.repeat(LIMIT)
      const size = Buffer.byteLength(done)
      writeFileSync(join(folder(name), `${SPOOL}.replay-4711.${size}`), `${done}${rows.join('')}${filler}\n`)
      await run(words(name, source), folder(name))
      const lines = linesIn(folder(name)).filter(({ c }) => c['run_id'] === cells.run_id)
      expect(lines.map(({ t, x, c }) => [t, x, c['revision'] ?? null])).toEqual([
        ['executions', undefined, 3],
        ['files', undefined, 1],
        ['events', undefined, null],
      ])
      expect(lines[0]?.c['error_message']).toBe(error_message)
      expect(JSON.parse(String(lines[2]?.c['detail']))).toEqual({ given_up: 201, why: 'the spool was full' })
      expect(readdirSync(folder(name))).toContain(`${SPOOL}.replay-4711.ends`)
    })
  },
)
