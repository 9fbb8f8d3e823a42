import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, createServer as createSocketServer, type AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { expect, it } from 'vitest'
import { countConnection, networkCounters } from '../../src/platform/network-counters.ts'

const BODY = 'x'.repeat(500_000)

it.each([
  { by: 'fetch', get: async (url: string) => (await fetch(url)).text() },
  {
    by: 'a pool of undici',
    get: async (url: string) => {
      const pool = new Pool(url)
      const text = await (await pool.request({ path: '/', method: 'GET' })).body.text()
      await pool.close()
      return text
    },
  },
])('what $by fetches is counted, once, also when the connection is gone', async ({ get }) => {
  const server = createServer((_, reply) => reply.end(BODY)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const before = networkCounters()
  expect(await get(`http://127.0.0.1:${port}`)).toHaveLength(BODY.length)
  const after = networkCounters()
  expect(after.receivedBytes - before.receivedBytes).toBeGreaterThan(BODY.length)
  expect(after.receivedBytes - before.receivedBytes).toBeLessThan(BODY.length * 1.1)
  expect(after.sentBytes - before.sentBytes).toBeGreaterThan(30)
  expect(after.databases).toBe(before.databases)
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  expect(networkCounters().receivedBytes - before.receivedBytes).toBeGreaterThan(BODY.length)
})

it('a connection that is named twice is counted once, and one that ended holds no place', async () => {
  const server = createSocketServer((near) => near.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const before = networkCounters()
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  countConnection(socket, 'database')
  countConnection(socket, 'database')
  expect(networkCounters().databases - before.databases).toBe(1)
  socket.resume()
  await once(socket, 'close')
  countConnection(socket, 'database')
  expect(networkCounters()).toEqual({ ...before, receivedBytes: before.receivedBytes + 5 })
  server.close()
})
