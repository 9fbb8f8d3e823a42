import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fillRows } from '../../scripts/demo/rows.ts'
import { openSession } from '../../src/sql/open-session.ts'
import { postgresAnswers, postgresPlace } from '../postgres.ts'
import { identity } from '../../src/platform/host.ts'
import { Site } from '../site.ts'
import { EventStream, type SentEvent } from './event-stream.ts'
import { Served } from './served.ts'

/** Pages that stand are made again after 10 s: what comes within 3 came because it was seen. */
const SOON = 3000
const place = postgresPlace()
const database = `page_live_${process.pid}`
const urlOf = (name: string): string =>
  `postgres://${place.user}${place.password ? `:${place.password}` : ''}@${place.host}:${place.port}/${name}`
const hasPostgres = await postgresAnswers()
const sql = async (name: string, ...all: string[]): Promise<void> => {
  const session = await openSession({ url: urlOf(name), password: undefined, timeout: 10_000 })
  for (const one of all) await session.run(one)
  await session.close()
}
const isPatch =
  (id: string) =>
  ({ event, data }: SentEvent): boolean =>
    event === 'patch' && data['id'] === id
const eventsOf = (served: Served, path: string, log = ''): Promise<EventStream> =>
  EventStream.open(`${served.url}/events?page=${encodeURIComponent(path)}&log=${log}`)

