import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../../src/common/secret.ts'
import { databasePassword } from '../../../src/sql/fresh-password.ts'
import { openPostgres } from '../../../src/sql/postgres.ts'

/** Messages of PostgreSQL's protocol: one letter, the length of the rest, the rest. */
const ASK_FOR_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])
const LET_IN = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

/** A server that asks for the password, lets everybody in, and drops the connection at the first query. */
let server: Server
/** What it was sent first, last by last: the settings of the session, then the password. */
let heard: string[] = []

const serve = (socket: Socket): void => {
  let messages = 0
  socket.on('error', () => undefined)
  socket.on('data', (bytes) => {
    messages += 1
    if (messages <= 2) heard.push(bytes.toString('latin1'))
    if (messages === 1) socket.write(ASK_FOR_PASSWORD)
    else if (messages === 2) socket.write(LET_IN)
    else socket.destroy()
  })
}

const ask = async (url: string, password?: string): Promise<void> => {
  const secret = password === undefined ? undefined : new Secret(password)
  const { port } = server.address() as AddressInfo
  const database = openPostgres(url.replace('HOST', `127.0.0.1:${port}`), secret, 'tasker', {
    timeout: 3000,
    connections: 2,
  })
  await expect(sql`SELECT 1`.execute(database.kysely)).rejects.toThrow('terminated')
  await database.close()
}

beforeEach(async () => {
  heard = []
  server = createServer(serve).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => server.close())

/** What a password message holds. */
const sentPassword = (): string | undefined => heard[1]?.slice(5, -1)

describe('a PostgreSQL that asks for a password', () => {
  it('gets ledger.password, whatever characters it has', async () => {
    await ask('postgres://archiver@HOST/ledger', 'a b+c%2F&d=e@f:/?#')
    expect(sentPassword()).toBe('a b+c%2F&d=e@f:/?#')
  })
  it('gets that of the URL where there is no other', async () => {
    await ask('postgres://archiver:in%20url@HOST/ledger')
    expect(sentPassword()).toBe('in url')
  })
})

describe('a session on PostgreSQL', () => {
  it('is in UTC, whatever options the URL has', async () => {
    await ask('postgres://archiver@HOST/ledger?options=-c%20TimeZone%3DJapan%20-c%20geqo%3Doff', 'secret')
    expect(heard[0]).toContain('options\0-c TimeZone=Japan -c geqo=off -c TimeZone=UTC -c DateStyle=ISO\0')
  })
  it('that the server drops in the middle of a query is an error of that query and of nothing else', async () => {
    const uncaught: Error[] = []
    const listen = (error: Error): void => void uncaught.push(error)
    process.on('uncaughtException', listen)
    await ask('postgres://archiver@HOST/ledger', 'secret')
    await new Promise((resolve) => setTimeout(resolve, 50))
    process.off('uncaughtException', listen)
    expect(uncaught).toEqual([])
  })
  it('gets the password of now from each new connection of a pool', async () => {
    let now = 'postgres://archiver:first@HOST/ledger'
    const url = new Secret(now, () => now)
    const { port } = server.address() as AddressInfo
    const database = openPostgres(
      now.replace('HOST', `127.0.0.1:${port}`),
      databasePassword({ url, password: undefined }),
      'tasker',
      { timeout: 3000, connections: 2 },
    )
    const asked = async (): Promise<string | undefined> => {
      heard = []
      await expect(sql`SELECT 1`.execute(database.kysely)).rejects.toThrow('terminated')
      return sentPassword()
    }
    expect(await asked()).toBe('first')
    now = 'postgres://archiver:the%20second@HOST/ledger'
    expect(await asked()).toBe('the second')
    // Another place counts at the next start, and its password is not sent to this one.
    now = 'postgres://archiver:third@OTHER/ledger'
    expect(await asked()).toBe('the second')
    await database.close()
  })
})
