import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { join, resolve } from 'node:path'
import { openDatabase } from '../../../src/sql/open-database.ts'
import { closeOpen } from '../../../src/tracking/ledger/close-dead.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Tracker } from '../../../src/tracking/client/tracker.ts'
import { trackingPlace } from '../../../src/tracking/client/place.ts'
import { openFile } from '../../../src/sql/libsql-database.ts'
import { Served, TOKEN } from '../served.ts'

const served = new Served()
beforeAll(() => served.start())
afterAll(() => served.remove())

const rowOf = (file: string, runId: string): Record<string, unknown> => {
  const database = openFile(file, 5000)
  try {
    return database.prepare('SELECT * FROM executions WHERE run_id = ?').all([runId])[0] as Record<
      string,
      unknown
    >
  } finally {
    database.close()
  }
}
const begin = async (task: string, more: object = {}): Promise<string> => {
  const { status, json } = await served.send('POST', '/api/v1/executions', { task_name: task, ...more })
  expect(status).toBe(201)
  return String(json['run_id'])
}

describe('an execution that is reported by HTTP', () => {
  it('has the row that the library writes, function by function', async () => {
    const file = join(served.folder, 'library.db')
    const warn = (message: string): never => {
      throw new Error(message)
    }
    const log = { debug: () => undefined, info: () => undefined, warn, error: warn }
    const tracker = new Tracker({
      place: trackingPlace(
        { MONITOR_DB_CONN: `sqlite:${file}`, MONITOR_SPOOL_DIR: served.folder },
        undefined,
      ),
      now: Date.now,
      log,
      version: 'test',
      env: {},
      runner: { pid: 1, host: 'h', user: 'u', bootId: 'b', startTicks: undefined },
      heartbeatEvery: 0,
    })
    const id = await begin('DAILY_same', { total_subtasks: 3, type: 'node', hostname: 'h', user_name: 'u' })
    const execution = tracker.init({ taskName: 'DAILY_same', totalSubtasks: 3 })
    const both = async (
      path: string,
      method: string,
      body: Record<string, unknown>,
      op: string,
    ): Promise<void> => {
      expect(await served.send(method, `/api/v1/executions/${id}${path}`, body)).toMatchObject({
        status: 200,
      })
      execution.report({ op, ...body })
    }
    await both('/steps', 'POST', { op: 'enter', message: 'outer' }, 'enter')
    await both('/steps', 'POST', { op: 'enter', message: 'inner', items_total: 10 }, 'enter')
    await both('/progress', 'POST', { op: 'add', items: 3 }, 'add')
    await both('/steps', 'POST', { op: 'message', message: 'half' }, 'message')
    await both('', 'PATCH', { op: 'status', overall_percent: 44 }, 'status')
    await both('/progress', 'POST', { op: 'progress', items_complete: 7 }, 'progress')
    const columns = [
      ...['task_name', 'task_stage', 'task_type', 'hostname', 'user_name', 'execution_status', 'end_reason'],
      ...['total_subtasks', 'current_subtask', 'subtask_name', 'subtask_status', 'overall_percent_complete'],
      ...['overall_progress_message', 'subtask_percent_complete', 'subtask_progress_message'],
      ...[
        'subtask_items_total',
        'subtask_items_complete',
        'exit_code',
        'items_failed',
        'error_message',
        'counts',
      ],
    ]
    const compare = async (): Promise<Record<string, unknown>> => {
      await tracker.flush()
      const pick = (row: Record<string, unknown>) =>
        Object.fromEntries(columns.map((name) => [name, row[name]]))
      const library = pick(rowOf(file, execution.runId))
      expect(pick(rowOf(served.ledger, id))).toEqual(library)
      return library
    }
    expect(await compare()).toMatchObject({ overall_percent_complete: 44, subtask_items_complete: 7 })
    await both('/steps', 'POST', { op: 'exit' }, 'exit')
    await both('/steps', 'POST', { op: 'exit' }, 'exit')
    await compare()
    await both('/finish', 'POST', { message: 'well' }, 'finish')
    expect(await compare()).toMatchObject({ execution_status: 'FINISHED', overall_percent_complete: 100 })
    await tracker.close()
  })

  it('is the same when each report comes twice', async () => {
    const runId = randomUUID()
    const first = await served.send('POST', '/api/v1/executions', { task_name: 'twice', run_id: runId })
    const again = await served.send('POST', '/api/v1/executions', { task_name: 'twice', run_id: runId })
    expect([first.status, again.status]).toEqual([201, 200])
    const add = { op: 'add', items: 2, seq: 2 }
    for (const changed of [true, false])
      expect((await served.send('PATCH', `/api/v1/executions/${runId}`, add)).json).toMatchObject({
        changed,
        seq: 2,
      })
    expect(rowOf(served.ledger, runId)).toMatchObject({ subtask_items_complete: 2 })
    const end = { message: 'broke', seq: 3 }
    for (const body of [end, end, { message: 'broke' }])
      expect(await served.send('POST', `/api/v1/executions/${runId}/error`, body)).toMatchObject({
        status: 200,
      })
    expect(await served.send('POST', `/api/v1/executions/${runId}/finish`, {})).toMatchObject({
      status: 409,
      json: { code: 'CONFLICT' },
    })
    expect(rowOf(served.ledger, runId)).toMatchObject({ execution_status: 'FAILED', error_message: 'broke' })
  })

  it('has in its measurements what its signs of life say, and the items of its steps', async () => {
    const runId = randomUUID()
    await served.send('POST', '/api/v1/executions', { task_name: 'measured', run_id: runId })
    for (const done of [3, 5]) {
      await served.send('POST', `/api/v1/executions/${runId}/steps`, { op: 'enter', message: 'one' })
      await served.send('POST', `/api/v1/executions/${runId}/progress`, { items_complete: done })
    }
    const measure = { cpu_percent: 5, memory_mb: 7, open_files: 11, threads: 3 }
    const reply = await served.send('POST', `/api/v1/executions/${runId}/heartbeat`, measure)
    expect(reply.status).toBe(200)
    const id = Number(rowOf(served.ledger, runId)['execution_id'])
    const { json } = await served.send('GET', `/api/v1/executions/${id}/metrics`)
    expect(JSON.stringify(json)).toContain('"rowsProcessed":8,"openFiles":11,"threads":3')
    const page = (await served.send('GET', `/executions/${id}`)).text
    expect(page).toMatch(/Open files: 11 .*Threads: 3 .*Rows processed: 8 /)
  })

  it.each([
    ['finish', { message: 'well' }, { execution_status: 'FINISHED', end_reason: 'ok', error_message: null }],
    [
      'error',
      { message: 'no disk' },
      { execution_status: 'FAILED', end_reason: 'error', error_message: 'no disk' },
    ],
    ['heartbeat', {}, { execution_status: 'RUNNING', end_reason: null, execution_end: null }],
  ])(
    'that was closed as terminated is corrected by its own %s, and an event says so',
    async (op, body, row) => {
      const runId = randomUUID()
      const host = { hostname: 'far', process_id: 7, boot_id: 'b' }
      await served.send('POST', '/api/v1/executions', { task_name: `late_${op}`, run_id: runId, ...host })
      await served.send('POST', `/api/v1/executions/${runId}/steps`, { message: 'one' })
      // As the service itself does with an execution of another host that has been silent for too long.
      const database = await openDatabase({
        place: { dialect: 'sqlite', file: served.ledger },
        ...{ schema: 'tasker', password: undefined, timeout: 5000 },
      })
      const here = {
        host: 'here',
        bootId: 'x',
        bootTime: 0,
        seesOthers: true,
        quiet: 1,
        silence: 1,
        now: Date.now() + 7_200_000,
      }
      const closed = await closeOpen(database, { ...here, startTicksOf: () => undefined })
      await database.close()
      expect(closed.map((one) => one.runId)).toContain(runId)
      expect(rowOf(served.ledger, runId)).toMatchObject({ end_reason: 'terminated' })
      const reply = await served.send('POST', `/api/v1/executions/${runId}/${op}`, body)
      expect(reply).toMatchObject({ status: 200, json: { changed: true } })
      expect(rowOf(served.ledger, runId)).toMatchObject(row)
      const { json } = await served.send('GET', `/api/v1/executions/${runId}`)
      expect(json['events']).toEqual(
        expect.arrayContaining([expect.objectContaining({ kind: 'corrected' })]) as unknown,
      )
      const step = { finish: 'ok', error: 'failed', heartbeat: 'running' }[op]
      expect(json['parts']).toMatchObject([{ name: 'one', standing: step }])
      // Any other end stays (control).
      if (op === 'error')
        expect(await served.send('POST', `/api/v1/executions/${runId}/finish`, {})).toMatchObject({
          status: 409,
        })
    },
  )

  it('has the time that a report names, because it may have waited', async () => {
    const at = Date.now() - 600_000
    const id = await begin('waited', { at })
    await served.send('PATCH', `/api/v1/executions/${id}`, { op: 'finish', at: at + 60_000 })
    const { json } = await served.send('GET', `/api/v1/executions/${id}`)
    expect(json).toMatchObject({ startedAt: at, endedAt: at + 60_000 })
    for (const wrong of [Date.now() + 3_600_000, -1, 'now'])
      expect(await served.send('POST', '/api/v1/executions', { task_name: 'w', at: wrong })).toMatchObject({
        status: 400,
      })
  })

  it('counts every item that ten workers add at once', async () => {
    const id = await begin('workers')
    await Promise.all(
      Array.from({ length: 30 }, () =>
        served.send('POST', `/api/v1/executions/${id}/progress`, { op: 'add', items: 1 }),
      ),
    )
    expect(rowOf(served.ledger, id)).toMatchObject({ subtask_items_complete: 30 })
  })

  it('keeps no secret and no control character', async () => {
    const id = await begin('secret', { environment: { API_TOKEN: 'abcdefgh', R_LIBS: '/x' } })
    await served.send('POST', `/api/v1/executions/${id}/error`, { message: 'password=hunter22\u001b[2J' })
    const row = rowOf(served.ledger, id)
    expect(String(row['environment'])).not.toContain('abcdefgh')
    expect(String(row['error_message'])).not.toMatch(/hunter22|\u001b/)
  })
})

