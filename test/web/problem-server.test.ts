import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { problemServer } from '../../src/web/problem-server.ts'

let server: Server
beforeAll(async () => {
  server = problemServer(async (request) => {
    if (request.url.endsWith('/bug')) throw new Error('a secret of the program')
    return new Response(await request.text())
  }, '127.0.0.1')
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
})

/** All that comes back until the connection ends. */
const sent = async (to: Server, text: string): Promise<string> => {
  const socket = connect((to.address() as AddressInfo).port, '127.0.0.1')
  socket.write(text)
  let answer = ''
  for await (const piece of socket) answer += String(piece)
  return answer
}
const UNREADABLE: readonly (readonly [string, string, number])[] = [
  ['no HTTP', 'HELLO\r\n\r\n', 400],
  ['another version', 'GET / HTTP/9.9\r\nhost: x\r\n\r\n', 400],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['a host that is none', 'GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n', 400],
  ['a long address', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431],
  ['an expectation', 'GET / HTTP/1.1\r\nhost: x\r\nexpect: more\r\n\r\n', 417],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
    400,
  ],
]

describe('a request that cannot be read', () => {
  it.each(UNREADABLE)('with %s is a problem of its own type', async (_what, text, status) => {
    const answer = await sent(server, text)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(head.toLowerCase()).toContain('content-type: application/problem+json')
    expect(JSON.parse(body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, ''))).toMatchObject({ status, code: 'USAGE' })
  })
  it('has no body by a server of Node alone (control)', async () => {
    const plain = createServer((_, response) => response.end())
    await once(plain.listen(0, '127.0.0.1'), 'listening')
    expect(await sent(plain, 'HELLO\r\n\r\n')).not.toContain('problem')
    plain.close()
  })
  it('puts nothing into an answer that has begun', async () => {
    const half = problemServer(
      () => new Response(new ReadableStream({ start: (pieces) => pieces.enqueue(Buffer.from('half')) })),
      '127.0.0.1',
    )
    await once(half.listen(0, '127.0.0.1'), 'listening')
    const socket = connect((half.address() as AddressInfo).port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
    let answer = ''
    socket.on('data', (piece) => (answer += String(piece)))
    await expect.poll(() => answer).toContain('half')
    socket.write('HELLO\r\n\r\n')
    await once(socket, 'close')
    expect(answer).not.toContain('problem')
    half.close()
  })
  it('and a bug say nothing of the program', async () => {
    const answer = await sent(server, 'GET /bug HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 500 /)
    expect(answer).not.toContain('secret of the program')
  })
})
