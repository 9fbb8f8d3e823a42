import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Secret } from '../../../../src/common/secret.ts'
import { adler32 } from '../../../../src/common/adler32.ts'
import { UconClient } from '../../../../src/stores/ucondb/web/client.ts'
import { DigestSession } from '../../../../src/stores/ucondb/web/digest-auth.ts'
import { Transport } from '../../../../src/stores/ucondb/web/http.ts'
import { blobLimit } from '../../../../src/stores/ucondb/web/request.ts'

const MB = 1_000_000
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A server whose reply never ends, and how much of it was taken. */
const endless = async (headers: Record<string, string>) => {
  let sent = 0
  const server = createServer((_request, response) => {
    response.writeHead(200, headers)
    const piece = Buffer.alloc(65_536)
    const more = (): void => {
      while (!response.destroyed && sent < 400 * MB) {
        sent += piece.length
        if (!response.write(piece)) return void response.once('drain', more)
      }
      response.end()
    }
    more()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))))
  const { port } = server.address() as AddressInfo
  const transport = new Transport({
    serverUrl: `http://127.0.0.1:${port}/i/a`,
    deadlines: { connect: 5_000, idle: 5_000, total: 60_000 },
    connections: 1,
  })
  closing.push(() => transport.close())
  const session = new DigestSession('w', new Secret('p'), () => 'c')
  const client = new UconClient({
    transport,
    folder: 'f',
    object: 'o',
    session,
    now: Date.now,
    largestBlob: 1_073_741_824,
  })
  return { client, sent: () => sent }
}

const signal = new AbortController().signal

describe('a blob whose body never ends', () => {
  it.each([
    {
      what: 'that says how large it is',
      headers: { 'X-UconDB-Data-Size': '1000', 'X-UconDB-Adler32': '1' },
      options: {},
    },
    { what: 'that does not say it', headers: {}, options: {} },
    {
      what: 'that is compared with what was sent',
      headers: { 'X-UconDB-Data-Size': String(900 * MB), 'X-UconDB-Adler32': '1' },
      options: { compared: true, most: 60_000 },
    },
  ])('$what is not read to its end', async ({ headers, options }) => {
    const { client, sent } = await endless({ ...headers })
    await expect(client.fetch('7', signal, options)).rejects.toThrow('sends more than was asked for')
    // What stands in the buffers of the connection was sent, too.
    expect(sent()).toBeLessThan(30 * MB)
  })
})

describe('the most bytes that are read of a blob', () => {
  it('are those that the server says, and a margin', () => {
    expect(blobLimit('5000000', 1e9, MB)).toBe(5_065_536)
    expect(blobLimit('5000000', 100_000, MB)).toBe(100_000)
    expect(blobLimit(undefined, 1e9, MB)).toBe(MB)
    expect(blobLimit('-1', 1e9, MB)).toBe(MB)
    expect(adler32(Buffer.alloc(0))).toBe(1)
  })
})
