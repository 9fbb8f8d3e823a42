import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresAnswers } from '../postgres.ts'
import { Served, TOKEN } from '../web/served.ts'
import { canRun, TrackingSite } from './harness.ts'

const answers = (await postgresAnswers()) && canRun('/usr/bin/Rscript', '-e', 'library(RPostgreSQL)')
const site = new TrackingSite()
const served = new Served()
beforeAll(async () => {
  if (!answers) return
  await site.create()
  await served.start()
  // Programs without run-archiver.
  mkdirSync(join(site.folder, 'bin'))
  for (const name of ['sh', 'sed', 'rm', 'uname', 'which', 'ls', 'sleep', 'git', 'curl', 'psql', 'sync'])
    for (const folder of ['/usr/bin', '/bin'])
      if (existsSync(join(folder, name)) && !existsSync(join(site.folder, 'bin', name)))
        symlinkSync(join(folder, name), join(site.folder, 'bin', name))
})
afterAll(async () => {
  if (!answers) return
  await served.remove()
  await site.remove()
})

/** A function that looks its names up where a package does: not in the script's workspace. */
const IN_A_PACKAGE = (body: string): string =>
  `ends <- function() ${body}; environment(ends) <- asNamespace("utils")`

type Ended = { readonly code: number | null; readonly signal: string | null; readonly errors: string }

/** Starts an R script that reports by itself: to PostgreSQL, or to the service. */
const start = (
  name: string,
  body: string,
  { over = 'PostgreSQL', more = {} } = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } => {
  const source = `source(${JSON.stringify(resolve('clients/R/track_status.R'))})\n.track$beat_seconds <- 1\n`
  const script = site.write(`${name}.R`, `${source}${body}\n`)
  const to = over === 'HTTP' ? { MONITOR_DB_CONN: served.url, MONITOR_TOKEN: TOKEN } : {}
  const env = {
    ...{ ...process.env, ...site.env, ...to, RUN_ARCHIVER_TRACK: '', PATH: join(site.folder, 'bin') },
    ...{ MONITOR_SPOOL_DIR: join(site.folder, `spool-${name}`), ...more },
  }
  const child = spawn('/usr/bin/Rscript', [script], { cwd: site.folder, env })
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  const ended = new Promise<Ended>((done) =>
    child.once('close', (code, signal) => done({ code, signal, errors })),
  )
  return { child, ended }
}
const inService = (statement: string): Promise<Record<string, unknown>[]> =>
  Promise.resolve(served.query(statement.replaceAll('tasker.', '')))
const query = (over: string, statement: string): Promise<Record<string, unknown>[]> =>
  over === 'HTTP' ? inService(statement) : site.query(statement)
const one = async (over: string, task: string): Promise<Record<string, unknown> | undefined> =>
  (await query(over, `SELECT * FROM tasker.executions WHERE task_name = '${task}'`))[0]

const STEPS = (task: string) => `track_init("${task}", total_tasks = 2)
state <- "Alaska \\\\ 'x' $t \\u00e9"
genter("loading {state}"); track_task_progress(3, 8, "password=geheim"); genter("inner"); gexit(); gexit()
genter("second"); track_finish("2 states")`

describe.skipIf(!answers)('R that writes to PostgreSQL itself', { timeout: 120_000 }, () => {
  it('has the rows that it has over HTTP: steps, order, progress, masked secrets', async () => {
    for (const over of ['PostgreSQL', 'HTTP'])
      expect(await start(`both_${over}`, STEPS('DAILY_both'), { over }).ended).toMatchObject({
        code: 0,
        errors: expect.not.stringContaining('Warning') as string,
      })
    const columns = [
      ...['task_name', 'task_stage', 'task_type', 'execution_status', 'end_reason', 'total_subtasks'],
      ...['current_subtask', 'subtask_name', 'subtask_status', 'overall_progress_message', 'environment'],
    ]
    const [own, http] = await Promise.all(['PostgreSQL', 'HTTP'].map((over) => one(over, 'DAILY_both')))
    for (const column of columns) {
      const value = own?.[column]
      const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : value
      expect([column, text]).toEqual([column, http?.[column]])
    }
    const steps = `SELECT name, s.state, depth, parent_seq, message, CAST(items_complete AS TEXT) AS items FROM tasker.subtasks s JOIN tasker.executions e ON e.run_id = s.run_id WHERE task_name = 'DAILY_both' ORDER BY seq`
    const rows = await query('PostgreSQL', steps)
    expect(rows).toEqual(await query('HTTP', steps))
    expect(rows.map(({ name, state }) => [name, state])).toEqual([
      ["loading Alaska \\ 'x' $t é", 'done'],
      ['inner', 'done'],
      ['second', 'done'],
    ])
  })

  it('keeps what a database that is away does not take, and whoever reports next writes it, once', async () => {
    const more = { MONITOR_SPOOL_DIR: join(site.folder, 'spool-away') }
    const spool = join(more.MONITOR_SPOOL_DIR, 'tracking-spool.jsonl')
    const ran = await start('away', STEPS('r_away'), { more: { ...more, MONITOR_DB_PORT: '1' } }).ended
    expect(ran.code).toBe(0)
    expect(ran.errors.match(/Warning/g)).toHaveLength(1)
    expect(readFileSync(spool, 'utf8')).toContain('"FINISHED"')
    expect(await start('back', STEPS('r_back'), { more }).ended).toMatchObject({ code: 0 })
    expect(await one('PostgreSQL', 'r_away')).toMatchObject({ execution_status: 'FINISHED' })
    expect(existsSync(spool)).toBe(false)
    const steps = await site.query(
      `SELECT 1 FROM tasker.subtasks JOIN tasker.executions USING (run_id) WHERE task_name = 'r_away'`,
    )
    expect(steps).toHaveLength(3)
  })

  it('is not held up by a row that the database will never take', async () => {
    const bad = `.track_keep('{"t":"executions","c":{"run_id":"none","task_name":"bad","revision":1}}', FALSE)`
    const ran = await start('refused', `track_init("r_refused"); ${bad}; genter("a"); track_finish()`).ended
    expect(ran.errors).toContain('a row was refused')
    expect(await one('PostgreSQL', 'r_refused')).toMatchObject({ execution_status: 'FINISHED' })
    expect(
      readFileSync(join(site.folder, 'spool-refused', 'tracking-spool.jsonl.refused'), 'utf8'),
    ).toContain('"bad"')
  })
})

