import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { redactor } from '../../../src/common/redact.ts'
import { Secret } from '../../../src/common/secret.ts'
import { now } from '../../../src/platform/host.ts'
import { sendWithin, type Message } from '../../../src/tracking/alerts/alerts.ts'
import { commandChannel, commandWatcher } from '../../../src/tracking/alerts/command-hook.ts'
import { ntfyChannel } from '../../../src/tracking/alerts/ntfy.ts'
import type { PassWatcher } from '../../../src/tracking/alerts/pass-watchers.ts'
import { pingWatcher } from '../../../src/tracking/alerts/ping.ts'
import { Reporting } from '../../../src/tracking/reporter.ts'
import { passEvents } from '../events.ts'

const CANARY = new Secret('c4nary-pa55word')
const NEVER = new AbortController().signal
const HOOKS = { before: undefined, after: undefined, onError: undefined, onAlert: undefined }
const MESSAGE: Message = {
  ...{ key: 'hung:x', severity: 'critical', title: 'x hangs', lines: ['for 10 min'], host: 'daq01' },
  ...{ time: '2026-11-28T06:00:00.000Z', held: 0 },
}
let folder = ''
let warnings: string[] = []
let heard: { url: string; body: string }[] = []
let close = (): void => undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watchers-'))
  warnings = []
  heard = []
})
afterEach(() => {
  close()
  rmSync(folder, { recursive: true, force: true })
})
const server = async (...answers: number[]): Promise<string> => {
  const listening = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      heard.push({ url: request.url ?? '', body })
      response.writeHead(answers[Math.min(heard.length, answers.length) - 1] ?? 200).end()
    })
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  close = () => void listening.close()
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}
/** A pass that ends with this exit code, watched. */
const pass = async (
  watchers: PassWatcher[],
  exitCode: number,
  signal?: string,
  timeout = 5000,
  stages: readonly string[] = [],
): Promise<number> => {
  const quiet = (): void => undefined
  const logFile = join(folder, 'archiver.log')
  writeFileSync(logFile, `${'x'.repeat(20_000)}\nlast line with ${CANARY.reveal()}\n`)
  const begun = now()
  const reporting = new Reporting({
    ...{ task: 'incremental', version: '1', workDir: folder, host: 'daq01', pid: 1, now },
    log: { debug: quiet, info: quiet, warn: (text) => void warnings.push(text), error: quiet },
    redact: redactor([CANARY]),
    ...{ channels: [], staleAfterHours: 0, carbon: undefined, textfile: undefined, channelTimeout: timeout },
    ...{ isPass: true, watchers, logFile },
  })
  for (const stage of stages) for (const event of passEvents(stage, [1])) reporting.listener(event)
  await reporting.end({ exitCode, isPass: true, signal, standings: [], ledgerFailures: 0, spoolBytes: 0 })
  return now() - begun
}

describe('a dead man’s switch', () => {
  it.each([
    ['success', 0, undefined, '/ping/abc'],
    ['failure', 1, undefined, '/ping/abc/fail'],
    ['a signal', 143, 'SIGTERM', '/ping/abc/log'],
  ])('hears of the start and of %s, as one pass', async (_name, exitCode, signal, end) => {
    await pass([pingWatcher(new Secret(`${await server(200)}/ping/abc`))], exitCode, signal)
    expect(heard.map(({ url }) => url.replace(/\?.*/, ''))).toEqual(['/ping/abc/start', end])
    expect(new Set(heard.map(({ url }) => url.replace(/.*\?rid=/, ''))).size).toBe(1)
    const body = heard[1]?.body ?? ''
    expect(body).toContain('last line with [secret]')
    expect(body.length).toBeLessThanOrEqual(10_000)
    expect(warnings).toEqual([])
  })
  it('hears no more of a pass of many stages', async () => {
    const stages = Array.from({ length: 500 }, (_, at) => `stage-with-a-long-name-${at}`)
    await pass([pingWatcher(new Secret(`${await server(200)}/ping/abc`))], 0, undefined, 5000, stages)
    expect(heard[1]?.body.length).toBeLessThanOrEqual(10_000)
    expect(heard[1]?.body).toContain('stage-with-a-long-name-0: 1 attempted')
  })
  it('is tried twice, and its address stands in no warning', async () => {
    await pass([pingWatcher(new Secret(`${await server(503, 200)}/ping/abc`))], 0)
    expect(heard.map(({ url }) => url.replace(/\?.*/, ''))).toEqual([
      '/ping/abc/start',
      '/ping/abc/start',
      '/ping/abc',
    ])
    close()
    await pass([pingWatcher(new Secret('http://127.0.0.1:1/ping/abc'))], 0)
    expect(warnings.join()).toMatch(/ping was not reached/)
    expect(warnings.join()).not.toContain('abc')
  })
})