describe('a report that cannot be used is refused as problem+json', () => {
  it.each([
    ['without a token', { authorization: '' }, '{"task_name":"x"}', 401],
    ['with a wrong token', { authorization: 'Bearer wrong-token-0123456789' }, '{"task_name":"x"}', 401],
    ['that is a form', { 'content-type': 'text/plain' }, '{"task_name":"x"}', 415],
    ['that is no JSON', {}, '{', 400],
    ['without a task', {}, '{}', 400],
    ['with an unknown field', {}, '{"task_name":"x","tsk":1}', 400],
    ['with a run id that is none', {}, '{"task_name":"x","run_id":"1"}', 400],
    ['of another origin', { origin: 'http://evil.example' }, '{"task_name":"x"}', 403],
    ['of 2 MB', {}, JSON.stringify({ task_name: 'x'.repeat(2_000_000) }), 413],
  ])('%s', async (_name, headers, body, status) => {
    const reply = await served.send('POST', '/api/v1/executions', body, headers)
    expect(reply).toMatchObject({
      status,
      type: expect.stringContaining('application/problem+json') as string,
    })
    expect(reply.json).toMatchObject({
      status,
      title: expect.any(String) as string,
      code: expect.any(String) as string,
    })
  })
  it('for an execution that is not there', async () => {
    expect(await served.send('PATCH', `/api/v1/executions/${randomUUID()}`, {})).toMatchObject({
      status: 404,
    })
  })
})

