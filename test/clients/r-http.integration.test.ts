import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootId } from '../../src/platform/host.ts'
import { Served, TOKEN } from '../web/served.ts'
import { canRun } from './harness.ts'

const served = new Served()
beforeAll(() => served.start())
afterAll(() => served.remove())

const query = (statement: string): Record<string, unknown>[] => served.query(statement)
const executionOf = (task: string) => query(`SELECT * FROM executions WHERE task_name = '${task}'`)[0]
const spoolOf = (name: string): string => join(served.folder, name, 'tracking-spool.jsonl')

/** A folder of programs without run-archiver, and without curl where that is asked for. */
const programs = (withCurl: boolean): string => {
  const folder = join(served.folder, withCurl ? 'with-curl' : 'without-curl')
  if (existsSync(folder)) return folder
  mkdirSync(folder)
  for (const name of [
    'sh',
    'sed',
    'rm',
    'uname',
    'which',
    'ls',
    'sleep',
    'git',
    ...(withCurl ? ['curl'] : []),
  ])
    if (existsSync(`/usr/bin/${name}`)) symlinkSync(`/usr/bin/${name}`, join(folder, name))
  return folder
}

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string; readonly ms: number }>
}

/** Starts an R script that reports to the service. */
const start = (
  name: string,
  body: string,
  { withCurl = true, url = served.url, token = TOKEN, more = {} } = {},
): Started => {
  const script = join(served.folder, `${name}.R`)
  writeFileSync(script, `source(${JSON.stringify(resolve('clients/R/track_status.R'))})\n${body}\n`)
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(MONITOR|TASKER|RUN_ARCHIVER)_/.test(key)),
  )
  const began = performance.now()
  const child = spawn('/usr/bin/Rscript', [script], {
    cwd: served.folder,
    env: {
      ...env,
      PATH: programs(withCurl),
      MONITOR_DB_CONN: url,
      MONITOR_TOKEN: token,
      MONITOR_SPOOL_DIR: join(served.folder, name),
      ...more,
    },
  })
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  const ended = new Promise<Awaited<Started['ended']>>((done) =>
    child.once('close', (code) => done({ code, errors, ms: performance.now() - began })),
  )
  return { child, ended }
}
const run = (...words: Parameters<typeof start>) => start(...words).ended

const STEPS = (task: string) => `track_init("${task}", total_tasks = 2)
state <- "Alaska"
genter("loading {state}"); track_task_progress(3, 8, "password=geheim"); genter("inner"); gexit(); gexit()
genter("said \\"yes\\""); track_finish("2 states")`

/** Accepts connections and never answers. */
const silentServer = async (): Promise<Server> => {
  const server = createServer(() => undefined)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return server
}

