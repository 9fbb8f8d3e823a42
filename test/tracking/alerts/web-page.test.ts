import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Secret } from '../../../src/common/secret.ts'
import type { Message } from '../../../src/tracking/alerts/alerts.ts'
import { ntfyChannel } from '../../../src/tracking/alerts/ntfy.ts'
import { slackChannel } from '../../../src/tracking/alerts/slack.ts'

const MESSAGE: Message = {
  ...{ key: 'hung:x', severity: 'critical', title: 'x hangs', lines: ['for 10 min'], host: 'daq01' },
  ...{ time: '2026-11-28T06:00:00.000Z', held: 0 },
}
const PAGE = '\n<!doctype html><title>Please sign in</title>'
let server: Server | undefined
afterEach(() => void server?.close())

const answering = async (body: string): Promise<string> => {
  server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'text/html' }).end(body))
  })
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/t0pic`
}
const sendBy = (channel: string, url: string): Promise<void> => {
  const secret = new Secret(url)
  const slack = { webhookUrl: secret, botToken: undefined, channel: '', mentionUsers: [] }
  const one = channel === 'ntfy' ? ntfyChannel({ url: secret, token: undefined }) : slackChannel(slack)
  return one.send(MESSAGE, AbortSignal.timeout(5000))
}

describe.each(['ntfy', 'Slack'])('a message by %s', (channel) => {
  it('is not sent where a sign-in page answers 200, and the address stands in no message', async () => {
    const sending = sendBy(channel, await answering(PAGE))
    await expect(sending).rejects.toThrow(
      `${channel} answered with a web page: something else is at this address`,
    )
  })
  // Slack answers "ok" as text/html; servers of the same form answer JSON, or nothing.
  it.each(['ok', '{"id":"Xk3","event":"message"}', ''])('is sent where the answer is "%s"', async (body) => {
    await expect(sendBy(channel, await answering(body))).resolves.toBeUndefined()
  })
})
