import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EventStream } from './event-stream.ts'
import { Served, TOKEN } from './served.ts'

const served = new Served()
beforeAll(() => served.start())
afterAll(() => served.remove())

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

describe('a request that nothing answers', () => {
  it.each([
    ['GET', '/api/v1'],
    ['GET', '/api/v1/nothing'],
    ['GET', '/api/v1/executions/1/nothing'],
    ['GET', '/api/v2/executions'],
    ['DELETE', '/api/v1/executions/1'],
    ['PUT', '/api/v1/executions'],
    ['PATCH', '/api/v1/nothing'],
    ['POST', '/api/v1/tasks'],
    ['OPTIONS', '/api/v1/executions'],
    ['POST', '/history'],
  ])('%s %s is a problem of its own type', async (method, path) => {
    const { status, type, json } = await served.send(method, path)
    expect([status, type, json]).toEqual([
      404,
      'application/problem+json',
      expect.objectContaining({ status: 404, code: 'NOT_FOUND' }),
    ])
  })
})

describe('a question for executions', () => {
  it.each(['from', 'to', 'day'])('with a year that is no four digits in "%s" is refused', async (name) => {
    for (const moment of ['+275760-09-13T00:00:00Z', '-000001-01-01T00:00:00Z', '9999-12-31'])
      expect(
        await served.send('GET', `/api/v1/executions?${name}=${encodeURIComponent(moment)}`),
        moment,
      ).toMatchObject({ status: 400, json: { code: 'USAGE' } })
  })
  it('takes the words of execution_status and of process_logs as status', async () => {
    const { json } = await served.send('POST', '/api/v1/executions', { task_name: 'STATUS_words' })
    await served.send('POST', `/api/v1/executions/${String(json['run_id'])}/finish`, {})
    const count = async (status: string): Promise<number> =>
      (
        (await served.send('GET', `/api/v1/executions?task=STATUS_words&status=${status}`)).json[
          'items'
        ] as unknown[]
      ).length
    const words = ['FINISHED', 'COMPLETED', 'ok', 'FAILED', 'RUNNING', 'TERMINATED']
    expect(await Promise.all(words.map(count))).toEqual([1, 1, 1, 0, 0, 0])
  })
})

describe('a word that no execution has', () => {
  it.each(['status=BLA', 'standing=lost', 'status=finished'])(
    'is refused with those that there are: %s',
    async (query) =>
      expect(await served.send('GET', `/api/v1/executions?${query}`)).toMatchObject({
        status: 400,
        type: 'application/problem+json',
        json: { code: 'USAGE', title: matching(/must be one of .*FINISHED/) },
      }),
  )
})

describe('a number that no column takes', () => {
  it.each([
    ['/executions', { task_name: 'RANGE', total_subtasks: 2 ** 31 }, 'total_subtasks'],
    ['/executions', { task_name: 'RANGE', process_id: 2 ** 40 }, 'process_id'],
    ['/executions', { task_name: 'RANGE', heartbeat_seconds: -1 }, 'heartbeat_seconds'],
    ['/executions', { task_name: 'RANGE', at: 0 }, 'at'],
    ['heartbeat', { cpu_percent: 1e9 }, 'cpu_percent'],
    ['heartbeat', { memory_mb: 2 ** 31 }, 'memory_mb'],
    ['progress', { items_complete: 2 ** 53 }, 'items_complete'],
    ['progress', { op: 'add', items: 2 ** 54 }, 'items'],
    ['finish', { exit_code: 2 ** 31 }, 'exit_code'],
  ])('in %s %j is a problem that names its field', async (path, body, field) => {
    const { json } = await served.send('POST', '/api/v1/executions', { task_name: 'RANGE' })
    const place = path.startsWith('/') ? path : `/executions/${String(json['run_id'])}/${path}`
    expect(await served.send('POST', `/api/v1${place}`, body)).toMatchObject({
      status: 400,
      json: { code: 'USAGE', title: matching(new RegExp(`"${field}"`)) },
    })
  })
})

describe('a report', () => {
  it('may name its scheme in small letters, and is told the scheme where it names none', async () => {
    const small = { authorization: `bearer ${TOKEN}` }
    expect(await served.send('POST', '/api/v1/executions', { task_name: 'SMALL' }, small)).toMatchObject({
      status: 201,
    })
    const reply = await fetch(`${served.url}/api/v1/executions`, { method: 'POST', body: '{}' })
    expect([reply.status, reply.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  })
})

describe('an execution whose reports have had the highest number', () => {
  it('refuses the next one, instead of an answer that it is written', async () => {
    const id = String(
      (await served.send('POST', '/api/v1/executions', { task_name: 'HIGHEST' })).json['run_id'],
    )
    const report = (subtask_message: string, seq?: number) =>
      served.send('PATCH', `/api/v1/executions/${id}`, { subtask_message, seq })
    expect(await report('last', Number.MAX_SAFE_INTEGER)).toMatchObject({ status: 200 })
    expect(await report('lost')).toMatchObject({ status: 409, json: { code: 'CONFLICT' } })
    expect(
      served.query(`SELECT subtask_progress_message AS said FROM executions WHERE run_id = '${id}'`),
    ).toEqual([{ said: 'last' }])
  })
})

describe('a reader that has any version of an answer', () => {
  it('is told that nothing changed', async () => {
    const reply = await fetch(`${served.url}/api/v1/stages`, { headers: { 'if-none-match': '*' } })
    expect(reply.status).toBe(304)
  })
})

describe('readers of events', () => {
  it('keep their places when others only ask for the head', async () => {
    for (let i = 0; i < 110; i++)
      await fetch(`${served.url}/events?page=/`, { method: 'HEAD' }).then((reply) => reply.text())
    const stream = await EventStream.open(`${served.url}/events?page=/`)
    expect(await stream.next(({ event }) => event === 'parts' || event === 'full')).toMatchObject({
      event: 'parts',
    })
    stream.close()
  })
})
