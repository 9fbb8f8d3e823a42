import { existsSync, writeFileSync } from 'node:fs'
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

const run = (name: string, body: string, env: Record<string, string>) => {
  const source = `source(${JSON.stringify(resolve('clients/R/track_status.R'))})\n`
  return site.run('Rscript', [site.write(`${name}.R`, `${source}${body}\n`)], env)
}

/** Reports about steps without `genter`, as the first version of the file took them. */
const BODIES = {
  'numbers and names': `track_status(current_subtask = 1, subtask_name = "load", subtask_items_total = 8, subtask_items_complete = 2)
track_status(subtask_items_complete = 4, subtask_message = "half")
track_status(current_subtask = 2, subtask_name = "join", subtask_status = "RUNNING", subtask_percent = 30)
track_finish()`,
  'names alone': `track_status(subtask_name = "a"); track_status(subtask_name = "b", subtask_status = "FAILED"); track_error("bad")`,
  'progress of the task':
    'track_task_progress(3, 12, "counting"); track_task_progress(12, 12); track_finish()',
  'completed, and another': `track_status(current_subtask = 1, subtask_name = "x"); track_status(subtask_status = "COMPLETED")
track_status(current_subtask = 3, subtask_name = "z", subtask_status = "NOT_STARTED"); track_status(status = "FAILED", overall_message = "stop")`,
  'inside a step': `genter("outer"); genter("inner"); track_status(subtask_percent = 12); gexit(); track_status(subtask_message = "word"); gexit(); track_finish()`,
} as const

describe.skipIf(!can)('an R script that names its steps by track_status', { timeout: 60_000 }, () => {
  it.each(Object.entries(BODIES))(
    'has the same steps directly as through the pipe: %s',
    async (_name, body) => {
      const seen = []
      for (const way of ['direct', 'pipe']) {
        const task = `${way} ${_name}`
        const env = {
          MONITOR_SPOOL_DIR: join(site.folder, way),
          ...(way === 'direct' ? { RUN_ARCHIVER_TRACK: '' } : {}),
        }
        const ran = run('steps', `track_init("${task}", total_tasks = 4)\n.track$every <- 0\n${body}`, env)
        expect([way, ran.status, /Warning/.exec(ran.stderr)]).toEqual([way, 0, null])
        const rows = await site.query(
          `SELECT s.seq, s.name, s.state, s.depth, s.items_total, s.items_complete, s.percent, s.message, s.ended_at IS NULL AS open,
           e.execution_status, e.current_subtask, e.subtask_name, e.subtask_status
         FROM tasker.subtasks s JOIN tasker.executions e ON e.run_id = s.run_id WHERE e.task_name = '${task}' ORDER BY s.seq`,
        )
        seen.push(JSON.parse(JSON.stringify(rows).replaceAll(task, 'TASK')) as unknown[])
      }
      expect(seen[0]?.length).toBeGreaterThan(0)
      expect(seen[0]).toEqual(seen[1])
    },
  )
})

describe.skipIf(!can)('an R script whose numbers are none, through the pipe', { timeout: 60_000 }, () => {
  it('loses them alone: the rest of the report counts', async () => {
    const body = `track_init("no numbers"); track_status(current_subtask = 2, subtask_name = "named", overall_percent = Inf, subtask_items_total = NaN)
track_task_progress(3, -Inf, "counted"); track_finish()`
    const ran = run('infinite', body, { MONITOR_SPOOL_DIR: join(site.folder, 'infinite') })
    expect(ran.status).toBe(0)
    expect(ran.stderr).toMatch(/"overall_percent": "Inf" must be a number/)
    expect(ran.stderr).not.toContain('not a JSON line')
    expect(
      await site.query(
        `SELECT name, s.items_complete::int AS items, message FROM tasker.subtasks s JOIN tasker.executions USING (run_id) WHERE task_name = 'no numbers'`,
      ),
    ).toEqual([{ name: 'named', items: 3, message: 'counted' }])
  })
})

describe.skipIf(!can)('a row that R appends to a long spool', { timeout: 60_000 }, () => {
  it('is appended again where it stands behind a part of another row, also 1 MB before the end', () => {
    const spool = join(site.folder, 'boundary.jsonl')
    writeFileSync(spool, '{"t":"executions","c":{"run_id":"other, cut sh')
    // Another process writes a megabyte between the writing of the row and the look at it.
    const body = `row <- '{"t":"executions","c":{"run_id":"mine"}}'
looks <- 0
real <- .track_tail
.track_tail <- function(path, count) {
  looks <<- looks + 1
  if (looks == 1) return(charToRaw("\\n"))
  if (looks == 2) { other <- file(path, "ab"); writeBin(charToRaw(strrep("y", 2^20 - 1)), other); writeBin(charToRaw("\\n"), other); close(other) }
  real(path, count)
}
.track_append(${JSON.stringify(spool)}, row)
cat(sum(readLines(${JSON.stringify(spool)}) == row))`
    const ran = run('boundary', body, {})
    expect(existsSync(spool)).toBe(true)
    expect(ran).toMatchObject({ status: 0, stdout: '1' })
  })
})
