import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identity, now } from '../../../src/platform/host.ts'
import { Tracker } from '../../../src/tracking/client/tracker.ts'
import { freshPlace, type Place } from '../ledger/engines.ts'

let place: Place
beforeEach(async () => {
  place = await freshPlace('sqlite')
})
afterEach(() => place.drop())

const quiet: string[] = []
const open = ({ url = place.url, folder = place.workDir, flushEvery = 10, heartbeatEvery = 0 } = {}) =>
  new Tracker({
    place: { url, folder, schema: place.schema, password: undefined },
    env: {},
    runner: identity(),
    version: 'test',
    now,
    heartbeatEvery,
    flushEvery,
    retryEvery: 50,
    timeout: 15_000,
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => quiet.push(message),
      error: (message) => quiet.push(message),
    },
  })

/** Milliseconds for what is left to be written: a loaded machine takes longer than a pipeline is made to wait. */
const LONG = 30_000

const rows = async (table: string): Promise<Record<string, unknown>[]> => {
  const database = await place.open()
  try {
    const { sql } = await import('kysely')
    const { rows: found } = await sql<Record<string, unknown>>`SELECT * FROM ${sql.table(table)}`.execute(
      database.kysely,
    )
    return found
  } finally {
    await database.close()
  }
}

describe('a pipeline that reports through the library', () => {
  it('has one row with everything that it said, and a row for each step', async () => {
    const tracking = open()
    const execution = tracking.init({
      taskName: 'DAILY_01_BDC.ts',
      totalSubtasks: 2,
      scriptPath: '/x/DAILY_01_BDC.ts',
    })
    await execution.step('loading', () => execution.progress(3, 8, 'Alaska.csv'))
    await execution.step('writing', () => {
      execution.add(2)
      execution.add(3)
    })
    execution.finish('2 steps')
    await tracking.close(LONG)
    const [row] = await rows('executions')
    expect(row).toMatchObject({
      task_name: 'DAILY_01_BDC.ts',
      task_stage: 'DAILY',
      task_type: 'node',
      script_file: 'DAILY_01_BDC.ts',
      execution_status: 'FINISHED',
      overall_percent_complete: 100,
      overall_progress_message: '2 steps',
      total_subtasks: 2,
      current_subtask: 2,
      process_id: process.pid,
    })
    expect(
      (await rows('subtasks')).map(({ name, state, items_complete }) => [name, state, items_complete]),
    ).toEqual([
      ['loading', 'done', 3],
      ['writing', 'done', 5],
    ])
    expect(await rows('pipeline_status')).toHaveLength(1)
  })
  it('has a step that throws as failed, and gets what it threw', async () => {
    const tracking = open()
    const execution = tracking.init({ taskName: 'x' })
    await expect(execution.step('bad', () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk')
    execution.error(new Error('no disk'))
    await tracking.close(LONG)
    expect((await rows('subtasks'))[0]).toMatchObject({ state: 'failed', error_message: 'no disk' })
    expect((await rows('executions'))[0]).toMatchObject({
      execution_status: 'FAILED',
      error_message: 'no disk',
    })
  })
  it('has children with executions of their own', async () => {
    const tracking = open()
    const parent = tracking.init({ taskName: 'all' })
    const child = parent.child({ taskName: 'part 1' })
    child.finish()
    parent.finish()
    await tracking.close(LONG)
    const found = await rows('executions')
    expect(found.find(({ task_name: name }) => name === 'part 1')).toMatchObject({
      parent_run_id: parent.runId,
    })
  })
})

describe('100,000 reports of progress', () => {
  it('become a few writes', async () => {
    const tracking = open({ flushEvery: 500 })
    const execution = tracking.init({ taskName: 'x' })
    execution.enter('many')
    for (let item = 1; item <= 100_000; item++) execution.progress(item, 100_000, `item ${item}`)
    execution.finish()
    await tracking.close(LONG)
    const [row] = await rows('executions')
    expect(row).toMatchObject({ subtask_items_complete: 100_000, execution_status: 'FINISHED' })
    expect(Number(row?.['revision'])).toBeLessThan(10)
  })
})

describe('a database that cannot be reached', () => {
  const away = () => join(mkdtempSync(join(tmpdir(), 'away-')), 'missing')
  it('costs a warning; the rows wait, and the next process writes them, once', async () => {
    quiet.length = 0
    const dead = open({ url: 'postgres://nobody@127.0.0.1:1/none' })
    const execution = dead.init({ taskName: 'offline' })
    execution.enter('a')
    execution.finish('done without a database')
    await dead.close()
    expect(quiet).toHaveLength(1)
    expect(existsSync(join(place.workDir, 'tracking-spool.jsonl'))).toBe(true)
    expect(readFileSync(join(place.workDir, 'tracking-spool.jsonl'), 'utf8')).toContain(
      'done without a database',
    )

    const alive = open()
    alive.init({ taskName: 'online' }).finish()
    await alive.close()
    expect(
      (await rows('executions')).map(({ task_name: name, execution_status: status }) => [name, status]),
    ).toEqual(
      expect.arrayContaining([
        ['offline', 'FINISHED'],
        ['online', 'FINISHED'],
      ]),
    )
    expect(await rows('subtasks')).toHaveLength(1)
    expect(existsSync(join(place.workDir, 'tracking-spool.jsonl'))).toBe(false)
  })
  it('and a folder that cannot be written to cost nothing but the reports', async () => {
    const folder = away()
    const dead = open({
      url: 'postgres://nobody@127.0.0.1:1/none',
      folder: `/dev/null/${folder}`,
    })
    dead.init({ taskName: 'x' }).finish()
    await dead.close()
    rmSync(folder, { recursive: true, force: true })
  })
})

describe('after its end', () => {
  it('an execution takes no further report', async () => {
    const tracking = open()
    const execution = tracking.init({ taskName: 'x' })
    execution.finish('first')
    execution.error('second')
    execution.progress(1)
    await tracking.close(LONG)
    execution.finish('third')
    expect((await rows('executions'))[0]).toMatchObject({
      execution_status: 'FINISHED',
      overall_progress_message: 'first',
    })
  })
})

describe('a sign of life', () => {
  it('is written at once, also where reports of progress may wait for a minute', async () => {
    const tracking = open({ flushEvery: 60_000, heartbeatEvery: 50 })
    tracking.init({ taskName: 'X' })
    const beat = async (): Promise<string> => String((await rows('executions'))[0]?.['heartbeat_at'])
    await tracking.flush()
    const first = await beat()
    await expect.poll(beat, { timeout: LONG }).not.toBe(first)
    await tracking.close(LONG)
  })
})

describe('the figures of an execution', () => {
  it('are those of the process that works, where another one reports for it', async () => {
    const busy = spawn(process.execPath, [
      '-e',
      'const kept = Buffer.alloc(3e8, 1); console.log("it has its memory"); for (;;) kept[0]++',
    ])
    try {
      await once(busy.stdout, 'data')
      const tracking = open({ heartbeatEvery: 300 })
      const { host } = identity()
      const begin = (task_name: string, process_id: number, hostname = host) =>
        tracking.begin({ op: 'init', task_name, process_id, hostname })
      const works = begin('works', busy.pid ?? 0)
      const own = begin('own', process.pid)
      const elsewhere = begin('elsewhere', process.pid, 'another.host')
      own.enter('files')
      own.progress(3)
      own.exit()
      own.enter('rows')
      own.progress(40)
      own.add(2)
      await new Promise((done) => setTimeout(done, 3000))
      await tracking.close(LONG)
      const measured = await rows('process_metrics')
      const last = (runId: string) => measured.filter((row) => row['run_id'] === runId).at(-1) ?? {}
      expect(Number(last(works.runId)['memory_mb'])).toBeGreaterThan(280)
      expect(Number(last(works.runId)['peak_memory_mb'])).toBeGreaterThan(280)
      expect(Number(last(works.runId)['cpu_percent'])).toBeGreaterThan(2)
      const mine = Number(last(own.runId)['memory_mb'])
      expect(Math.abs(mine - process.memoryUsage().rss / 2 ** 20)).toBeLessThan(150)
      // One process runs no thread but those of Node, and has files open; what nobody counted is not known.
      expect(Number(last(works.runId)['threads'])).toBeGreaterThan(1)
      expect(Number(last(works.runId)['open_files'])).toBeGreaterThan(2)
      expect(last(works.runId)['rows_processed']).toBeNull()
      expect(last(own.runId)['rows_processed']).toBe(45)
      // A process of another host has a number that means another one here.
      expect(last(elsewhere.runId)).toMatchObject({
        ...{ cpu_percent: null, memory_mb: null, open_files: null, threads: null },
      })
      const kept = await rows('executions')
      expect(kept.find((row) => row['task_name'] === 'works')?.['memory_mb']).toBeGreaterThan(280)
    } finally {
      busy.kill('SIGKILL')
    }
  })
})