describe('a page of a part that has no place in the ledger', () => {
  // Without a ledger nothing else would make these pages again.
  let site: Site
  let served: Served
  beforeAll(async () => {
    if (hasPostgres) await sql('postgres', `CREATE DATABASE ${database}`)
    site = new Site({
      more: [
        'ledger: { url: "off" }',
        'queue: { url: "sqlite:queue.db" }',
        ...(hasPostgres
          ? [
              'rows:',
              `  source: ${urlOf(database)}`,
              '  table: readings',
              '  archive_table: readings_archive',
              '  files: "${config_dir}/ids/*.csv"',
              '  batch_size: 40',
            ]
          : []),
      ].join('\n'),
    })
    if (hasPostgres) await fillRows(urlOf(database), 'readings', site.path('ids'))
    site.record(1)
    served = new Served(site.config)
    await served.start()
  }, 60_000)
  afterAll(async () => {
    await served.remove()
    site.remove()
    if (hasPostgres) await sql('postgres', `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
  })

  it('instances: changes when a worker begins, not with the next round', async () => {
    const stream = await eventsOf(served, '/instances')
    await stream.next(isPatch('b-instances'))
    await new Promise((done) => setTimeout(done, 1500))
    const before = stream.seen.length
    site.command('worker', '--until-empty')
    const ended = performance.now()
    const patch = await stream.next(
      (event) => isPatch('b-instances')(event) && String(event.data['html']).includes('Stopped'),
      before,
    )
    expect(patch.at - ended).toBeLessThan(SOON)
    stream.close()
  }, 60_000)

  it('rows: changes with a step of the process', async ({ skip }) => {
    if (!hasPostgres) skip()
    site.program(['rows', 'run', site.config])
    const stream = await eventsOf(served, '/rows')
    await stream.next(isPatch('b-tiles'))
    await new Promise((done) => setTimeout(done, 1500))
    const before = stream.seen.length
    await sql(
      database,
      `UPDATE process_logs SET status = 'RUNNING', end_time = NULL, throttle_reason = 'replica lag 41 s'`,
    )
    const written = performance.now()
    const patch = await stream.next(isPatch('lead'), before)
    expect(String(patch.data['html'])).toContain('is held back')
    expect(patch.at - written).toBeLessThan(SOON)
    stream.close()
  }, 60_000)
})

describe('the log of an execution that runs', () => {
  let site: Site
  let served: Served
  let id = ''
  let log = ''
  beforeAll(async () => {
    site = new Site({ more: 'serve: { log_roots: ["${config_dir}/logs"] }' })
    mkdirSync(site.path('logs'))
    log = site.path('logs', 'task.log')
    writeFileSync(log, 'first line\n')
    served = new Served(site.config)
    await served.start()
    const { json, status, text } = await served.send('POST', '/api/v1/executions', {
      task_name: 'DAILY_log',
      hostname: identity().host,
      process_id: process.pid,
      log_path: log,
    })
    if (status >= 300) throw new Error(text)
    id = String(json['run_id'])
  }, 60_000)
  afterAll(async () => {
    await served.remove()
    site.remove()
  })
  const shownPlace = async (): Promise<string> => {
    const { text } = await served.send('GET', `/executions/${id}`)
    const [, found] = /data-place="([^"]+)"/.exec(text) ?? []
    if (found === undefined) throw new Error(text)
    return found
  }

  it('comes line by line within a second or two, masked and as text, to every reader once', async () => {
    const from = await shownPlace()
    const streams = await Promise.all([0, 1].map(() => eventsOf(served, `/executions/${id}`, from)))
    appendFileSync(log, 'second <b>line</b>\n\u001b[31mthird\u001b[0m password=hunter2hunter2\nhalf')
    const written = performance.now()
    for (const stream of streams) {
      const piece = await stream.next(({ event }) => event === 'log')
      expect(piece.at - written).toBeLessThan(SOON)
      expect(piece.data['lines']).toEqual(['second <b>line</b>', 'third password=[secret]'])
    }
    appendFileSync(log, ' and whole\n')
    for (const stream of streams) {
      await stream.next(({ event, data }) => event === 'log' && String(data['lines']) === 'half and whole')
      const lines = stream.seen.filter(({ event }) => event === 'log').flatMap(({ data }) => data['lines'])
      expect(lines.at(-1)).toBe('half and whole')
      expect(lines).toHaveLength(3)
      stream.close()
    }
  }, 60_000)

  it('loses no line to a reader that was away', async () => {
    const from = await shownPlace()
    appendFileSync(log, Array.from({ length: 500 }, (_, i) => `while away ${i}\n`).join(''))
    const stream = await eventsOf(served, `/executions/${id}`, from)
    await stream.next(({ event }) => event === 'log')
    const lines = stream.seen.filter(({ event }) => event === 'log').flatMap(({ data }) => data['lines'])
    expect(lines).toEqual(Array.from({ length: 500 }, (_, i) => `while away ${i}`))
    stream.close()
  }, 60_000)

  it('is not followed to a place that a reader made up in another file', async () => {
    const stream = await eventsOf(served, `/executions/${id}`, '1-2.3')
    const piece = await stream.next(({ event }) => event === 'log')
    expect(piece.data['again']).toBe(true)
    expect(piece.data['lines']).toContain('first line')
    stream.close()
  }, 60_000)
})

describe('the stream of changes', () => {
  const served = new Served()
  beforeAll(() => served.start())
  afterAll(() => served.remove())

  it('serves a hundred readers a change in a second or two, and says that it is full to the next one', async () => {
    const { json } = await served.send('POST', '/api/v1/executions', { task_name: 'DAILY_many' })
    const streams = await Promise.all(Array.from({ length: 100 }, () => eventsOf(served, '/')))
    await Promise.all(streams.map((stream) => stream.next(isPatch('b-now'))))
    const late = await eventsOf(served, '/')
    await late.next(({ event }) => event === 'full')
    await late.ended
    const marks = streams.map(({ seen }) => seen.length)
    await served.send('POST', `/api/v1/executions/${String(json['run_id'])}/error`, { message: 'm' })
    const written = performance.now()
    const patches = await Promise.all(streams.map((stream, i) => stream.next(isPatch('b-now'), marks[i])))
    expect(Math.max(...patches.map(({ at }) => at - written))).toBeLessThan(SOON * 2)
    for (const stream of streams) stream.close()
  }, 120_000)

  it('begins again where the server was killed and came back, with the page as it is now', async () => {
    const port = served.port
    const first = await eventsOf(served, '/')
    await first.next(isPatch('b-now'))
    await served.stop()
    await first.ended
    await served.start(port)
    const second = await eventsOf(served, '/')
    expect(String((await second.next(isPatch('b-tasks'))).data['html'])).toContain('DAILY_many')
    second.close()
  }, 60_000)
})