describe.skipIf(!answers).each(['PostgreSQL', 'HTTP'])(
  'an R script that reports to %s itself',
  { timeout: 120_000 },
  (over) => {
    const sleeps = async (task: string) => {
      const started = start(`${task}_${over}`, `track_init("${task}"); genter("long"); Sys.sleep(600)`, {
        over,
      })
      await expect
        .poll(async () => (await one(over, task))?.['subtask_name'], { timeout: 30_000 })
        .toBe('long')
      return started
    }
    it('shows that it lives, and what it uses, while R computes', async () => {
      const { child, ended } = await sleeps('computes')
      const metrics = `SELECT m.* FROM tasker.process_metrics m JOIN tasker.executions e ON e.run_id = m.run_id WHERE task_name = 'computes' AND m.cpu_percent IS NOT NULL`
      await expect
        .poll(async () => (await query(over, metrics)).length, { timeout: 30_000 })
        .toBeGreaterThan(0)
      const [row] = await query(over, metrics)
      for (const column of ['memory_mb', 'peak_memory_mb', 'threads', 'open_files'])
        expect([column, Number(row?.[column])]).toEqual([column, expect.toSatisfy((n: number) => n > 0)])
      child.kill('SIGKILL')
      await ended
    })
    it.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)(
      'that ends by %s is closed as terminated',
      async (signal) => {
        const { child, ended } = await sleeps(`dies_${signal}`)
        child.kill(signal)
        await ended
        await expect
          .poll(() => one(over, `dies_${signal}`), { timeout: 30_000 })
          .toMatchObject({
            ...{ execution_status: 'FAILED', end_reason: 'terminated', subtask_status: 'FAILED' },
            error_message: expect.stringContaining('died without recording its end') as string,
          })
      },
    )
    it('that is interrupted is CANCELLED, not FINISHED', async () => {
      const { child, ended } = await sleeps('interrupted')
      child.kill('SIGINT')
      expect((await ended).code).toBe(1)
      expect(await one(over, 'interrupted')).toMatchObject({
        ...{ execution_status: 'CANCELLED', end_reason: 'signal' },
        error_message: 'Process terminated by SIGINT signal',
      })
    })
    it.each([
      ['quit(status = 3)', 3, 'FAILED', 'Script ended with exit code 3'],
      ['try(stop("tried"), silent = TRUE); 1', 0, 'FINISHED', null],
      ['quit(save = "no")', 0, 'FINISHED', null],
      [`${IN_A_PACKAGE('quit(status = 5)')}; ends()`, 5, 'FAILED', 'Script ended with exit code 5'],
      [`${IN_A_PACKAGE('q("no", 6, FALSE)')}; ends()`, 6, 'FAILED', 'Script ended with exit code 6'],
      ['tools::pskill(Sys.getpid(), 10); repeat 1', 2, 'CANCELLED', 'Process terminated by SIGUSR1 signal'],
      ['tools::pskill(Sys.getpid(), 12); repeat 1', 0, 'CANCELLED', 'Process terminated by SIGUSR2 signal'],
      ['options(error = function() q(status = 4)); stop("no disk")', 4, 'FAILED', 'Error: no disk'],
      ['.Last <- function() cat("mine"); 1', 0, 'FINISHED', null],
      ['stop("broke")', 1, 'FAILED', 'Error: broke'],
    ])('that ends by %s', async (last, code, word, message) => {
      const task = `ends_${last.replace(/\W+/g, '_')}`
      const ran = await start(`${task}_${over}`, `track_init("${task}"); genter("a")\n${last}`, { over })
        .ended
      expect([ran.code, ran.errors.includes('Warning')]).toEqual([code, false])
      expect(await one(over, task)).toMatchObject({ execution_status: word, error_message: message })
    })
  },
)
