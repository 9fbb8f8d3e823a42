import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canRun, PROGRAM } from './harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'foreign-answers-'))
const TOKEN = 'of-the-tests-0000000000'

/** What a server that is no run-archiver answers to a report, by the first part of the path. */
const ANSWERS: Readonly<Record<string, (answer: ServerResponse, body: string) => void>> = {
  // As the service itself answers: else all of these tests would pass for a client that keeps everything.
  own: (answer, body) => {
    const { rows } = JSON.parse(body || '{"rows":[]}') as { rows: unknown[] }
    answer.end(JSON.stringify({ written: rows.length, refused: [], cancel_requested: [] }))
  },
  slow: (answer, body) => void setTimeout(() => ANSWERS['own']?.(answer, body), 700),
  page: (answer) => answer.setHeader('content-type', 'text/html').end('<html>Please sign in</html>'),
  object: (answer) => answer.end('{}'),
  list: (answer) => answer.end('[]'),
  empty: (answer) => answer.writeHead(204).end(),
  cut: (answer) => {
    answer.writeHead(200, { 'content-length': '100' })
    answer.write('{"written":1')
    setTimeout(() => answer.destroy(), 50)
  },
  silent: () => undefined,
  plain400: (answer) =>
    answer.writeHead(400).end('<html>The plain HTTP request was sent to HTTPS port</html>'),
  moved: (answer) => answer.writeHead(301, { location: `${elsewhere.url}/own?key=geheim` }).end(),
  found: (answer) => answer.writeHead(302, { location: `${elsewhere.url}/own` }).end(),
  kept: (answer) => answer.writeHead(307, { location: `${elsewhere.url}/own` }).end(),
}

const handle = (request: IncomingMessage, answer: ServerResponse): void => {
  let body = ''
  request.on('data', (piece: Buffer) => (body += piece.toString()))
  request.on('end', () =>
    (ANSWERS[(request.url ?? '').split(/[/?]/)[1] ?? ''] ?? ANSWERS['page'])?.(answer, body),
  )
}

class Foreign {
  readonly requests: string[] = []
  readonly #server = createServer((request, answer) => {
    this.requests.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    handle(request, answer)
  })
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }
  start = (): Promise<void> => new Promise((done) => this.#server.listen(0, '127.0.0.1', done))
  stop = (): Promise<unknown> => {
    this.#server.closeAllConnections()
    return new Promise((done) => this.#server.close(done))
  }
}
const foreign = new Foreign()
const elsewhere = new Foreign()
beforeAll(() => Promise.all([foreign.start(), elsewhere.start()]))
afterAll(async () => {
  await Promise.all([foreign.stop(), elsewhere.stop()])
  rmSync(folder, { recursive: true })
})

const bare = join(folder, 'without-curl')
const scripts = (): void => {
  writeFileSync(
    join(folder, 'one.py'),
    `import sys; sys.path.insert(0, ${JSON.stringify(resolve('clients/python'))})
from pipeline_tracker import *
track_init("T"); genter("a"); gexit(); track_finish("well")`,
  )
  writeFileSync(
    join(folder, 'one.R'),
    `source(${JSON.stringify(resolve('clients/R/track_status.R'))})
track_init("T"); genter("a"); gexit(); track_finish("well")`,
  )
  writeFileSync(
    join(folder, 'one.mjs'),
    `import { tracker } from ${JSON.stringify(resolve('dist/tracking.mjs'))}
const one = tracker.init({ taskName: 'T' }); one.enter('a'); one.exit(); one.finish('well')`,
  )
  mkdirOnce(bare)
}
const mkdirOnce = (path: string): void => {
  if (existsSync(path)) return
  mkdirSync(path)
  for (const name of ['sh', 'sed', 'rm', 'uname', 'which', 'ls', 'sleep'])
    if (existsSync(`/usr/bin/${name}`)) symlinkSync(`/usr/bin/${name}`, join(path, name))
}
beforeAll(scripts)

const CLIENTS: Readonly<Record<string, readonly string[]>> = {
  Python: ['/usr/bin/python3', join(folder, 'one.py')],
  R: ['/usr/bin/Rscript', join(folder, 'one.R')],
  'R without curl': ['/usr/bin/Rscript', join(folder, 'one.R')],
  TypeScript: [process.execPath, join(folder, 'one.mjs')],
  shell: [process.execPath, PROGRAM, 'track', 'run', '--task-name', 'T', '--', 'true'],
}

let count = 0
const report = async (client: string, kind: string) => {
  const [file = '', ...words] = CLIENTS[client] ?? []
  const spool = join(folder, `spool-${++count}`)
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(MONITOR|TASKER|RUN_ARCHIVER)_/.test(name)),
  )
  const own = { MONITOR_DB_CONN: `${foreign.url}/${kind}`, MONITOR_TOKEN: TOKEN, MONITOR_SPOOL_DIR: spool }
  const path = client === 'R without curl' ? { PATH: bare } : { PATH: '/usr/bin:/bin' }
  const began = performance.now()
  const child = spawn(file, words, { cwd: folder, env: { ...env, ...own, ...path } })
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  child.stdout.resume()
  const code = await new Promise((done) => child.once('close', done))
  const names = existsSync(spool)
    ? readdirSync(spool).filter((name) => name.startsWith('tracking-spool'))
    : []
  const waiting = names.filter((name) => !name.endsWith('.refused'))
  return {
    ...{ code, errors, ms: performance.now() - began, refused: names.length - waiting.length },
    waits: waiting.map((name) => readFileSync(join(spool, name), 'utf8')).join(''),
  }
}

const there = (client: string): boolean => !client.startsWith('R') || canRun('/usr/bin/Rscript', '-e', '1')

describe.each(Object.keys(CLIENTS).filter(there))('a report by %s', { timeout: 60_000 }, (client) => {
  it('to a run-archiver leaves nothing behind', async () => {
    const { code, errors, waits } = await report(client, 'own')
    expect([code, waits]).toEqual([0, ''])
    expect(errors).not.toContain('Warning')
  })
  it('to a run-archiver that is slow is waited for', async () => {
    expect((await report(client, 'slow')).waits).toBe('')
  })
  it.each(['page', 'object', 'list', 'empty', 'cut', 'plain400'])(
    'to a server that is none, and answers with "%s", waits in the spool, and a warning says so',
    async (kind) => {
      const { code, errors, waits, refused } = await report(client, kind)
      expect(code).toBe(0)
      expect(waits).toContain('"FINISHED"')
      expect(refused).toBe(0)
      expect(errors).toMatch(/Warning: .*\/(page|object|list|empty|cut|plain400)/)
    },
  )
  it('to a server that never answers costs seconds once, waits in the spool, and a warning says so', async () => {
    const usual = (await report(client, 'own')).ms
    const { code, errors, waits, ms } = await report(client, 'silent')
    expect(code).toBe(0)
    expect(waits).toContain('"FINISHED"')
    // One request may take five seconds: R has no thread that could wait for it.
    expect(ms - usual).toBeLessThan(client.startsWith('R') ? 6000 : 3200)
    expect(errors).toMatch(/Warning: .*(in time|within|timeout|does not answer|too slow|timed out)/)
  })
  it.each(['moved', 'found', 'kept'])(
    'that is "%s" elsewhere follows nothing, and names the place',
    async (kind) => {
      const { code, errors, waits } = await report(client, kind)
      expect(code).toBe(0)
      expect(waits).toContain('"FINISHED"')
      expect(elsewhere.requests).toEqual([])
      expect(errors).toContain(`redirects to ${elsewhere.url}/own`)
      expect(errors).not.toContain('geheim')
    },
  )
})
