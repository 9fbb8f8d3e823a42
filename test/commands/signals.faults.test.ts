import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { UconServer } from '../fakes/ucon-server.ts'
import { Site } from '../site.ts'

const sites: Site[] = []
const servers: UconServer[] = []
afterEach(async () => {
  for (const site of sites.splice(0)) site.remove()
  for (const server of servers.splice(0)) await server.close()
})

const siteWith = (settings: ConstructorParameters<typeof Site>[0], runs: number): Site => {
  const site = new Site(settings)
  sites.push(site)
  for (let run = 1; run <= runs; run++) site.record(run)
  return site
}

const ended = (child: ChildProcess): Promise<{ code: number | null; signal: string | null }> =>
  new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })))

/** Waits until the log says something. */
const said = (child: ChildProcess, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let log = ''
    child.stderr?.setEncoding('utf8').on('data', (part: string) => {
      log += part
      if (log.includes(text)) resolve(log)
    })
    child.on('exit', () => reject(new Error(`ended without saying "${text}": ${log}`)))
  })

/** A server that answers everything, and is silent to puts for ever. */
const hungServer = async (): Promise<UconServer> => {
  const server = await UconServer.start({ folders: ['public.test'], users: { writer: 'pw' } })
  servers.push(server)
  server.faults.add({ kind: 'stall', method: 'POST', path: '/data/', times: 1000, skip: 3 })
  return server
}

/** Waits until a put is not answered. */
const hangs = async (server: UconServer): Promise<void> => {
  const puts = () => server.seen.filter(({ method, path }) => method === 'POST' && path.includes('/data/'))
  while (puts().length < 4) await new Promise((resolve) => setTimeout(resolve, 20))
}

const behind = (server: UconServer): string =>
  [
    `  server_url: ${server.url}`,
    '  folder_name: test',
    '  object_name: conf',
    '  writer_user: writer',
    '  writer_password: pw',
    '  timeout_seconds: 60',
  ].join('\n')

/** A migration that has runs in hand whose puts are not answered. */
const hungMigration = async () => {
  const server = await hungServer()
  const site = siteWith({ ucon: behind(server) }, 9)
  expect(site.archiver('--import-only').status).toBe(0)
  const child = site.start('--migrate-only', '-v')
  const exit = ended(child)
  await said(child, '→ Processing run')
  await hangs(server)
  return { child, exit }
}

describe.each([
  { signal: 'SIGTERM' as const, code: 143 },
  { signal: 'SIGINT' as const, code: 130 },
  { signal: 'SIGHUP' as const, code: 143 },
])('$signal in the middle of an import', ({ signal, code }) => {
  it('finishes the runs in hand, records them, begins no migration, and the next pass goes on', async () => {
    const site = siteWith({ app: '  batch_size: 0' }, 150)
    const child = site.start('-v')
    const exit = ended(child)
    await said(child, '→ Processing run 5')
    child.kill(signal)
    expect(await exit).toEqual({ code, signal: null })
    const { last_attempted_run: attempted } = site.state('importer') as { last_attempted_run: number }
    expect(attempted).toBeGreaterThanOrEqual(5)
    expect(attempted).toBeLessThan(150)
    expect(site.archived()).toEqual([])
    expect(site.command('history', '--json').stdout).toContain(signal)
    expect(site.archiver().status).toBe(0)
    expect(site.archived()).toHaveLength(150)
    expect(site.command('audit').status).toBe(0)
  })
})

