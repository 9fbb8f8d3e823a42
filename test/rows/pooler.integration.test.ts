import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
    `[databases]\n* = host=${server.hostname} port=${server.port} user=${server.username}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=${address.port}\nunix_socket_dir=\nauth_type=any\npool_mode=${mode}\n`,
  )
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(program ?? '', [...user, file], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    const open = () => openSession({ url: address.href, password: undefined, timeout: 5000 })
    for (let tries = 0; tries < 100; tries++) {
      const session = await open().catch(() => undefined)
      await session?.close()
      if (session) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
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
})
