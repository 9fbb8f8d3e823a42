import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { notify } from '../../src/commands/notify.ts'
import { contextOf } from '../context.ts'
import { CANARY, LEAST } from '../config/given.ts'

let folder: string
let server: Server
let port: number
let status = 200
const received: { title: string; lines: string[]; held: number }[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tell-'))
  server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push(JSON.parse(body) as (typeof received)[number])
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
const send = async (reporting: string, content: string, key?: string) => {
  const config = join(folder, 'config.yaml')
  const file = join(folder, 'report')
  mkdirSync(join(folder, 'work'), { recursive: true })
  writeFileSync(config, `${LEAST}app: {work_dir: "${join(folder, 'work')}"}\n${reporting}`, { mode: 0o600 })
  writeFileSync(file, content)
  let said = ''
  const code = await notify(
    { config, title: 'weekly report', file, ...(key === undefined ? {} : { key }) },
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
    expect((await send('', 'one')).said).toContain('nothing was sent')
  })
  it('with a key is sent once an hour, and says afterwards what was held back', async () => {
    const before = received.length
    for (const key of ['a.service exit-code 1', 'a.service exit-code 1', 'a.service watchdog 6'])
      expect((await send(webhook(), 'one', key)).code).toBe(0)
    expect(received.length - before).toBe(2)
    const memory = join(folder, 'work', 'alerts.json')
    const told = readFileSync(memory, 'utf8').replace(/"at": \d+/g, `"at": ${Date.now() - 3_600_000}`)
    writeFileSync(memory, told)
    await send(webhook(), 'one', 'a.service exit-code 1')
    expect(received.at(-1)?.held).toBe(1)
  })
  it('with a key that nobody took is tried again', async () => {
    status = 403
    await expect(send(webhook(), 'one', 'b.service')).rejects.toMatchObject({ code: 'NOBODY_TOLD' })
    status = 200
    expect(await send(webhook(), 'one', 'b.service')).toEqual({ code: 0, said: '' })
  })
  it('that nobody took is an error, without the secret', async () => {
    status = 403
    await expect(send(webhook(), 'one')).rejects.toMatchObject({ code: 'NOBODY_TOLD' })
    status = 200
  })
})
