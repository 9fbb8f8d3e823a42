import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { migrate } from '../../src/sql/migrate.ts'
import { openDatabase } from '../../src/sql/open-database.ts'

let server: Server | undefined
afterEach(() => void server?.close())

it.each(['postgres', 'mysql'] as const)(
  'a %s server that takes connections and never answers is tried once: a second try would hold the process as long again',
  async (dialect) => {
    let connections = 0
    server = createServer((socket) => {
      connections += 1
      socket.on('error', () => undefined).resume()
    })
    await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const database = await openDatabase({
      place: { dialect, server: `${dialect}://u:p@127.0.0.1:${port}/x` },
      schema: undefined,
      password: undefined,
      timeout: 300,
    })
    const migrating = migrate(database, { subsystem: 'ledger', migrations: [], now: () => 0, by: 'test' })
    await expect(migrating).rejects.toThrow(/time|ETIMEDOUT/i)
    expect(connections).toBe(1)
    await database.close()
  },
)
