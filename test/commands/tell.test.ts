import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tell } from '../../src/commands/tell.ts'
import { contextOf } from '../context.ts'
import { CANARY, LEAST } from '../config/given.ts'

let folder: string
let server: Server
let port: number
let status = 200
const received: { title: string; lines: string[] }[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tell-'))
  server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push(JSON.parse(body) as { title: string; lines: string[] })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

/** Sends a text with this `reporting` section; gives back the exit code and what was said on standard error. */
const send = async (reporting: string, content: string) => {
  const config = join(folder, 'config.yaml')
  const file = join(folder, 'report')
  writeFileSync(config, `${LEAST}${reporting}`, { mode: 0o600 })
  writeFileSync(file, content)
  let said = ''
  const code = await tell(
    { config, title: 'weekly report', file },
    contextOf({ err: (line) => (said += line) }),
  )
  return { code, said }
}
const webhook = () =>
  `reporting: {webhook: {enabled: true, url: "http://127.0.0.1:${port}/${CANARY}", signing_key: ${CANARY}x}}\n`

describe('a text for people', () => {
  it('goes through the channels, its secrets masked and its lines harmless', async () => {
    expect(await send(webhook(), `one\ntwo \u001b[31m ${CANARY}x\n`)).toEqual({ code: 0, said: '' })
    expect(received.at(-1)).toMatchObject({
      title: 'weekly report',
      lines: ['one', 'two \\x1b[31m [secret]'],
    })
  })
  it('says so where no channel is turned on', async () => {
    expect((await send('', 'one')).said).toContain('nobody was told')
  })
  it('that nobody took is an error, without the secret', async () => {
    status = 403
    await expect(send(webhook(), 'one')).rejects.toMatchObject({ code: 'NOBODY_TOLD' })
    status = 200
  })
})
