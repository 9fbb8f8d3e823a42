import { cpSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'
import { Served } from './served.ts'

const site = new Site()
const served = new Served(site.config)
const anybody = { authorization: '' }

beforeAll(async () => {
  for (const run of [1, 2, 3]) site.record(run)
  cpSync(site.path('records', '3'), site.path('records', '003'), { recursive: true })
  if (site.archiver().status !== 1) throw new Error('run 3 did not fail')
  rmSync(site.path('records', '003'), { recursive: true })
  await served.start()
}, 60_000)
afterAll(async () => {
  await served.remove()
  site.remove()
})

/** What `alerts list` and the report of the command line say. */
const report = (...words: string[]): string => site.command('alerts', ...words).stdout

describe('an execution of which a run failed', () => {
  it('did not end well, on every page that counts', async () => {
    expect((await served.send('GET', '/history')).text).toContain('<b>1 did not end well.</b>')
    expect((await served.send('GET', '/')).text).toContain('0 of 1 ended well')
  })

  it('is shown with its own words, where no other one has the same cause', async () => {
    expect((await served.send('GET', '/')).text).toMatch(
      /run 3: two folders claim it, (?:003 and 3|3 and 003); rename one/,
    )
  })
})

describe('an action of the page', () => {
  it.each([
    ['/api/v1/runs/retry', { stage: 'import' }],
    ['/api/v1/executions/1/cancel', undefined],
    ['/actions/scrub', undefined],
    ['/actions/silence', undefined],
  ])('%s is refused without the token', async (path, body) => {
    const { status, type } = await served.send('POST', path, body, anybody)
    expect([status, type]).toEqual([401, 'application/problem+json'])
  })

  it('says what a retry would do, with its command, and does nothing', async () => {
    const { status, json } = await served.send('POST', '/api/v1/runs/retry', {
      stage: 'import',
      dry_run: true,
    })
    expect(status).toBe(202)
    expect(json['command']).toBe(`run-archiver ${site.config} --retry-failed-import --dry-run`)
    expect(json['said']).toMatch(/^Import: +would process 1 run/m)
    expect(site.failures('import')).toBe('3\n')
  })

  it('retries what failed: the run is archived, by a pass that outlives the request', async () => {
    const { status } = await served.send('POST', '/api/v1/runs/retry', { stage: 'import', runs: '3' })
    expect(status).toBe(202)
    const imported = (): boolean =>
      site.command('extract', '3', '--from', 'artdaq', '--to', site.path('back')).status === 0
    await expect.poll(imported, { timeout: 30_000, interval: 500 }).toBe(true)
    // On a busy machine the server has closed the idle connection meanwhile: a turn of the loop, so that the next request does not take it.
    await new Promise((done) => setTimeout(done, 50))
  }, 40_000)

  it('silences a rule until a time', async () => {
    const body = new URLSearchParams({ alert: 'failed|*', hours: '2', why: "it's the beam" })
    const reply = await fetch(`${served.url}/actions/silence`, {
      method: 'POST',
      body,
      redirect: 'manual',
      headers: { authorization: `Bearer ${served.token}`, origin: served.url },
    })
    expect(reply.status).toBe(303)
    const done = await served.send('GET', new URL(reply.headers.get('location') ?? '', served.url).pathname)
    expect(done.text).toContain('alerts silence failed --for=120m')
    expect(report('list')).toContain('failed')
  })

  it('is kept as an event, with its command and the address that asked; a look is not', async () => {
    const { json } = await served.send('GET', '/api/v1/actions')
    expect(json['items']).toMatchObject([
      {
        action: 'silence',
        command: expect.stringContaining('alerts silence failed') as string,
        who: 'token',
        from: '127.0.0.1',
      },
      { action: 'retry', command: `run-archiver ${site.config} --retry-failed-import --runs=3` },
    ])
    expect((await served.send('GET', '/alerts')).text).toContain('alerts silence failed')
  })

  it.each([
    ['/api/v1/runs/retry', { stage: 'import', runs: '1; rm' }, 400],
    ['/api/v1/runs/retry', { stage: 'both' }, 400],
    ['/api/v1/executions/999999/cancel', undefined, 404],
  ])('%s %j is refused', async (path, body, expected) => {
    expect((await served.send('POST', path, body)).status).toBe(expected)
  })
})