it('the OpenAPI document names every address that takes reports, and each of them answers', async () => {
  const { json } = await served.send('GET', '/api/v1/openapi.json')
  const paths = json['paths'] as Record<string, Record<string, { requestBody?: { content: object } }>>
  const writes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) =>
      requestBody ? [[method, path] as const] : [],
    ),
  )
  expect(writes.length).toBeGreaterThanOrEqual(8)
  for (const [method, path] of writes) {
    const address = `/api/v1${path.replace('{id}', randomUUID())}`
    const reply = await served.send(method.toUpperCase(), address, {}, { authorization: '' })
    expect([method, path, reply.status]).toEqual([method, path, 401])
    // Either token opens every one of them.
    expect(reply.json['title']).toMatch(/serve\.report_token_file or serve\.token_file/)
  }
})

it('what was reported is in /metrics', async () => {
  const id = await begin('measured')
  const running = await served.send('GET', '/metrics')
  expect(running.text).toContain('archiver_execution_running{task="measured"} 1')
  await served.send('POST', `/api/v1/executions/${id}/error`, { message: 'no disk', exit_code: 3 })
  const { status, text } = await served.send('GET', '/metrics')
  expect(status).toBe(200)
  expect(text).toContain('archiver_last_exit_code{task="measured"} 3')
  expect(text).toContain('archiver_executions_total{task="measured",status="failed"} 1')
  expect(text).toContain('archiver_ledger_up 1')
})

