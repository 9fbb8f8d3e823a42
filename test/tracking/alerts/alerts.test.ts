import { createHmac } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTcp, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Log } from '../../../src/common/log.ts'
import { redactor } from '../../../src/common/redact.ts'
import { Secret } from '../../../src/common/secret.ts'
import { now } from '../../../src/platform/host.ts'
import { closedAlerts, PassWatch, staleAlert } from '../../../src/tracking/alerts/rules.ts'
import { Alerts, type Channel } from '../../../src/tracking/alerts/alerts.ts'
import { emailChannel } from '../../../src/tracking/alerts/email.ts'
import { slackChannel } from '../../../src/tracking/alerts/slack.ts'
import { webhookChannel } from '../../../src/tracking/alerts/webhook.ts'
import { passEvents, series } from '../events.ts'

const CANARY = new Secret('c4nary-pa55word')
const ALERT = {
  key: 'test',
  severity: 'critical' as const,
  title: 'A run failed',
  lines: ['run 7: refused\nX-Forged: header', `server said ${CANARY.reveal()}`],
}
let folder = ''
let warnings: string[] = []
let time = 0
const quiet = (): void => undefined
const log: Log = { debug: quiet, info: quiet, warn: (text) => void warnings.push(text), error: quiet }
const alerts = (channels: Channel[], timeout = 2000): Alerts =>
  new Alerts({
    channels,
    stateFile: join(folder, 'alerts.json'),
    interval: 3_600_000,
    timeout,
    host: 'daq01',
    now: () => time,
    log,
    redact: redactor([CANARY]),
  })
const closing: (() => void)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alerts-'))
  warnings = []
  time = Date.UTC(2025, 9, 3)
})
afterEach(() => {
  for (const close of closing.splice(0)) close()
  rmSync(folder, { recursive: true, force: true })
})

interface Heard {
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** An HTTP server that answers with these statuses, in turn, and remembers what it heard. */
const httpServer = async (
  answers: readonly { status: number; body?: string; headers?: Record<string, string> }[],
) => {
  const heard: Heard[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      heard.push({ url: request.url ?? '', headers: request.headers, body })
      const answer = answers[Math.min(heard.length, answers.length) - 1]
      response.writeHead(answer?.status ?? 200, answer?.headers).end(answer?.body ?? 'ok')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A real mail server; `refuse` makes it answer 451 to every sender. */
const mailServer = async (options: { tls?: { key: string; cert: string }; refuse?: boolean } = {}) => {
  const mails: string[] = []
  const users: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.tls ? [] : ['STARTTLS'],
    allowInsecureAuth: true,
    ...options.tls,
    onAuth: ({ username, password }, _session, done) => {
      users.push(`${username ?? ''}:${password ?? ''}`)
      done(null, { user: username })
    },
    onMailFrom: (_address, _session, done) =>
      options.refuse ? done(Object.assign(new Error('later'), { responseCode: 451 })) : done(),
    onData: (stream, _session, done) => {
      let mail = ''
      stream.setEncoding('utf8').on('data', (text: string) => (mail += text))
      stream.on('end', () => {
        mails.push(mail)
        done()
      })
    },
  })
  server.on('error', quiet)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close(quiet))
  return { mails, users, port: (server.server.address() as AddressInfo).port }
}

const email = (port: number, more: Partial<Parameters<typeof emailChannel>[0]> = {}): Channel =>
  emailChannel({
    host: '127.0.0.1',
    port,
    useTls: false,
    user: undefined,
    password: undefined,
    from: 'archiver@daq01',
    to: ['shift@example.org', 'expert@example.org'],
    timeout: 1000,
    ...more,
  })

