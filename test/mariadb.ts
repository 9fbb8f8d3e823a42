import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { openSession } from '../src/sql/open-session.ts'
import { fastFolder } from './fast-folder.ts'

/** A MariaDB of the tests: root without a password, on this machine only. */
export interface OwnMariadb {
  readonly url: string
  readonly port: number
  /** SIGSTOP freezes it with all of its connections, SIGCONT lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** Kills it and removes what it stored. */
  stop(): Promise<void>
}

const program = ['/usr/sbin/mariadbd', '/usr/libexec/mariadbd'].find((path) => existsSync(path))
const asRoot = process.getuid?.() === 0 ? ['--user=root'] : []

/** Where a server's files are as they are when it is new, for processes that start one: to make them takes some seconds. */
const made = (): string | undefined => process.env['ARCHIVER_NEW_MARIADB']

/** Makes the files of a new server; false where it is not installed. */
const make = (data: string): boolean =>
  program !== undefined &&
  spawnSync('mariadb-install-db', [
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    ...asRoot,
  ]).status === 0

/** Makes the files of a new server once, for all processes that start one. Gives what removes them. */
export const prepareMariadb = (): (() => void) => {
  const folder = fastFolder('archiver-mariadb-new-')
  if (make(join(folder, 'data'))) process.env['ARCHIVER_NEW_MARIADB'] = join(folder, 'data')
  return () => {
    delete process.env['ARCHIVER_NEW_MARIADB']
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Starts one, which ends with this process in any way. Undefined where it is not installed; throws where it is and does not start. */
export const launchMariadb = async (...options: string[]): Promise<OwnMariadb | undefined> => {
  if (program === undefined) return undefined
  const folder = fastFolder('archiver-mariadb-')
  const data = join(folder, 'data')
  const files = made()
  if (files !== undefined) cpSync(files, data, { recursive: true })
  else if (!make(data)) {
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
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
      ...asRoot,
      ...options,
    ],
    { stdio: 'ignore' },
  )
  const stop = async (): Promise<void> => {
    await ended(child)
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `mysql://root@127.0.0.1:${port}/mysql`
  for (let tries = 0; tries < 600 && child.exitCode === null; tries++) {
    const session = await openSession({ url, password: undefined, timeout: 5000 }).catch(() => undefined)
    await session?.close()
    if (session) return { url, port, signal: (name) => void child.kill(name), stop }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const said = readFileSync(errors, 'utf8').slice(-1000)
  await stop()
  throw new Error(`${program} is installed and did not start: ${said}`)
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => {
      resolve()
    })
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.kill('SIGKILL')
  })

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