describe('a command hook', () => {
  const record = (word: string): string =>
    `echo "${word} $ARCHIVER_EVENT $ARCHIVER_TASK $ARCHIVER_EXIT_CODE" >> ${folder}/out; cat >> ${folder}/in`
  const hooks = () => ({ ...HOOKS, before: record('b'), after: record('a'), onError: record('e') })
  const env = { PATH: process.env['PATH'], UCON_PASSWORD: 'x' }
  it('runs before and after a pass, and on error between them', async () => {
    await pass([commandWatcher(hooks(), env)], 0)
    await pass([commandWatcher(hooks(), env)], 1)
    await pass([commandWatcher(hooks(), env)], 143, 'SIGTERM')
    expect(readFileSync(`${folder}/out`, 'utf8').trim().split('\n')).toEqual([
      ...['b before incremental ', 'a after incremental 0', 'b before incremental ', 'e error incremental 1'],
      ...['a after incremental 1', 'b before incremental ', 'a after incremental 143'],
    ])
    expect(readFileSync(`${folder}/in`, 'utf8')).toContain('incremental: exit code 1')
  })
  it('that hangs is killed with all that it started, and one that fails changes nothing', async () => {
    const hang = { ...HOOKS, before: `sh -c 'sleep 60; touch ${folder}/late' & sleep 60` }
    expect(await pass([commandWatcher(hang, env)], 0, undefined, 300)).toBeLessThan(10_000)
    await pass([commandWatcher({ ...HOOKS, after: 'echo no >&2; exit 3' }, env)], 0)
    expect(warnings.join()).toMatch(/no answer within 300 ms.*exit code 3 no/s)
  })
  it('runs after a pass also where the one on error failed', async () => {
    await pass([commandWatcher({ ...hooks(), before: undefined, onError: 'exit 3' }, env)], 1)
    expect(readFileSync(`${folder}/out`, 'utf8')).toBe('a after incremental 1\n')
    expect(warnings.join()).toContain('exit code 3')
  })
  it('for an alert gets it whole and no other variable; only exit code 0 counts as sent', async () => {
    await commandChannel(`env > ${folder}/env; cat > ${folder}/in`, env).send(MESSAGE, NEVER)
    expect(readFileSync(`${folder}/in`, 'utf8')).toBe('x hangs\nfor 10 min\n')
    const seen = readFileSync(`${folder}/env`, 'utf8')
    expect(seen).toContain('ARCHIVER_ALERT=hung:x')
    expect(seen).not.toContain('UCON_PASSWORD')
    await expect(commandChannel('exit 1', env).send(MESSAGE, NEVER)).rejects.toThrow('exit code 1')
  })
})

describe('a channel', () => {
  it('whose server heeds no signal, as one whose answer never ends, is given up in time', async () => {
    const channel = { name: 'endless', send: () => new Promise<void>(() => undefined) }
    await expect(sendWithin(channel, MESSAGE, 200)).rejects.toThrow(/^it did not answer within/)
  })
})

describe('ntfy', () => {
  it('gets topic, title and priority, and refuses without the topic in the error', async () => {
    const url = new Secret(`${await server(200, 403)}/t0pic`)
    await ntfyChannel({ url, token: undefined }).send(MESSAGE, NEVER)
    expect(JSON.parse(heard[0]?.body ?? '')).toMatchObject({ topic: 't0pic', title: 'x hangs', priority: 5 })
    const refused = ntfyChannel({ url, token: undefined }).send(MESSAGE, NEVER)
    await expect(refused).rejects.toThrow(/^ntfy answered 403$/)
  })
  it.each(['x', 'é', '✓', '😀'])(
    'gets a message of %s that is no attachment: at most 4096 bytes',
    async (sign) => {
      const url = new Secret(`${await server(200)}/t0pic`)
      await ntfyChannel({ url, token: undefined }).send({ ...MESSAGE, lines: [sign.repeat(5000)] }, NEVER)
      const { message } = JSON.parse(heard[0]?.body ?? '') as { readonly message: string }
      expect(message).toMatch(new RegExp(`^(?:${sign})+$`, 'u'))
      expect(Buffer.byteLength(message)).toBeGreaterThan(3000)
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096)
    },
  )
})