describe('an alert by mail', () => {
  it('arrives, with no secret and no forged header in it', async () => {
    const server = await mailServer()
    const told = alerts([email(server.port)])
    told.raise(ALERT)
    await told.close(5000)
    expect(warnings).toEqual([])
    expect(server.mails).toHaveLength(1)
    const [head = '', ...rest] = (server.mails[0] ?? '').split('\r\n\r\n')
    const body = rest.join('\n\n')
    expect(head).toContain('Subject: [run-record-archiver] CRITICAL: A run failed (daq01)')
    expect(head).toContain('To: shift@example.org, expert@example.org')
    expect(body).toContain('run 7: refused\\nX-Forged: header')
    expect(server.mails[0]).not.toContain(CANARY.reveal())
  })

  it('goes over STARTTLS with a login where that is asked for', async () => {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name))
    const words = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '1',
    ]
    execFileSync(
      'openssl',
      [
        ...words,
        '-subj',
        '/CN=127.0.0.1',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        key!,
        '-out',
        cert!,
      ],
      { stdio: 'ignore' },
    )
    const tls = { key: readFileSync(key!, 'utf8'), cert: readFileSync(cert!, 'utf8') }
    const server = await mailServer({ tls })
    const login = { useTls: true, user: 'archiver', password: CANARY }
    const trusting = alerts([email(server.port, { ...login, ca: tls.cert })])
    trusting.raise(ALERT)
    await trusting.close(5000)
    expect(server.users).toEqual([`archiver:${CANARY.reveal()}`])
    expect(server.mails).toHaveLength(1)
    const wary = alerts([email(server.port, login)])
    wary.raise({ ...ALERT, key: 'other' })
    await wary.close(5000)
    expect(warnings.join()).toMatch(/not sent.*certificate/)
    expect(server.mails).toHaveLength(1)
  })

  it.each([
    ['refuses', () => mailServer({ refuse: true })],
    ['is not there', () => Promise.resolve({ port: 1 })],
    [
      'never answers',
      async () => {
        const server = createTcp(quiet)
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
        closing.push(() => server.close())
        return { port: (server.address() as AddressInfo).port }
      },
    ],
  ])(
    'does not hold anything up when the server %s, and is tried again when it is raised again',
    async (_name, open) => {
      const { port } = await open()
      const told = alerts([email(port)])
      const began = now()
      told.raise(ALERT)
      expect(now() - began).toBeLessThan(100)
      await told.close(4000)
      expect(now() - began).toBeLessThan(4000)
      expect(warnings.join()).toContain('The e-mail alert was not sent')
      const other = await httpServer([{ status: 200 }])
      const again = alerts([
        slackChannel({
          webhookUrl: new Secret(other.url),
          botToken: undefined,
          channel: '',
          mentionUsers: [],
        }),
      ])
      again.raise(ALERT)
      await again.close(2000)
      expect(other.heard).toHaveLength(1)
    },
  )
})

describe('an alert by Slack', () => {
  const slack = (more: Partial<Parameters<typeof slackChannel>[0]>): Channel =>
    slackChannel({ webhookUrl: undefined, botToken: undefined, channel: '', mentionUsers: [], ...more })

  it('goes to the webhook as text, mentioning only whom the configuration names', async () => {
    const server = await httpServer([{ status: 200 }])
    const told = alerts([
      slack({ webhookUrl: new Secret(`${server.url}/services/T0/B0/x`), mentionUsers: ['U1'] }),
    ])
    told.raise({ ...ALERT, lines: ['run <!channel> & co'] })
    await told.close(2000)
    const { text } = JSON.parse(server.heard[0]?.body ?? '') as { text: string }
    expect(text).toMatch(/^<@U1> A run failed/)
    expect(text).toContain('run &lt;!channel&gt; &amp; co')
  })

  it('goes through a bot, and an answer that is not ok is a failure', async () => {
    const server = await httpServer([
      { status: 200, body: '{"ok":true}' },
      { status: 200, body: '{"ok":false,"error":"channel_not_found"}' },
    ])
    const told = alerts([slack({ botToken: CANARY, channel: '#daq', api: server.url })])
    told.raise(ALERT)
    told.raise({ ...ALERT, key: 'second' })
    await told.close(2000)
    expect(server.heard[0]).toMatchObject({ url: '/chat.postMessage' })
    expect(server.heard[0]?.headers['authorization']).toBe(`Bearer ${CANARY.reveal()}`)
    expect(JSON.parse(server.heard[0]?.body ?? '')).toMatchObject({ channel: '#daq' })
    expect(warnings.join()).toContain('channel_not_found')
    expect(warnings.join()).not.toContain(CANARY.reveal())
  })

  it('waits once where Slack asks for it', async () => {
    const server = await httpServer([{ status: 429, headers: { 'retry-after': '0' } }, { status: 200 }])
    const told = alerts([slack({ webhookUrl: new Secret(server.url) })])
    told.raise(ALERT)
    await told.close(2000)
    expect(server.heard).toHaveLength(2)
    expect(warnings).toEqual([])
  })
})

describe('an alert by webhook', () => {
  it('is JSON, signed, and tried again when the server stumbles', async () => {
    const server = await httpServer([{ status: 503 }, { status: 200 }])
    const told = alerts([webhookChannel({ url: new Secret(server.url), signingKey: CANARY, retryDelay: 10 })])
    told.raise(ALERT)
    await told.close(2000)
    const [, second] = server.heard
    const signature = createHmac('sha256', CANARY.reveal())
      .update(second?.body ?? '')
      .digest('hex')
    expect(second?.headers['x-archiver-signature']).toBe(`sha256=${signature}`)
    expect(JSON.parse(second?.body ?? '')).toMatchObject({
      key: 'test',
      severity: 'critical',
      host: 'daq01',
      held: 0,
    })
  })

  it('is not tried again when it is refused for good', async () => {
    const server = await httpServer([{ status: 404 }])
    const told = alerts([
      webhookChannel({ url: new Secret(server.url), signingKey: undefined, retryDelay: 10 }),
    ])
    told.raise(ALERT)
    await told.close(2000)
    expect(server.heard).toHaveLength(1)
  })
})

