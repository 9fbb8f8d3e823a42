import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../site.ts'
import { Served } from './served.ts'

/** An archive that takes a connection and says nothing: its listing does not end. */
const silent: Server = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
const sockets = new Set<Socket>()
let site: Site
let served: Served

beforeAll(async () => {
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done))
  const { port } = silent.address() as AddressInfo
  site = new Site({
    ucon: [
      `  server_url: http://127.0.0.1:${port}/instance/app`,
      '  folder_name: test',
      '  object_name: configuration',
      '  writer_user: u',
      '  writer_password: p',
      '  timeout_seconds: 600',
    ].join('\n'),
  })
  for (const run of [1, 2, 3]) site.record(run)
  expect(site.archiver('--import-only')).toMatchObject({ status: 0, stderr: expect.any(String) as string })
  writeFileSync(site.path('work', 'migrate_failures.log'), '2\n')
  rmSync(site.path('work', '.listings.json'), { force: true })
  served = new Served(site.config)
  await served.start()
}, 60_000)
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  silent.close()
  await served.remove()
  site.remove()
})

const text = async (path: string): Promise<string> => {
  const { text: html } = await served.send('GET', path)
  return html
    .replace(/<svg class="sprite".*?<\/svg>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('\u00a0', ' ')
    .replace(/\s+/g, ' ')
}

describe('a page whose first listing of the stores takes long', () => {
  it.each(['/', '/runs', '/runs/3'])(
    '%s answers at once, and says that they are being listed',
    async (path) => {
      const began = performance.now()
      expect(await text(path)).toContain('The stores are being listed')
      expect(performance.now() - began).toBeLessThan(15_000)
    },
  )

  it('shows what the memories know, and no number of what is not known', async () => {
    const overview = await text('/')
    expect(overview).toMatch(/On their way \? the stores are being listed/)
    expect(overview).toMatch(/1 run failed/)
    expect(overview).not.toMatch(
      /Nothing needs a person|No run has been taken|None failed|0 are on their way/,
    )
    expect(await text('/runs')).not.toMatch(
      /Never taken|Archived|Nothing is missing|No run has been archived/,
    )
    expect(await text('/runs/2')).toMatch(/Run 2 Failed.*--retry-failed-migrate --runs 2/)
    const third = await text('/runs/3')
    expect(third).toContain('Not known')
    expect(third).not.toMatch(/Never taken|never taken|no such run/)
  })

  it.each(['/runs', '/runs/map', '/runs/bins', '/runs/gaps', '/runs/3', '/marks'])(
    'has no %s for programs: they are asked to come again',
    async (path) => {
      const { status, json } = await served.send('GET', `/api/v1${path}`)
      expect({ status, ...json }).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE' })
    },
  )

  it('has metrics, without the numbers that the stores decide', async () => {
    const { status, text: metrics } = await served.send('GET', '/metrics')
    expect(status).toBe(200)
    expect(metrics).toContain('archiver_failed_runs{stage="migrate"} 1')
    expect(metrics).not.toMatch(/archiver_(?:backlog_runs|source_highest_run)\{/)
  })
})