describe('a server that hangs', () => {
  it('holds the end up for the grace at most; the runs stay pending', async () => {
    const server = await hungServer()
    const site = siteWith({ app: '  shutdown_grace_seconds: 1', ucon: behind(server) }, 9)
    expect(site.archiver('--import-only').status).toBe(0)
    const child = site.start('--migrate-only', '-v')
    const exit = ended(child)
    await said(child, '→ Processing run')
    await hangs(server)
    const began = performance.now()
    child.kill('SIGTERM')
    expect(await exit).toEqual({ code: 143, signal: null })
    expect(performance.now() - began).toBeLessThan(4000)
    expect(site.failures('migrate')).toBe('')
  })
  it('takes two SIGTERM of one moment for one, as timeout(1) sends them', async () => {
    const { child, exit } = await hungMigration()
    child.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(child.exitCode, 'it was left at once').toBeNull()
    child.kill('SIGTERM')
    expect(await exit).toEqual({ code: 143, signal: null })
  })
  it.each([{ before: [] }, { before: ['SIGINT' as const] }, { before: ['SIGHUP' as const] }])(
    'is left at once at the second SIGTERM, with $before before it',
    async ({ before }) => {
      const { child, exit } = await hungMigration()
      for (const first of [...before, 'SIGTERM' as const]) {
        child.kill(first)
        await new Promise((resolve) => setTimeout(resolve, 300))
      }
      expect(child.exitCode, 'it hangs').toBeNull()
      const began = performance.now()
      child.kill('SIGTERM')
      expect(await exit).toEqual({ code: 143, signal: null })
      expect(performance.now() - began).toBeLessThan(2000)
    },
  )
})

describe('a server that is silent while it is asked for its listing', () => {
  it.each([
    { words: ['--migrate-only'], signal: 'SIGTERM' as const, code: 143 },
    { words: ['--migrate-only', '--incremental'], signal: 'SIGINT' as const, code: 130 },
    { words: ['--migrate-only', '--dry-run'], signal: 'SIGTERM' as const, code: 143 },
    { words: ['--recover-migrate-state'], signal: 'SIGTERM' as const, code: 143 },
    { words: ['--report-status'], signal: 'SIGTERM' as const, code: 143 },
    { words: ['audit', '--config'], signal: 'SIGTERM' as const, code: 143 },
    { words: ['verify', '--config'], signal: 'SIGINT' as const, code: 130 },
    { words: ['verify', '--json', '--config'], signal: 'SIGTERM' as const, code: 143 },
  ])(
    'does not keep $words from ending at once, at $signal, with its code',
    async ({ words, signal, code }) => {
      const server = await UconServer.start({ folders: ['public.test'], users: { writer: 'pw' } })
      servers.push(server)
      const site = siteWith({ ucon: behind(server) }, 2)
      expect(site.archiver('--import-only').status).toBe(0)
      server.folder.store('conf', '1', Buffer.from('x'), { tr: 1 })
      server.faults.add({ kind: 'stall', path: '/versions', times: 1000 })
      const child = spawn(process.execPath, ['dist/main.js', ...words, site.config], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const exit = ended(child)
      while (!server.seen.some(({ path }) => path.includes('/versions')))
        await new Promise((resolve) => setTimeout(resolve, 20))
      const began = performance.now()
      child.kill(signal)
      expect(await exit).toEqual({ code, signal: null })
      expect(performance.now() - began).toBeLessThan(8000)
      expect(site.failures('migrate')).toBe('')
    },
  )
})

describe('the lock file removed by hand', () => {
  it('asks a running archiver to stop after the runs in hand', async () => {
    const site = siteWith({ app: '  batch_size: 0' }, 120)
    const child = site.start('-v')
    const exit = ended(child)
    await said(child, '→ Processing run 5')
    rmSync(site.path('work', '.archiver.lock'), { recursive: true })
    expect((await exit).code).toBe(130)
    expect(site.archiver().status).toBe(0)
    expect(site.command('audit').status).toBe(0)
  })
})

describe('UconDB that is away', () => {
  it('does not keep import from its work, and leaves every run pending', () => {
    const site = siteWith(
      {
        ucon: '  server_url: http://127.0.0.1:9/x\n  folder_name: a\n  object_name: b\n  writer_user: u\n  writer_password: p',
      },
      3,
    )
    const { status, stdout } = site.archiver()
    expect(status).toBe(1)
    expect(stdout).toContain('Import:  3 archived')
    expect(stdout).toContain('Migrate: not started')
    expect(site.failures('migrate')).toBe('')
  })
})
