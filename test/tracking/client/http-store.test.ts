import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Secret } from '../../../src/common/secret.ts'
import type { Row } from '../../../src/tracking/ledger/row.ts'
import { openHttpStore } from '../../../src/tracking/client/http-store.ts'

let server: Server | undefined
afterEach(() => void server?.close())

/** A store at an address whose server answers each request with this body. */
const storeAt = async (body: string) => {
  server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200).end(body))
  })
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return openHttpStore({ url, token: undefined, timeout: 5000 }, () => undefined)
}
const ROW: Row = { table: 'events', cells: { run_id: 'x', seq: 1 }, transient: false }

describe('rows that are sent to a service', () => {
  it('are written where it says how many', async () => {
    const store = await storeAt('{"written":1,"refused":[],"cancel_requested":[]}')
    await expect(store.write([ROW])).resolves.toBeUndefined()
  })
  it.each(['{}', 'null', '"welcome"', '[]', '5'])(
    'are not taken for written where something else answers %s',
    async (body) => {
      const store = await storeAt(body)
      await expect(store.write([ROW])).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
    },
  )
})

describe('a token that is changed in its file', () => {
  it('is sent as it is now', async () => {
    const sent: (string | undefined)[] = []
    server = createServer((request, response) => {
      sent.push(request.headers.authorization)
      request.resume().on('end', () => response.end('{"written":1,"refused":[],"cancel_requested":[]}'))
    })
    await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    let text = 'old'
    const store = openHttpStore({ url, token: new Secret(text, () => text), timeout: 5000 }, () => undefined)
    await store.write([ROW])
    text = 'new'
    await store.write([ROW])
    expect(sent).toEqual(['Bearer old', 'Bearer new'])
  })
})
