import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresAnswers } from '../postgres.ts'
import { canRun, TrackingSite } from './harness.ts'

const can = (await postgresAnswers()) && canRun('Rscript', '-e', 'library(RPostgreSQL)')
const site = new TrackingSite()
beforeAll(async () => {
  if (can) await site.create()
})
afterAll(() => (can ? site.remove() : undefined))

let number = 0
const run = async (body: string, env: Record<string, string> = {}) => {
  const task = `r ${++number}`
  const script = `source(${JSON.stringify(resolve('clients/R/track_status.R'))})\nTASK <- "${task}"\n${body}\n`
  const spool = join(site.folder, `spool ${number}`)
  const more = { RUN_ARCHIVER_TRACK: '', MONITOR_SPOOL_DIR: spool, ...env }
  const ran = site.run('Rscript', [site.write(`${number}.R`, script)], more)
  const [row] = await site.query(
    `SELECT * FROM tasker.executions WHERE left(task_name, ${task.length}) = '${task}'`,
  )
  return { ...ran, row }
}

describe.skipIf(!can)('an R script that writes to the database itself', { timeout: 60_000 }, () => {
  it('has its end where its numbers and words are none, and hears of them', async () => {
    const ran = await run(`track_init(TASK, total_tasks = 1e12); genter("a")
track_task_progress(1e20, 1e20); track_status(status = "BLA", subtask_status = "zz", current_subtask = 2^31, subtask_percent = -4)
track_task_progress("3", factor("9")); track_finish()`)
    expect(ran).toMatchObject({ status: 0 })
    for (const name of ['total_subtasks', 'items_total', 'current_subtask', 'subtask_status'])
      expect(ran.stderr).toMatch(new RegExp(`^Warning: ${name} must be `, 'm'))
    expect(ran.row).toMatchObject({
      ...{ execution_status: 'FINISHED', total_subtasks: null, current_subtask: 1 },
      ...{ subtask_items_complete: '3', subtask_items_total: '9' },
    })
  })
  it.each([
    ['track_finish()', 'COMPLETED'],
    ['track_error("bad")', 'FAILED'],
  ])('ends a step of track_status with it: %s', async (end, word) => {
    const { row } = await run(
      `track_init(TASK, 4); track_status(current_subtask = 2, subtask_name = "n", subtask_status = "RUNNING")\n${end}`,
    )
    expect(row).toMatchObject({ subtask_name: 'n', subtask_status: word })
  })
  it.each([
    ['q("no", 256)', 0, 'FINISHED'],
    ['quit(status = -1)', 255, 'FAILED'],
    ['quit(status = NA)', 0, 'FINISHED'],
    ['quit("nonsense")', 1, 'FAILED'],
    ['try(quit("nonsense"), silent = TRUE)', 0, 'FINISHED'],
  ])('that ends by %s has the exit code that it has without', async (last, code, word) => {
    const ran = await run(`track_init(TASK); genter("a")\n${last}`)
    expect([ran.status, ran.row?.['execution_status']]).toEqual([code, word])
    if (code > 1) expect(ran.row?.['exit_code']).toBe(code)
  })
  it('has the helpers of its first version, and the option for the number of steps', async () => {
    const ran = await run(`options(pipeline_total_tasks = 4)
cat(detect_task_stage("ANNUAL_SEPT_x"), get_script_name(), get_env_json(), length(get_git_commit()))
track_init(TASK); track_finish()`)
    expect(ran.stdout).toMatch(/^ANNUAL_SEPT \d+\.R \{.*\} [01]/)
    expect(ran.row).toMatchObject({ total_subtasks: 4 })
  })
  it.each(['C', 'C.UTF-8'])(
    'has names of any characters, and of any length, in the locale %s',
    async (locale) => {
      const odd = String.raw`"'\"\\ \u0001 \n \U1F600 \u202e {nope}"`
      const ran = await run(
        `track_init(paste(TASK, ${odd}, strrep("x-", 50000))); genter(${odd}); genter(strrep("y", 300000)); track_finish(${odd})`,
        { LC_ALL: locale },
      )
      expect(ran.status).toBe(0)
      expect(ran.stderr).not.toContain('Warning')
      expect(ran.row).toMatchObject({ execution_status: 'FINISHED', current_subtask: 2 })
      expect(String(ran.row?.['overall_progress_message'])).toContain('😀')
    },
  )
})