describe.skipIf(!canRun('/usr/bin/Rscript', '-e', '1'))(
  'R without the program, over HTTP',
  { timeout: 120_000 },
  () => {
    it.each([
      { by: 'curl', withCurl: true },
      { by: 'R itself', withCurl: false },
    ])('by $by has the execution with its steps, old names and masked secrets', async ({ by, withCurl }) => {
      const task = `DAILY_${by.replace(' ', '_')}`
      const { code, errors } = await run(task, STEPS(task), { withCurl })
      expect([code, errors]).toEqual([
        0,
        expect.stringMatching(/^Status tracking initialized: run_id=\S+\n$/),
      ])
      expect(executionOf(task)).toMatchObject({
        ...{ task_stage: 'DAILY', task_type: 'R', execution_status: 'FINISHED', end_reason: 'ok' },
        ...{ overall_progress_message: '2 states', overall_percent_complete: 100, total_subtasks: 3 },
      })
      expect(
        query(
          `SELECT name, s.state, depth, parent_seq, message, items_complete FROM subtasks s JOIN executions USING (run_id) WHERE task_name = '${task}' ORDER BY seq`,
        ),
      ).toEqual([
        {
          name: 'loading Alaska',
          state: 'done',
          depth: 0,
          parent_seq: null,
          message: 'password=[secret]',
          items_complete: 3,
        },
        { name: 'inner', state: 'done', depth: 1, parent_seq: 1, message: null, items_complete: null },
        {
          name: 'said "yes"',
          state: 'done',
          depth: 0,
          parent_seq: null,
          message: null,
          items_complete: null,
        },
      ])
    })

    it('says what tells the process from another, what it uses, and which variables it saw', async () => {
      const parent = 'a0000000-0000-4000-8000-000000000001'
      const body =
        'track_init("facts"); genter("a"); kept <- numeric(2e7); kept[] <- 1; gexit(); track_finish()'
      const { errors } = await run('facts', body, {
        more: {
          ...{ RUN_ARCHIVER_RUN_ID: parent, BDC_DOWNLOAD_PATH: '/data/"bdc"', R_LIBS: 'token=geheim' },
        },
      })
      expect(errors).not.toContain('Warning')
      const row = executionOf('facts')
      expect(row).toMatchObject({ parent_run_id: parent, boot_id: bootId() })
      expect(JSON.parse(String(row?.['environment']))).toMatchObject({
        BDC_DOWNLOAD_PATH: '/data/"bdc"',
        R_LIBS: 'token=[secret]',
      })
      expect(Object.keys(JSON.parse(String(row?.['environment'])) as object)).not.toContain('PATH')
      expect(Number(row?.['process_start_ticks'])).toBeGreaterThan(0)
      // 20 million numbers of 8 bytes.
      expect(Number(row?.['memory_mb'])).toBeGreaterThan(150)
    })

    it('leaves out a parent that is none', async () => {
      const { errors } = await run('orphan', 'track_init("orphan"); track_finish()', {
        more: { RUN_ARCHIVER_RUN_ID: 'none' },
      })
      expect(errors).not.toContain('Warning')
      expect(executionOf('orphan')).toMatchObject({ parent_run_id: null, execution_status: 'FINISHED' })
    })

    it('keeps the exit code of a script that fails, and records why', async () => {
      const { code } = await run('fails', 'track_init("fails"); genter("a"); stop("no disk")')
      expect(code).toBe(1)
      expect(executionOf('fails')).toMatchObject({ execution_status: 'FAILED', subtask_status: 'FAILED' })
      expect(String(executionOf('fails')?.['error_message'])).toContain('no disk')
    })

    it('gives a sign of life while R computes', async () => {
      const { child } = start('computes', 'track_init("computes"); genter("long"); Sys.sleep(600)')
      await expect.poll(() => executionOf('computes')?.['subtask_name'], { timeout: 30_000 }).toBe('long')
      const { run_id: runId, heartbeat_at: first, revision } = executionOf('computes') ?? {}
      await expect.poll(() => executionOf('computes')?.['heartbeat_at'], { timeout: 40_000 }).not.toBe(first)
      expect(Number(executionOf('computes')?.['revision'])).toBeGreaterThan(Number(revision))
      child.kill('SIGKILL')
      expect(runId).toBeTypeOf('string')
    })

    it.each([
      { what: 'refuses the token', url: undefined, token: 'wrong-token-00000000', says: 'answers 401' },
      { what: 'is not there', url: 'http://127.0.0.1:1', token: TOKEN, says: 'does not answer: curl: (7)' },
    ])('goes on where the service $what, and keeps everything', async ({ what, url, token, says }) => {
      const task = what.replaceAll(' ', '_')
      const { code, errors } = await run(task, STEPS(task), { url: url ?? served.url, token })
      expect(code).toBe(0)
      expect(errors.match(/Warning/g)).toHaveLength(1)
      expect(errors).toContain(says)
      expect(errors + readFileSync(spoolOf(task), 'utf8')).not.toMatch(/wrong-token|geheim/)
      // Whoever reports next from there writes it, and it is gone.
      await run(`after_${task}`, STEPS(`after_${task}`), {
        more: { MONITOR_SPOOL_DIR: join(served.folder, task) },
      })
      expect(executionOf(task)).toMatchObject({
        execution_status: 'FINISHED',
        overall_progress_message: '2 states',
      })
      expect(existsSync(spoolOf(task))).toBe(false)
    })

    it.each([true, false])('waits 5 s at most for a service that hangs (curl: %s)', async (withCurl) => {
      const server = await silentServer()
      const { port } = server.address() as AddressInfo
      const task = `hangs_${withCurl}`
      const usual = await run(`answers_${withCurl}`, STEPS(`answers_${withCurl}`), { withCurl })
      const { code, ms } = await run(task, STEPS(task), { url: `http://127.0.0.1:${port}`, withCurl })
      server.close()
      expect(code).toBe(0)
      expect(ms).toBeGreaterThan(4500)
      expect(ms - usual.ms, 'on top of the same where the service answers').toBeLessThan(8000)
      expect(readFileSync(spoolOf(task), 'utf8')).toContain('"FINISHED"')
    })
  },
)