describe('an alert to an address that is changed in its file', () => {
  it.each([
    [
      'Slack',
      (url: Secret) =>
        slackChannel({ ...{ webhookUrl: url, botToken: undefined }, channel: '', mentionUsers: [] }),
    ],
    ['a webhook', (url: Secret) => webhookChannel({ url, signingKey: undefined, retryDelay: 10 })],
  ])('goes by %s to where it leads now', async (_, channelTo) => {
    const server = await httpServer([{ status: 200 }])
    const told = alerts([channelTo(new Secret('http://127.0.0.1:1/', () => server.url))])
    told.raise(ALERT)
    await told.close(2000)
    expect(server.heard).toHaveLength(1)
  })
})

describe('the same alert', () => {
  it('is told once an hour, across processes, and says how many were held back', async () => {
    const server = await httpServer([{ status: 200 }])
    const raise = async (): Promise<void> => {
      const told = alerts([webhookChannel({ url: new Secret(server.url), signingKey: undefined })])
      told.raise(ALERT)
      await told.close(2000)
    }
    for (let i = 0; i < 3; i++) {
      await raise()
      time += 60_000
    }
    expect(server.heard).toHaveLength(1)
    time += 3_600_000
    await raise()
    expect(server.heard).toHaveLength(2)
    expect(JSON.parse(server.heard[1]?.body ?? '')).toMatchObject({ held: 2 })
    expect(readFileSync(join(folder, 'alerts.json'), 'utf8')).not.toContain(CANARY.reveal())
  })

  it('is told although what was remembered is damaged', async () => {
    writeFileSync(join(folder, 'alerts.json'), '{"test": {"at": "yes')
    const server = await httpServer([{ status: 200 }])
    const told = alerts([webhookChannel({ url: new Secret(server.url), signingKey: undefined })])
    told.raise(ALERT)
    await told.close(2000)
    expect(server.heard).toHaveLength(1)
  })
})

describe('a pass with failed runs', () => {
  it('is one alert that names the first ten', () => {
    const watch = new PassWatch('incremental')
    for (const event of passEvents('import', series(1, 40), { failing: series(5, 17) })) watch.listener(event)
    const [alert, ...more] = watch.alerts()
    expect(more).toEqual([])
    expect(alert?.title).toBe('13 runs failed')
    expect(alert?.lines.filter((line) => line.startsWith('  run '))).toHaveLength(10)
    expect(alert?.lines[0]).toBe('import: 13 of 40 runs failed: 5-14 and more')
    expect(alert?.lines.at(-1)).toBe('Try again: run-archiver config.yaml --retry-failed-import')
  })

  it('names each run once, whatever its error begins with', () => {
    const watch = new PassWatch('incremental')
    const error = new Error('run 5: too large')
    watch.listener({ type: 'pass-started', stage: 'import', mode: 'full', total: 1, waiting: 0 })
    watch.listener({ type: 'item-failed', stage: 'import', key: '5', error, milliseconds: 1 })
    expect(watch.alerts()[0]?.lines[1]).toBe('  run 5: too large')
  })

  it('is none when all went well', () => {
    const watch = new PassWatch('incremental')
    for (const event of passEvents('import', series(1, 4))) watch.listener(event)
    expect(watch.alerts()).toEqual([])
  })
})

describe('other alerts', () => {
  it('name an execution that ended unseen', () => {
    const closed = {
      runId: 'a',
      task: 'incremental',
      pid: 7,
      host: 'h',
      startedAt: 0,
      endedAt: 1,
      attempted: 3,
    }
    const [alert] = closedAlerts([{ ...closed, status: 'SYSTEM_REBOOT', reason: 'rebooted' }])
    expect(alert?.lines).toEqual(['incremental (PID 7 on h) is SYSTEM_REBOOT after 3 runs: rebooted'])
  })
  it('tell of no success only after the hours that were configured', () => {
    const hour = 3_600_000
    const stale = (last: number | undefined, at: number, hours = 24, waitingSince = 0) =>
      staleAlert({ last, waitingSince }, at, hours)?.title
    expect(stale(0, 23 * hour)).toBeUndefined()
    expect(stale(0, 25 * hour)).toBe('No pass has succeeded for 25 hours')
    expect(stale(0, 25 * hour, 0)).toBeUndefined()
    expect(stale(24 * hour, 25 * hour)).toBeUndefined()
    // Never a success: counted from the first pass.
    expect(stale(undefined, 23 * hour)).toBeUndefined()
    expect(stale(undefined, 25 * hour)).toBe('No pass has ever succeeded, for 25 hours')
    // A clock that was set back.
    expect(stale(1000 * hour, 25 * hour)).toBe('No pass has succeeded since the clock was set back')
    expect(stale(25 * hour + 60_000, 25 * hour)).toBeUndefined()
  })
})
