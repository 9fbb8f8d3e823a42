import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { openSession } from '../../src/sql/open-session.ts'

export interface Mariadb {
  readonly url: string
}

/**
 * Starts a MariaDB of a test file's own, stopped after its tests, and when their process ends in any way: a file whose tests are all left out runs
 * nothing after them. Undefined where it is not installed; throws where it is and does not start.
 */
export const startMariadb = async (...options: string[]): Promise<Mariadb | undefined> => {
  const program = ['/usr/sbin/mariadbd', '/usr/libexec/mariadbd'].find((path) => existsSync(path))
  if (program === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'archiver-mariadb-'))
  const data = join(folder, 'data')
  const user = process.getuid?.() === 0 ? ['--user=root'] : []
  const made = spawnSync('mariadb-install-db', [
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    ...user,
  ])
  if (made.status !== 0) return undefined
  const errors = join(folder, 'errors')
  const port = await freePort()
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig=KILL',
      program,
      '--no-defaults',
      // In the usual /tmp it would remove the temporary tables of another server when it starts, as mariadbd does with its own.
      `--tmpdir=${folder}`,
      `--log-error=${errors}`,
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder, 's.sock')}`,
      `--pid-file=${join(folder, 'pid')}`,
      '--innodb-buffer-pool-size=32M',
      ...user,
      ...options,
    ],
    { stdio: 'ignore' },
  )
  afterAll(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  const url = `mysql://root@127.0.0.1:${port}/mysql`
  for (let tries = 0; tries < 600 && child.exitCode === null; tries++) {
    const session = await openSession({ url, password: undefined, timeout: 5000 }).catch(() => undefined)
    await session?.close()
    if (session) return { url }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${program} is installed and did not start: ${readFileSync(errors, 'utf8').slice(-1000)}`)
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