it('an execution that runs says how it will go on, and a task that is late is named', async () => {
  const track = (...words: string[]) =>
    spawnSync(process.execPath, [resolve('dist/main.js'), 'track', ...words], {
      encoding: 'utf8',
      cwd: served.folder,
      env: { ...process.env, MONITOR_DB_CONN: `sqlite:${served.ledger}` },
    })
  const at = (minutes: number): string =>
    new Date(Date.now() - minutes * 60_000).toISOString().replace('T', ' ')
  const row = (start: number, end: number | null) => ({
    t: 'executions',
    c: {
      ...{ run_id: randomUUID(), task_name: 'history', hostname: 'other', process_id: 1, revision: 2 },
      ...{
        execution_start: at(start),
        last_update: at(end ?? 0),
        execution_end: end === null ? null : at(end),
      },
      ...{ execution_status: end === null ? 'RUNNING' : 'FINISHED', end_reason: end === null ? null : 'ok' },
      ...{ heartbeat_at: at(0), progress_at: at(0) },
    },
  })
  const rows = [row(90, 80), row(70, 60), row(50, 39), row(2, null)]
  expect((await served.send('POST', '/api/v1/reports', { rows })).json).toMatchObject({ written: 4 })
  const { json } = await served.send('GET', '/api/v1/current')
  const items = json['items'] as Record<string, unknown>[]
  expect(items.find(({ task }) => task === 'history')).toMatchObject({
    conditions: [],
    eta: { basis: 'history' },
  })
  expect(track('task', 'history', '--schedule', '1', '--grace', '0')).toMatchObject({ status: 0, stderr: '' })
  expect((await served.send('GET', '/api/v1/late')).json['items']).toMatchObject([
    { task: 'history', schedule: '1' },
  ])
  const { stdout } = track('current')
  expect(stdout).toMatch(/^LATE: history, schedule 1/m)
  expect(track('show', String(rows[3]?.c.run_id)).stdout).toMatch(
    /Expected end: .* from its last good executions/,
  )
})

describe('the connection', () => {
  /** Status and `connection` of the answer to a body, of which `more` is still to be sent then. */
  const answered = async (body: string, more = 0): Promise<[number, string | undefined]> => {
    const sent = request(`${served.url}/api/v1/executions`, {
      method: 'POST',
      agent: new Agent({ keepAlive: true }),
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body) + more,
      },
    })
    sent.write(body)
    const reply = new Promise<IncomingMessage>((answer, fail) =>
      sent.once('response', answer).once('error', fail),
    )
    if (more === 0) sent.end()
    const { statusCode, headers } = await reply
    sent.on('error', () => undefined).destroy()
    return [statusCode ?? 0, headers.connection]
  }

  it('outlives a body that was too large, whose sender hears so', async () => {
    const large = JSON.stringify({ task_name: 'x'.repeat(2_000_000) })
    for (let time = 0; time < 20; time++) expect(await answered(large)).toEqual([413, 'keep-alive'])
    expect(await answered(JSON.stringify({ task_name: 'kept' }))).toEqual([201, 'keep-alive'])
  })
  it('is closed after a body that does not end', async () => {
    expect(await answered('{', 3_000_000)).toEqual([413, 'close'])
  })
})

