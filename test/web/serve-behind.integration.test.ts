import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EventStream } from './event-stream.ts'
import { Served } from './served.ts'

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })

const hasActivate = spawnSync('systemd-socket-activate', ['--version']).status === 0
if (!hasActivate) console.warn('SKIPPED: no systemd-socket-activate: a passed socket is not tried')

describe.skipIf(!hasActivate)('a socket that systemd passes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'activated-'))
  const children: ChildProcess[] = []
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  /** Starts it as systemd does: at the first reader. */
  const activated = (address: string) => {
    const child = spawn(
      'systemd-socket-activate',
      ['-l', address, process.execPath, resolve('dist/main.js'), 'serve', '--ledger', 'sqlite:ledger.db'],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    children.push(child)
    const said = { err: '', code: undefined as number | null | undefined }
    child.stderr.on('data', (piece: Buffer) => (said.err += piece.toString()))
    child.once('exit', (code) => (said.code = code))
    return { child, said }
  }
  const listens = async (said: { readonly err: string }): Promise<void> => {
    while (!said.err.includes('Listening on')) await new Promise((done) => setTimeout(done, 20))
  }

  it('is what the page answers on, also to the reader who started it', async () => {
    const port = await freePort()
    const { child, said } = activated(`127.0.0.1:${port}`)
    await listens(said)
    const reply = await fetch(`http://127.0.0.1:${port}/healthz`)
    expect([reply.status, await reply.text()]).toEqual([200, 'ok\n'])
    const page = await (await fetch(`http://127.0.0.1:${port}/`)).text()
    expect(page).toContain(`on 127.0.0.1:${port}`)
    expect((await fetch(`http://localhost:${port}/runs`)).status).toBe(200)
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGTERM')
    await ended
  }, 60_000)

  it('is refused where others reach it and no token guards it', async () => {
    const port = await freePort()
    const { child, said } = activated(`0.0.0.0:${port}`)
    await listens(said)
    const ended = new Promise((done) => child.once('exit', done))
    await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
    await ended
    expect(said.code).toBe(78)
    expect(said.err).toMatch(/listens on (?:0\.0\.0\.0|::), which others can reach, and has no token/)
  }, 60_000)
})

describe('the page behind a reverse proxy', () => {
  const name = 'daq.example.org'
  const served = new Served(undefined, ['--base-path', '/archiver', '--public-url', `https://${name}`])
  let proxy: Server
  let base = ''
  beforeAll(async () => {
    await served.start()
    // What docs/PAGE.md tells nginx and Caddy: pass the name, hand on at once.
    proxy = createServer((from, to) => {
      const on = request(
        {
          host: '127.0.0.1',
          port: served.port,
          method: from.method,
          path: from.url,
          headers: { ...from.headers, host: String(from.headers['x-try-host'] ?? name) },
        },
        (reply) => {
          to.writeHead(reply.statusCode ?? 502, reply.headers)
          to.flushHeaders()
          reply.pipe(to)
        },
      )
      to.once('close', () => on.destroy())
      on.once('error', () => to.destroy())
      from.pipe(on)
    })
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
    base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/archiver`
  }, 60_000)
  afterAll(async () => {
    proxy.closeAllConnections()
    proxy.close()
    await served.remove()
  })

  it('has every link, form and asset below its path, and they are there', async () => {
    for (const path of ['/', '/history', '/performance', '/failures', '/_parts']) {
      const reply = await fetch(`${base}${path}`)
      expect(reply.status).toBe(200)
      const html = await reply.text()
      const addresses = [...html.matchAll(/ (?:href|src|action|data-src)="([^"#][^"]*)"/g)].map(
        ([, to]) => to,
      )
      expect(addresses.length).toBeGreaterThan(10)
      expect(addresses.filter((to) => !to?.startsWith('/archiver/'))).toEqual([])
    }
    const html = await (await fetch(`${base}/`)).text()
    for (const [, asset] of html.matchAll(/(?:src|href)="\/archiver(\/assets\/[^"]+)"/g))
      expect((await fetch(`${base}${asset ?? ''}`)).status).toBe(200)
  })

  it('sends a change through it at once', async () => {
    const stream = await EventStream.open(`${base}/events?page=${encodeURIComponent('/')}`)
    await stream.next(({ event, data }) => event === 'patch' && data['id'] === 'b-now')
    const before = stream.seen.length
    await served.send('POST', '/archiver/api/v1/executions', { task_name: 'DAILY_behind' })
    const written = performance.now()
    const patch = await stream.next(({ data }) => String(data['html']).includes('DAILY_behind'), before)
    expect(patch.at - written).toBeLessThan(3000)
    expect(String(patch.data['html'])).toContain('href="/archiver/executions/')
    stream.close()
  }, 60_000)

  it('refuses a name that is not its own, and a cookie is for its path and for TLS alone', async () => {
    expect((await fetch(`${base}/`, { headers: { 'x-try-host': 'evil.example' } })).status).toBe(403)
    const reply = await fetch(`${base}/login`, {
      method: 'POST',
      body: new URLSearchParams({ token: served.token }),
      redirect: 'manual',
    })
    expect(reply.headers.get('location')).toBe('/archiver/')
    expect(reply.headers.get('set-cookie')).toMatch(/Path=\/archiver; HttpOnly; SameSite=Strict; Secure/)
  })
})
