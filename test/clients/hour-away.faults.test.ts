import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Served, TOKEN } from '../web/served.ts'
import { canRun, PROGRAM } from './harness.ts'

/** Steps of an hour with a call a second: each is entered, reports progress and ends. */
const STEPS = 1200

const served = new Served()
beforeAll(async () => {
  await served.start()
  // The first report makes the tables.
  await served.send('POST', '/api/v1/executions', { task_name: 'first' })
})
afterAll(() => served.remove())

const query = (statement: string): Record<string, unknown>[] => served.query(statement)

interface Client {
  readonly client: string
  readonly isHere: boolean
  /** Its words and its standard input, for a task of so many steps. */
  readonly command: (
    task: string,
    steps: number,
  ) => { readonly words: readonly string[]; readonly input?: string }
}

const file = (name: string, text: string): string => {
  const path = join(served.folder, name)
  writeFileSync(path, text)
  return path
}
const CLIENTS: readonly Client[] = [
  {
    client: 'library',
    isHere: true,
    command: (task, steps) => ({
      words: [
        process.execPath,
        file(
          `${task}.mjs`,
          `import { openTracking } from ${JSON.stringify(resolve('dist/tracking.mjs'))}
const tracking = openTracking({})
const execution = tracking.init({ taskName: '${task}' })
for (let i = 1; i <= ${steps}; i++) { execution.enter('step ' + i); execution.progress(i, ${steps}); execution.exit(); if (i % 10 === 0) await new Promise((done) => setImmediate(done)) }
execution.finish('well')
await tracking.close()
`,
        ),
      ],
    }),
  },
  {
    client: 'track pipe',
    isHere: true,
    command: (task, steps) => ({
      words: [process.execPath, PROGRAM, 'track', 'pipe'],
      input: [
        { op: 'init', task_name: task },
        ...Array.from({ length: steps }, (_, i) => [
          { op: 'enter', message: `step ${i + 1}` },
          { op: 'progress', items_complete: i + 1, items_total: steps },
          { op: 'exit' },
        ]).flat(),
        { op: 'finish', message: 'well' },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    }),
  },
  {
    client: 'Python',
    isHere: canRun('/usr/bin/python3', '-c', '1'),
    command: (task, steps) => ({
      words: [
        '/usr/bin/python3',
        file(
          `${task}.py`,
          `import sys
sys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})
from pipeline_tracker import *
track_init("${task}")
for i in range(1, ${steps} + 1):
    genter("step %d" % i); track_task_progress(i, ${steps}); gexit()
track_finish("well")
`,
        ),
      ],
    }),
  },
  {
    client: 'R',
    isHere: canRun('/usr/bin/Rscript', '-e', '1'),
    command: (task, steps) => ({
      words: [
        '/usr/bin/Rscript',
        file(
          `${task}.R`,
          `source(${JSON.stringify(resolve('clients/R/track_status.R'))})
track_init("${task}")
for (i in seq_len(${steps})) { genter("step {i}"); track_task_progress(i, ${steps}); gexit() }
track_finish("well")
`,
        ),
      ],
    }),
  },
]

const run = async (
  words: readonly string[],
  spool: string,
  url: string,
  input = '',
): Promise<{ readonly code: number | null; readonly errors: string }> => {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(MONITOR|TASKER|RUN_ARCHIVER)_/.test(key)),
  )
  const [program = '', ...rest] = words
  const child = spawn(program, rest, {
    cwd: served.folder,
    env: { ...env, MONITOR_DB_CONN: url, MONITOR_TOKEN: TOKEN, MONITOR_SPOOL_DIR: spool },
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise((done) => child.once('close', (code) => done({ code, errors })))
}
const AWAY = 'http://127.0.0.1:1'
/** What whoever reports next from there brings along. */
const sweep = (spool: string) =>
  run(
    [process.execPath, PROGRAM, 'track', 'run', '--task-name', 'sweep', '--', 'sleep', '3'],
    spool,
    served.url,
  )
const stepsOf = (task: string) =>
  query(
    `SELECT s.name, s.state, s.items_complete FROM subtasks s JOIN executions USING (run_id) WHERE task_name = '${task}' ORDER BY seq`,
  )
const endOf = (task: string) =>
  query(`SELECT execution_status, overall_progress_message FROM executions WHERE task_name = '${task}'`)

describe.each(CLIENTS.filter(({ isHere }) => isHere))(
  '$client, while the database is away for an hour of calls',
  { timeout: 240_000 },
  ({ client, command }) => {
    const name = client.replace(' ', '_')
    it('loses nothing: every step is there, once, with its end', async () => {
      const spool = join(served.folder, `spool-${name}`)
      const { words, input } = command(`hour_${name}`, STEPS)
      const { code, errors } = await run(words, spool, AWAY, input)
      expect(code).toBe(0)
      expect(errors.match(/given up/)).toBeNull()
      expect(endOf(`hour_${name}`)).toEqual([])
      expect((await sweep(spool)).code).toBe(0)
      expect(existsSync(join(spool, 'tracking-spool.jsonl'))).toBe(false)
      expect(endOf(`hour_${name}`)).toEqual([
        { execution_status: 'FINISHED', overall_progress_message: 'well' },
      ])
      expect(stepsOf(`hour_${name}`).map((step) => [step['name'], step['state']])).toEqual(
        Array.from({ length: STEPS }, (_, i) => [`step ${i + 1}`, 'done']),
      )
    })
  },
)

/** Each with its spool's limit set to 10 kB. */
const LIMITED = [
  {
    client: 'Python',
    words: () => [
      '/usr/bin/python3',
      file(
        'full.py',
        `import sys, time
sys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})
import pipeline_tracker as tracking
tracking.SPOOL_BYTES = 10_000
tracking.track_init("full_Python")
for i in range(40):
    tracking.genter("step %d" % i); tracking.gexit()
    if i % 10 == 9: time.sleep(1.2)
tracking.track_finish("well")
`,
      ),
    ],
  },
  {
    client: 'R',
    words: () => [
      '/usr/bin/Rscript',
      file(
        'full.R',
        `source(${JSON.stringify(resolve('clients/R/track_status.R'))})
.track$spool_bytes <- 10000
track_init("full_R")
for (i in 1:40) { genter("step {i}"); gexit() }
track_finish("well")
`,
      ),
    ],
  },
]

// Of the library and the shell commands: test/tracking/ledger/spool.test.ts.
describe.each(LIMITED.filter(({ client }) => CLIENTS.some((one) => one.client === client && one.isHere)))(
  '$client, whose spool is full',
  { timeout: 120_000 },
  ({ client, words }) => {
    it('gives up reports of progress alone, says how many, and keeps beginning, steps and end', async () => {
      const spool = join(served.folder, `full-${client}`)
      const { code, errors } = await run(words(), spool, AWAY)
      expect(code).toBe(0)
      expect(errors).toMatch(/\d+ (rows|reports of progress) were given up/)
      expect((await sweep(spool)).code).toBe(0)
      expect(endOf(`full_${client}`)).toEqual([
        { execution_status: 'FINISHED', overall_progress_message: 'well' },
      ])
      expect(stepsOf(`full_${client}`)).toHaveLength(40)
    })
  },
)