describe('whole rows', () => {
  it('are written once, and the ones that cannot be used are named', async () => {
    const good = {
      ...{
        run_id: randomUUID(),
        task_name: 'rows',
        hostname: 'h',
        process_id: 1,
        execution_status: 'RUNNING',
      },
      ...{
        execution_start: '2026-11-28 05:00:00.000',
        last_update: '2026-11-28 05:00:01.000',
        revision: 5,
        newer: 1,
      },
    }
    const rows = [
      { t: 'executions', c: { ...good, revision: 3 } },
      { t: 'executions', c: good },
      { t: 'executions', c: { ...good, run_id: randomUUID(), execution_status: 'ODD' } },
      { t: 'schema_version', c: { version: 99 } },
      { t: 'executions', c: { ...good, process_id: '1; DROP' } },
    ]
    const { json } = await served.send('POST', '/api/v1/reports', { rows })
    expect(json).toMatchObject({ written: 2, refused: [{ row: 2 }, { row: 3 }, { row: 4 }] })
    await served.send('POST', '/api/v1/reports', {
      rows: [{ t: 'executions', c: { ...good, task_name: 'old', revision: 4 } }],
    })
    expect(rowOf(served.ledger, good.run_id)).toMatchObject({ task_name: 'rows', revision: 5 })
  })
})

const python = existsSync('/usr/bin/python3')
if (!python) console.warn('SKIPPED: /usr/bin/python3 is not installed, so its client is not tried over HTTP')
describe.skipIf(!python)('a Python script that reports by HTTP', () => {
  const run = (task: string, last: string, url: string) => {
    const script = join(served.folder, `${task}.py`)
    const head = `import sys\nsys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})\nfrom pipeline_tracker import *\n`
    writeFileSync(
      script,
      `${head}print("id", track_init("${task}", total_tasks=2), flush=True)\ngenter("one")\ntrack_task_progress(3, 8, "Alaska")\ngexit()\n${last}\n`,
    )
    const ran = spawnSync('/usr/bin/python3', [script], {
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        ...process.env,
        MONITOR_DB_CONN: url,
        MONITOR_TOKEN: 'a-token-of-the-test-0123456789',
        MONITOR_SPOOL_DIR: join(served.folder, 'spool'),
      },
    })
    return { ...ran, id: /^id (\S+)$/m.exec(ran.stdout)?.[1] ?? '' }
  }
  it.each([
    ['py_ok', 'track_finish("well")', 0, 'FINISHED'],
    ['py_bad', '1 / 0', 1, 'FAILED'],
    ['py_term', 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)', null, 'CANCELLED'],
  ])('%s', async (task, last, status, word) => {
    const ran = run(task, last, served.url)
    expect(ran.status).toBe(status)
    expect(ran.stderr).not.toContain('Warning')
    expect(rowOf(served.ledger, ran.id)).toMatchObject({ execution_status: word, subtask_items_complete: 3 })
    const { json } = await served.send('GET', `/api/v1/executions/${ran.id}/subtasks`)
    expect(json['items']).toMatchObject([{ name: 'one', standing: 'ok' }])
  })
  it('goes on while the service is away, and its rows come with the next one', async () => {
    const { url, port } = served
    await served.stop()
    const ran = run('py_away', 'track_finish("well")', url)
    expect(ran).toMatchObject({ status: 0 })
    await served.start(port)
    expect(rowOf(served.ledger, ran.id)).toBeUndefined()
    run('py_next', 'track_finish()', url)
    expect(rowOf(served.ledger, ran.id)).toMatchObject({
      execution_status: 'FINISHED',
      subtask_items_complete: 3,
    })
  })
})
