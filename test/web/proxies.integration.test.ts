import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Served } from './served.ts'

const NAME = 'daq.example.org'
const DOCS = readFileSync('docs/PAGE.md', 'utf8')

/** The lines of an example in docs/PAGE.md, from the one that begins so to its closing brace. */
const example = (begin: string): string => {
  const lines = DOCS.split('\n')
  const from = lines.findIndex((line) => line === `    ${begin}`)
  const to = lines.findIndex((line, at) => at > from && line === '    }')
  if (from < 0 || to < 0) throw new Error(`docs/PAGE.md has no example that begins with ${begin}`)
  return lines.slice(from, to + 1).join('\n')
}

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })

interface Proxy {
  readonly words: (folder: string) => readonly string[]
  readonly file: string
  readonly text: (folder: string, port: number, page: number) => string
}

/** The documented examples, with the ports of the test, and what a whole configuration has around them. */
const PROXIES: Readonly<Record<string, Proxy>> = {
  nginx: {
    words: (folder) => ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')],
    file: 'nginx.conf',
    text: (folder, port, page) => `daemon off; pid ${folder}/nginx.pid; events {}
      http {
        access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
        fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
        server { listen 127.0.0.1:${port};
          ${example('location /archiver/ {').replace('127.0.0.1:8090', `127.0.0.1:${page}`)}
        }
      }`,
  },
  caddy: {
    words: (folder) => ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
    file: 'Caddyfile',
    // Without TLS, which would ask another host for a certificate.
    text: (_, port, page) => `{
      admin off
      auto_https off
      default_bind 127.0.0.1
    }
    ${example(`${NAME} {`)
      .replace(`${NAME} {`, `http://${NAME}:${port} {`)
      .replace('127.0.0.1:8090', `127.0.0.1:${page}`)}\n`,
  },
}

for (const name of Object.keys(PROXIES))
  if (spawnSync(name, [name === 'nginx' ? '-v' : 'version']).status !== 0) console.warn(`SKIPPED: no ${name}`)

describe.each(Object.entries(PROXIES))('the page behind %s, as docs/PAGE.md tells', (name, proxy) => {
  const isThere = spawnSync(name, [name === 'nginx' ? '-v' : 'version']).status === 0
  const folder = mkdtempSync(join(tmpdir(), `behind-${name}-`))
  const served = new Served(undefined, ['--base-path', '/archiver', '--public-url', `https://${NAME}`])
  let child: ChildProcess | undefined
  let port = 0
  let said = ''

  const get = (path: string, onText?: (text: string) => void): Promise<{ status: number; text: string }> =>
    new Promise((done, fail) => {
      const headers = { host: NAME, accept: onText ? 'text/event-stream' : 'text/html' }
      const on = request({ host: '127.0.0.1', port, path, headers }, (reply) => {
        let text = ''
        reply.setEncoding('utf8')
        reply.on('data', (piece: string) => {
          text += piece
          onText?.(text)
        })
        reply.once('close', () => done({ status: reply.statusCode ?? 0, text }))
      })
      on.once('error', fail)
      on.end()
      if (onText) closers.push(() => on.destroy())
    })
  const closers: (() => void)[] = []

  beforeAll(async () => {
    if (!isThere) return
    await served.start()
    port = await freePort()
    mkdirSync(join(folder, 'home'))
    writeFileSync(join(folder, proxy.file), proxy.text(folder, port, served.port))
    child = spawn(name, [...proxy.words(folder)], {
      env: { ...process.env, HOME: join(folder, 'home'), XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stderr?.on('data', (piece: Buffer) => (said += piece.toString()))
    for (let tries = 0; tries < 200; tries++) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${said}`)
      if (await get('/archiver/healthz').then(({ status }) => status === 200, () => false)) return // prettier-ignore
      await new Promise((done) => setTimeout(done, 50))
    }
    throw new Error(`${name} does not answer: ${said}`)
  }, 60_000)
  afterAll(async () => {
    for (const close of closers) close()
    if (child && child.exitCode === null) {
      const ended = new Promise((done) => child?.once('exit', done))
      child.kill('SIGTERM')
      await ended
    }
    await served.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  it.skipIf(!isThere)('is there under the path, with its assets, and nowhere else', async () => {
    const { status, text } = await get('/archiver/')
    expect(status).toBe(200)
    const assets = [...text.matchAll(/(?:src|href)="(\/archiver\/assets\/[^"]+)"/g)].map(
      ([, path = '']) => path,
    )
    expect(assets.length).toBeGreaterThan(2)
    for (const path of assets) expect((await get(path)).status).toBe(200)
    expect((await get('/')).text).not.toContain('run-archiver')
  })

  it.skipIf(!isThere)(
    'sends a change through it at once',
    async () => {
      let heard = ''
      void get(`/archiver/events?page=${encodeURIComponent('/')}`, (text) => (heard = text)).catch(
        () => undefined,
      )
      await expect.poll(() => heard, { timeout: 15_000 }).toContain('event: patch')
      await served.send('POST', '/archiver/api/v1/executions', { task_name: 'DAILY_behind' })
      const written = performance.now()
      await expect.poll(() => heard, { timeout: 15_000, interval: 20 }).toContain('DAILY_behind')
      expect(performance.now() - written).toBeLessThan(3000)
    },
    60_000,
  )
})
