import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FORCEABLE } from '../../src/rows/preflight/problem.ts'
import { openSession } from '../../src/sql/open-session.ts'
import { range, serverAnswers, Site } from './servers.ts'

const program = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => existsSync(path))
const isThere = program !== undefined && (await serverAnswers('postgres'))
if (!isThere) console.warn('SKIPPED: pgbouncer is not installed: no pooler is tried')

/** Does something with the URL of a pgbouncer before the site's database. */
const pooled = async (site: Site, mode: string, act: (url: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'archiver-pool-'))
  chmodSync(folder, 0o755)
  const [server, address] = [new URL(site.url), new URL(site.url)]
  address.port = '24160'
  const file = join(folder, 'pool.ini')
  writeFileSync(
    file,
    `[databases]\n* = host=${server.hostname} port=${server.port} user=${server.username}${server.password && ` password=${server.password}`}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=${address.port}\nunix_socket_dir=\nauth_type=any\npool_mode=${mode}\n`,
  )
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(program ?? '', [...user, file], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    const listens = (): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = connect(Number(address.port), '127.0.0.1', () => {
          socket.destroy()
          resolve(true)
        })
        socket.once('error', () => resolve(false))
      })
    for (let tries = 0; tries < 200 && !(await listens()); tries++)
      await new Promise((resolve) => setTimeout(resolve, 50))
    await act(address.href)
  } finally {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

describe.skipIf(!isThere)('a move through a pooler', () => {
  it.each([
    { mode: 'transaction', says: /a pooler that gives each transaction another session/, left: 20 },
    { mode: 'session', says: undefined, left: 0 },
  ])('is looked at in the mode $mode', async ({ mode, says, left }) => {
    const site = await Site.make('postgres')
    try {
      await site.fill(20)
      site.file('ids.csv', range(1, 20))
      await pooled(site, mode, async (url) => {
        const source = { url, password: undefined, timeout: 10_000 }
        const places = { source, archive: undefined, log: undefined }
        const moved = site.move({ places, forced: new Set(FORCEABLE) })
        if (says) await expect(moved).rejects.toThrow(says)
        else expect(await moved).toMatchObject({ status: 'COMPLETED' })
      })
      expect(await site.count('r')).toBe(left)
    } finally {
      await site.drop()
    }
  })

  it('is refused in good time where the pooler has no session left to look at', async () => {
    const site = await Site.make('postgres')
    try {
      // pgbouncer itself lets a client wait for two minutes.
      await pooled(site, 'session\ndefault_pool_size=1', async (url) => {
        const began = performance.now()
        await expect(openSession({ url, password: undefined, timeout: 1000 })).rejects.toThrow(
          /gave none .* within 1 s/,
        )
        expect(performance.now() - began).toBeLessThan(20_000)
      })
    } finally {
      await site.drop()
    }
  })
})
